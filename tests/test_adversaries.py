"""The evaluation exposes bad unlearning: held by committed results and, if asked to, by a run on digits."""

import json
from typing import Any

import pytest
from adversaries_page import PAGE, RESULTS, adversaries_page

from benchmarks.adversaries import RETRAINED, SETTINGS, Settings, judged, measure
from benchmarks.metric_costs import on_digits
from tasks.checkout.params import read_yaml
from unlearn_core.metrics import CATALOGUE
from unlearn_core.records.policy import Band

OWN = read_yaml(SETTINGS, Settings)
RELEARN = Band(
    measurement="relearn.ratio",
    below=0.9,
    above=1.0,
    below_means="under_forgotten",
    above_means="over_forgotten",
)
"""On digits, where two retrained models need 0.76 to 1.32 times one another's steps."""
NOT_OBSERVED = {"ulira", "epsilon", "klom", "canary", "interclass_confusion"}
"""Metrics that need several models, or records that were planted or mislabelled."""
YOUNGER = {"recovery"}
"""Metrics that the committed results are older than."""

# In the committed results, which are of before the suite, the ascent has its method's name.
HIDDEN = "neighbour_leakage.original.train.forget"
"""What tells a model that hides a class: as far from the original as a retrained model is, or not at all."""

Rows = dict[str, dict[str, Any]]


def check(rows: Rows) -> None:
    """Hold the models of one class against what is promised of the evaluation."""
    assert rows["original"]["verdict"] == "under_forgotten"
    assert {rows[name]["verdict"] for name in RETRAINED if name in rows} == {"passes"}
    check_suppression(rows)
    check_ascent(rows["long_ascent" if "long_ascent" in rows else "gradient_ascent"])


def check_suppression(rows: Rows) -> None:
    """A lowered logit: no accuracy tells; what it says of other classes does, and how fast it relearns."""
    row = rows["suppression"]
    retrained = [rows[name]["measured"]["relearn.ratio"] for name in RETRAINED if name in rows]
    assert row["measured"]["accuracy.train.forget"] == row["measured"]["accuracy.audit.forget"] == 0
    assert not [name for name in row["outside"] if name.startswith("accuracy")]
    assert row["measured"]["relearn.ratio"] < min(retrained) / 10
    assert row["outside"][HIDDEN] == row["verdict"] == "under_forgotten"


def check_ascent(row: dict[str, Any]) -> None:
    """A ruined model: everything is forgotten, and more."""
    assert row["measured"]["accuracy.train.forget"] == 0
    assert row["outside"]["accuracy.audit.retain"] == row["verdict"] == "over_forgotten"


def committed(target: str) -> Rows:
    rows = json.loads((RESULTS / "adversaries_cifar10.json").read_text())["rows"]
    return {row["model"]: row for row in rows if row["target"] == target}


@pytest.mark.parametrize("target", OWN.targets)
def test_the_committed_results_expose_bad_unlearning(target):
    check(committed(target))


@pytest.mark.parametrize("target", OWN.targets)
def test_every_model_was_measured_by_every_metric_that_applies(target):
    expected = {metric().name for metric in CATALOGUE} - NOT_OBSERVED - YOUNGER
    names = {"js": "divergence", "mia": "membership"}
    for row in committed(target).values():
        heads = {name.split(".")[0] for name in row["measured"]}
        assert expected <= {names.get(head, head) for head in heads}, row["model"]


@pytest.mark.parametrize("target", OWN.targets)
def test_the_committed_verdicts_are_those_that_the_gate_gives_now(target):
    rows = list(committed(target).values())
    for before, now in zip(rows, judged(rows, OWN.policy()), strict=True):
        assert (before["verdict"], before["outside"]) == (now["verdict"], now["outside"]), now["model"]


def test_the_page_of_adversaries_is_current():
    assert PAGE.read_text() == adversaries_page(), "run: make docs"


@pytest.mark.slow
def test_bad_unlearning_of_a_digit_is_exposed(tmp_path):
    bands = tuple(RELEARN if band.measurement == RELEARN.measurement else band for band in OWN.bands)
    settings = Settings(**{**dict(OWN), "targets": {"3": 2}, "honest": (), "bands": bands})
    rows = judged(measure(on_digits(tmp_path), "3", settings), settings.policy())
    check({row["model"]: row for row in rows})
