"""Trying again what talks to a service, by a clock that is handed in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checkout.patience import STEP, TURN, Patience, may_be_away
from tasks.orchestration.task_runs import RETRIES
from unlearn_core.errors import GateError, PipelineError, RequestError, SetupError, UnavailableError

AWAY = UnavailableError("the store is away")


class Service:
    """Is away for some tries, by the errors it was made with, and then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.tries = 0

    def __call__(self):
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        return "an answer"


def test_a_service_that_answers_is_asked_once():
    service, slept = Service(), []
    assert TURN.ask(service, sleep=slept.append) == "an answer"
    assert (service.tries, slept) == (1, [])


@given(
    pauses=st.lists(st.floats(0, 60), max_size=6).map(tuple),
    failures=st.integers(0, 8),
)
def test_it_is_asked_again_after_each_pause_and_once_more(pauses, failures):
    service, slept = Service(*[AWAY] * failures), []
    patience = Patience(pauses)
    if failures <= len(pauses):
        assert patience.ask(service, sleep=slept.append) == "an answer"
    else:
        with pytest.raises(UnavailableError, match="the store is away"):
            patience.ask(service, sleep=slept.append)
    assert service.tries == min(failures, len(pauses)) + 1
    assert slept == list(pauses[:failures])


@pytest.mark.parametrize("kind", [RequestError, SetupError, PipelineError, GateError, KeyError])
def test_what_waiting_would_not_mend_is_not_waited_for(kind):
    service, slept = Service(AWAY, kind("no")), []
    with pytest.raises(kind):
        TURN.ask(service, sleep=slept.append)
    assert (service.tries, slept) == (2, [5])


def test_the_log_tells_of_each_pause_and_not_what_an_unexpected_error_quotes(capsys):
    service = Service(AWAY, ConnectionError("subject-0003"))
    Patience((1, 2.5), passes=may_be_away).ask(service, sleep=lambda _pause_s: None)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "· retry in 1 s: the store is away"
    assert second.startswith("· retry in 2.5 s: unexpected ConnectionError in ")
    assert "subject-0003" not in second


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UnavailableError("away"), True),
        (ConnectionError("reset"), True),
        (ValueError("half an answer"), True),
        (PipelineError("an expectation failed"), False),
        (SetupError("no such bucket"), False),
    ],
)
def test_a_step_is_tried_again_after_what_can_be_input_and_output(error, expected):
    assert STEP.passes(error) is expected


def test_prefect_tries_a_step_by_the_same_schedule():
    assert (RETRIES["retries"], RETRIES["retry_delay_seconds"]) == (len(STEP.pauses_s), list(STEP.pauses_s))


def test_a_turn_bears_longer_with_a_service_than_a_step():
    assert 60 <= sum(STEP.pauses_s) <= sum(TURN.pauses_s) <= 300
