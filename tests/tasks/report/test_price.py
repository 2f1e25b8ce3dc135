"""Where the time of a deletion went, and what it says of retraining."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told import facts_of, record_of, rung
from world import NOISE, make_checkout

from flows.stages.timing import keeping_time
from tasks.checkout.checkout import Checkout
from tasks.computing.costs import keep_time, read_time
from tasks.report.page import render
from tasks.report.price import time_lines, time_rows, worth
from unlearn_core.records.evaluation import TimeSpent

pytestmark = NOISE

SPENT = TimeSpent(split=1.0, training=40.0, methods=3.0, measuring=4.0, certificate=2.0)


def beside(spent, seconds):
    """The same, with what one retraining took."""
    return spent.model_copy(update={"retraining": seconds})


@given(st.lists(st.floats(0, 1e5), min_size=5, max_size=5))
def test_the_parts_add_up_to_the_whole(seconds):
    spent = TimeSpent(**dict(zip(SPENT.parts, seconds, strict=True)))
    assert spent.total == pytest.approx(sum(seconds))


def test_a_terminal_shows_the_parts_beside_the_price_of_a_retraining():
    first, second = time_lines(beside(SPENT, 40.0))
    assert "50.0 seconds: split 1.0 seconds, training 40.0 seconds, methods 3.0 seconds" in first
    assert second == "retraining   40.0 seconds, for one model"
    assert time_lines(None) == []


@pytest.mark.parametrize(
    ("spent", "seconds", "words"),
    [
        (SPENT, 40.0, "Without them, the deletion was 4.0 times as fast as retraining."),
        (SPENT, 40.0, "40.0 seconds went into training models to compare with, one of which could have been"),
        (SPENT, 9.0, "Retraining alone would have been as fast: here it is the simpler way."),
        (TimeSpent(methods=5.0), 50.0, "The deletion was 10 times as fast as retraining."),
    ],
)
def test_the_page_answers_why_the_retrained_model_was_not_released(spent, seconds, words):
    assert words in worth(beside(spent, seconds))


def test_the_page_shows_where_the_time_went_if_it_is_known():
    facts = facts_of(record_of(rung()))
    known = facts_of(record_of(rung()), time=beside(SPENT, 40.0))
    assert "Where the time went" in render(known).decode()
    assert time_rows(SPENT)[-1][1] in render(known).decode()
    assert "Where the time went" not in render(facts).decode()


def test_a_part_that_is_run_again_replaces_what_it_took_and_leaves_the_others(tmp_path):
    checkout = Checkout(tmp_path)
    keep_time(checkout, "r-1", split=3.0, methods=5.0)
    keep_time(checkout, "r-1", split=1.0)
    assert read_time(checkout, "r-1") == TimeSpent(split=1.0, methods=5.0)
    assert read_time(checkout, "r-2") is None


def test_a_stage_keeps_its_time_and_gives_what_it_gave(tmp_path):
    checkout = Checkout(make_checkout(tmp_path / "project", request="r-9"))
    assert keeping_time("split")(lambda _: "done")(checkout) == "done"
    spent = read_time(checkout, "r-9")
    assert spent is not None
    assert spent.parts == {**dict.fromkeys(SPENT.parts, 0.0), "split": spent.split}
    assert spent.split > 0
