"""How many trainings run at once, and when the last of them ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.scheduling import makespan, places


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
    ("wanted", "threads", "memory", "expected"),
    [(100, 1, 100.0, 8), (100, 1, 3.9, 3), (2, 1, 100.0, 2), (100, 4, 100.0, 2)],
)
def test_cores_memory_and_the_wish_each_limit_how_many_run_at_once(wanted, threads, memory, expected):
    assert places(wanted, threads=threads, cores=8, memory=memory, accelerator=False) == expected


def test_one_runs_even_where_nothing_is_to_spare():
    assert places(3, threads=4, cores=1, memory=0.2, accelerator=False) == 1


def test_on_an_accelerator_they_run_one_at_a_time():
    assert places(9, threads=1, cores=64, memory=9.0, accelerator=True) == 1
