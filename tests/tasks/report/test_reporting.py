"""A deletion in files and in words."""

import pytest
from world import content

from tasks.report.outputs import (
    HEADLINES,
    drift_in_words,
    earlier_in_words,
    evaluations_by_model,
    headlines,
    refusal_markdown,
    run_name,
    tried_table,
)
from unlearn_core.records.deletion import DeletionRecord, LeftOut, Rung
from unlearn_core.records.drift import Drift
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.policy import Verdict
from unlearn_core.records.result import Coverage, UnlearningRecord


def evaluation(model, **values):
    entries = tuple(Measurement(name=name.replace("_", "."), value=value) for name, value in values.items())
    return Evaluation(model=content(model), seed=0, measurements=entries)


def verdict(name="passes"):
    return Verdict(
        verdict=name, level="E1", decided_by=(), reason="why", findings=(), policy=content("policy")
    )


def rung(method, *, accepted, **values):
    record = UnlearningRecord(
        method={"name": method},
        seed=0,
        parent=content("parent"),
        weights=content(method),
        coverage=Coverage(parameters=()),
    )
    return Rung(
        unlearning=record,
        evaluation=evaluation(method, **values),
        verdict=verdict("passes" if accepted else "under_forgotten"),
        accepted=accepted,
        why=f"because of {method}",
    )


def record_of(*rungs, reference=None):
    return DeletionRecord(
        request="r-17",
        split=content("split"),
        original=evaluation("original", accuracy_test_forget=0.9, other=1.0),
        original_verdict=verdict("under_forgotten"),
        references=() if reference is None else (reference,),
        tried=("broken", *(one.unlearning.name for one in rungs)),
        rungs=rungs,
        failed=(LeftOut(method="broken", why="it stopped"),),
        left_out=(LeftOut(method="idle", why="it cannot"),),
    )


@pytest.fixture
def record():
    return record_of(
        rung("first", accepted=False, accuracy_test_forget=0.5),
        rung("second", accepted=True, accuracy_test_forget=0.125, accuracy_test_retain=0.75),
        reference=evaluation("retrained", accuracy_test_forget=0.0),
    )


def test_models_stand_beside_one_another_the_accepted_rung_as_the_unlearned(record):
    found = evaluations_by_model(record)
    assert {name: one.model for name, one in found.items()} == {
        "original": content("original"),
        "unlearned": content("second"),
        "retrained": content("retrained"),
    }


def test_models_that_are_not_there_are_left_out():
    assert list(evaluations_by_model(record_of(rung("first", accepted=False)))) == ["original"]


def test_headlines_are_what_was_measured_of_them(record):
    assert headlines(record.original) == {"accuracy.test.forget": 0.9}
    assert set(headlines(record.original)) < set(HEADLINES)


def drifted(requests, **changes):
    figures = {
        "origin": content("origin"),
        "requests": requests,
        "weight_distance": 0.25,
        "layer_weight_distance": 0.5,
        "retained_energy": 0.75,
        "staleness": 0.125,
        "accuracy": 0.9,
        "accuracy_at_origin": 0.95,
    }
    return Drift(layers=(), **{**figures, **changes})


def test_the_words_say_how_far_the_model_has_drifted():
    told = drift_in_words(drifted(4))
    assert content("origin") in told
    assert "| deletions since training in full | 4 |" in told
    assert "| output energy retained, in every layer | 75.00% |" in told
    assert "| accuracy on retained audit samples | 90.00% (was 95.00%) |" in told


def test_the_words_say_where_an_accuracy_says_nothing():
    told = drift_in_words(drifted(4, accuracy=None, accuracy_at_origin=None))
    assert "| accuracy on retained audit samples | not measured: one class is left" in told


def test_the_words_say_how_earlier_requests_ended(record):
    asked = (AskedAgain(request="p-1", outcome="not_asked", why="nothing is kept"),)
    assert "| `p-1` | not asked: nothing is kept |" in earlier_in_words(asked)


def test_the_words_say_that_full_training_ends_drift():
    assert "it has no drift" in drift_in_words(drifted(0, staleness=None))


def test_the_table_holds_a_line_for_every_method_and_its_reason(record):
    told = tried_table(record)
    assert "| first | under-forgotten | because of first |" in told
    assert "| second | behaves | because of second |" in told
    assert "| broken | failed | it stopped |" in told
    assert "| idle | not tried | it cannot |" in told


def test_a_reason_cannot_break_the_table():
    broken = LeftOut(method="broken", why="a | b\n" + 200 * "word ")
    told = tried_table(DeletionRecord(**{**dict(record_of()), "failed": (broken,)}))
    (line,) = (line for line in told.splitlines() if line.startswith("| broken"))
    assert "a \\| b word" in line
    assert len(line) < 450
    assert line.endswith(" … |")


def test_a_run_is_called_after_its_request_method_and_verdict(record):
    assert run_name(record) == "✓ behaves · r-17 · second"
    assert run_name(record_of(rung("first", accepted=False))) == "✕ nothing accepted · r-17"


def test_a_refusal_says_that_nothing_was_released(record):
    told = refusal_markdown(record_of(rung("first", accepted=False)))
    assert told.startswith("**No model was accepted.** Nothing was released")
    assert "| first | under-forgotten | because of first |" in told
