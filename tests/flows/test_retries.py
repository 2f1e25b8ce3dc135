"""What a flow tries again, and what it does not."""

import pytest
from world import NOISE

from unlearn_core.errors import PipelineError, UnavailableError

pytestmark = NOISE


def failing_twice(error):
    """Return a flow of one task that fails twice and then succeeds, and the list of its tries."""
    from prefect import flow, task  # after its folder is set

    from tasks.orchestration.task_runs import RETRIES

    tries = []

    @task(**{**RETRIES, "retry_delay_seconds": 0})
    def work():
        tries.append(1)
        if len(tries) < 3:
            raise error
        return len(tries)

    @flow
    def once():
        return work()

    return once, tries


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("kind", [ConnectionError, UnavailableError])
def test_input_and_output_are_tried_again(kind):
    once, tries = failing_twice(kind("the store is away"))
    assert once() == 3
    assert len(tries) == 3


@pytest.mark.usefixtures("prefect_server")
def test_an_error_of_lethes_own_is_not_tried_again():
    once, tries = failing_twice(PipelineError("an expectation failed"))
    with pytest.raises(PipelineError):
        once()
    assert len(tries) == 1
