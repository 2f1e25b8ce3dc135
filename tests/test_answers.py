"""What models said is kept, so that the gate can be asked again."""

import json

import pytest
import torch
from told import measured
from world import ROOT

from benchmarks.answers import KEPT, MOST_FEATURES, Measured, all_kept, keep, read_measured, read_outputs
from tasks.checkout.params import read_params
from unlearn_core.observations import Outputs
from unlearn_core.records.policy import Band

POLICY = read_params(ROOT).policy
BAND = Band(
    measurement="accuracy.test.forget",
    below=0.1,
    above=0.1,
    below_means="over_forgotten",
    above_means="under_forgotten",
)
VIEW = ("test", "forget")


def answers(**unlearned):
    """Return what was measured of models that are right about so much of a class."""
    evaluated = {name: measured(name, forget) for name, forget in unlearned.items()}
    original, retrained = measured("original", 0.9), (measured("retrained", 0.05),)
    return Measured(
        target="cat", scope="classes", original=original, retrained=retrained, unlearned=evaluated
    )


def outputs(samples=MOST_FEATURES + 7):
    torch.manual_seed(0)
    return {VIEW: Outputs(torch.randn(samples, 3), torch.randn(samples, 8), torch.arange(samples) % 3)}


def test_a_kept_answer_is_judged_by_whatever_policy_asks(tmp_path):
    keep(tmp_path / "cat", answers(close=0.1, far=0.3), outputs())
    (found,) = all_kept(tmp_path)
    asked = {}
    for above in (0.1, 0.3):
        band = BAND.model_copy(update={"above": above})
        verdicts = found.verdicts(POLICY.model_copy(update={"classes": (band,)}))
        asked[above] = {name: verdict.verdict for name, verdict in verdicts.items()}
    assert asked[0.1] == {"original": "under_forgotten", "close": "passes", "far": "under_forgotten"}
    assert asked[0.3] == {"original": "under_forgotten", "close": "passes", "far": "passes"}


def test_methods_that_are_measured_later_join_those_of_the_same_models(tmp_path):
    for one in (answers(svd=0.1), answers(pgu=0.2), answers(svd=0.3)):
        keep(tmp_path, one, outputs())
    found = read_measured(tmp_path)
    values = {name: one.find("accuracy.test.forget") for name, one in found.unlearned.items()}
    assert values == {"svd": 0.3, "pgu": 0.2}
    other = answers(unsir=0.1).model_copy(update={"retrained": (measured("another", 0.0),)})
    keep(tmp_path, other, outputs())
    assert set(read_measured(tmp_path).unlearned) == {"unsir"}


def test_what_a_retrained_model_says_is_kept_in_few_bytes(tmp_path):
    keep(tmp_path, answers(), outputs())
    (view, kept), (_, said) = *read_outputs(tmp_path).items(), *outputs().items()
    assert view == VIEW
    torch.testing.assert_close(kept.logits, said.logits, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(kept.features, said.features[:MOST_FEATURES], rtol=1e-3, atol=1e-3)
    assert torch.equal(kept.labels, said.labels)


@pytest.mark.skipif(not KEPT.is_dir(), reason="no answers are committed")
def test_the_committed_answers_give_the_committed_verdicts():
    rows = json.loads((KEPT.parent / "quality_cifar10.json").read_text())["rows"]
    committed = {(row["target"], row["method"]): row for row in rows if row.get("behaves")}
    found = {
        (one.target, name): verdict for one in all_kept() for name, verdict in one.verdicts(POLICY).items()
    }
    assert found.keys() >= committed.keys()
    for place, row in committed.items():
        assert (found[place].verdict, found[place].removal) == (row["behaves"], row["removed"]), place


@pytest.mark.skipif(not KEPT.is_dir(), reason="no answers are committed")
def test_the_committed_answers_are_small_and_agree_with_what_was_measured():
    folders = [path.parent for path in KEPT.glob("*/measured.json")]
    assert sum(path.stat().st_size for path in KEPT.rglob("*")) <= 20 * 2**20
    for folder in folders:
        (retrained,) = read_measured(folder).retrained
        for view, said in read_outputs(folder).items():
            if (value := retrained.find(f"accuracy.{'.'.join(view)}")) is not None:
                assert said.correct().mean() == pytest.approx(value, abs=0.01), (folder.name, view)
