"""How many trainings run at once, and when the last of them ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.scheduling import Needs, Node, makespan, places


@pytest.mark.parametrize(
    ("durations", "workers", "expected"),
    [([], 2, 0), ([5], 3, 5), ([1, 2, 3], 1, 6), ([3, 3, 3], 2, 6), ([4, 1, 1, 1, 1], 2, 4)],
)
def test_the_last_of_some_jobs_ends_when_it_must(durations, workers, expected):
    assert makespan(durations, workers) == expected


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.integers(1, 40))
def test_no_number_of_workers_beats_the_longest_job_or_the_mean(durations, workers):
    found = makespan(durations, workers)
    assert found >= max(*durations, sum(durations) / workers) - 1e-9
    assert found <= sum(durations) / workers + max(durations) + 1e-9


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(1), 8),
        (Needs(1, memory_mib=1000.0), 4),
        (Needs(4, memory_mib=100.0), 2),
        (Needs(9), 0),
        (Needs(1, gpus=1.0), 2),
        (Needs(1, gpus=0.25), 8),
        (Needs(2, gpus=0.5), 4),
        (Needs(1, gpus=3.0), 0),
    ],
)
def test_cores_memory_and_accelerators_each_limit_how_many_a_machine_holds(needs, expected):
    assert places(needs, [Node(cpus=8, memory_mib=4999.0, gpus=2)]) == expected


def test_a_job_runs_on_one_machine_and_takes_nothing_of_another():
    assert places(Needs(3), [Node(5, 1000.0), Node(4, 1000.0), Node(2, 1000.0)]) == 2
    assert places(Needs(1, memory_mib=900.0), [Node(8, 500.0), Node(8, 500.0)]) == 0
