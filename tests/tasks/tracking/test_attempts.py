"""An attempt is named, tagged and counted by how it ended, not by the gate's verdict alone.

Each of these must turn red: a relapsed or drifted model that is called by what the gate passed; a refused one
that looks finished; an earlier run that counts as accepted although its model was refused.
"""

import pytest
from told import drifted, record_of, rung

from tasks.checkout.tags import Tag
from tasks.tracking.attempts import log_attempt
from tasks.tracking.histories import history_in_tracking
from tasks.tracking.runs import set_tags
from unlearn_core.records.base import sha256
from unlearn_core.records.earlier import AskedAgain, Knowledge

KNOWN = Knowledge(rows=9, accuracy=0.71, confidence=0.6)
BACK = (AskedAgain(request="c-3", outcome="relapsed", parent=KNOWN, candidate=KNOWN),)
ENDINGS = {
    "accepted": (rung(), "✓ behaves", "passes", "FINISHED"),
    "accepted, traces left": (
        rung(removed="under_forgotten"),
        "? behaves, not removed",
        "passes",
        "FINISHED",
    ),
    "set aside": (
        rung(removed="under_forgotten", accepted=False),
        "? behaves, not removed",
        "passes",
        "FAILED",
    ),
    "refused": (
        rung(verdict="under_forgotten", accepted=False),
        "✕ under-forgotten",
        "under_forgotten",
        "FAILED",
    ),
    "undecided": (
        rung(verdict="inconclusive", accepted=False),
        "? inconclusive",
        "inconclusive",
        "FAILED",
    ),
    "drifted": (rung(accepted=False, drift=drifted(9)), "✕ drifted", "drifted", "FAILED"),
    "relapsed": (
        rung(accepted=False).model_copy(update={"earlier": BACK}),
        "✕ relapsed",
        "relapsed",
        "FAILED",
    ),
    "retrained": (
        rung("retrain", verdict="inconclusive"),
        "✓ retrained",
        "inconclusive",
        "FINISHED",
    ),
}


@pytest.mark.parametrize(("last", "name", "verdict", "status"), ENDINGS.values(), ids=list(ENDINGS))
def test_an_attempt_looks_like_what_it_is(run, last, name, verdict, status):
    found = run.tracking.client.get_run(log_attempt(run, last).id)
    assert found.info.run_name == f"{name} · {last.unlearning.name}"
    assert found.info.status == status
    assert (found.data.tags[Tag.VERDICT], found.data.tags[Tag.SHOWN]) == (verdict, name[2:])
    said = "Accepted" if last.accepted else "Not accepted"
    assert f"**{said}.** because it is so" in found.data.tags[Tag.NOTE]
    assert log_attempt(run, last).id == found.info.run_id


@pytest.mark.parametrize(("last", "name", "verdict", "status"), ENDINGS.values(), ids=list(ENDINGS))
def test_an_earlier_run_counts_as_accepted_only_where_its_model_was(run, last, name, verdict, status):
    log_attempt(run, last)
    history = history_in_tracking(run, record_of(rung("another")))
    assert [one.result for one in history.runs] == ["accepted" if last.accepted else "refused"]


def test_of_attempts_logged_before_acceptance_was_the_verdict_counts(run):
    attempt = log_attempt(run, rung(verdict="under_forgotten", accepted=False))
    run.tracking.client.delete_tag(attempt.id, Tag.ACCEPTED)
    set_tags(attempt, {Tag.VERDICT: "passes", Tag.POLICY: sha256(b"policy")})
    history = history_in_tracking(run, record_of(rung("another")))
    assert [one.result for one in history.runs] == ["accepted"]
