"""What is promised of the gate and of the attack with shadow models: held by the committed results."""

import json
from pathlib import Path

import pytest

from benchmarks import calibrated
from benchmarks.calibration import SEEDS, SIZING, summarise
from benchmarks.shadows import CANARIES, PAIRS
from tasks.checkout.params import read_params

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture(scope="module")
def calibration():
    return json.loads((RESULTS / "calibration.json").read_text())


@pytest.fixture(scope="module")
def attacks():
    rows = json.loads((RESULTS / "shadows_digits.json").read_text())["rows"]
    return {row["model"]: row["measured"] for row in rows}


@pytest.mark.parametrize("kind", ["all", "classes", "samples"])
def test_retrained_models_pass_and_models_that_forgot_nothing_do_not(calibration, kind):
    rates = calibration if kind == "all" else calibration[kind]
    assert rates["retrained_n"] >= 20
    assert rates["original_n"] >= 20
    assert rates["retrained_pass_rate"] >= 0.9
    assert rates["original_pass_rate"] == 0


def test_the_rates_are_those_of_the_rows(calibration):
    rates = json.loads(json.dumps(summarise(calibration["rows"])))
    assert {name: calibration[name] for name in rates} == rates


def test_no_model_was_judged_that_the_bands_were_sized_on(calibration):
    assert {row["seed"] for row in calibration["rows"]} == set(SEEDS)
    assert not set(SEEDS) & set(SIZING)


def test_the_policy_that_was_calibrated_is_the_projects_own(calibration):
    assert calibration["policy"] == read_params(ROOT).policy.digest


def test_the_attack_finds_what_the_original_remembers(attacks):
    assert attacks["original"]["ulira.auc"]["value"] >= 0.9
    assert attacks["original"]["ulira.auc"]["samples"] == CANARIES
    assert attacks["original"]["ulira.shadows"]["value"] == PAIRS


def test_the_attack_is_at_a_loss_with_retrained_models(attacks):
    retrained = {model: found["ulira.auc"] for model, found in attacks.items() if "retrain" in model}
    assert len(retrained) == 6
    at_a_loss = [auc["low"] <= 0.5 <= auc["high"] for auc in retrained.values()]
    assert all((auc["high"] - auc["low"]) / 2 <= 0.15 for auc in retrained.values())
    assert at_a_loss[0]
    assert sum(at_a_loss) >= len(at_a_loss) - 1  # intervals of 95 %: one of six may miss


@pytest.fixture(scope="module")
def left_out():
    return json.loads((RESULTS / "calibrated_digits.json").read_text())


def test_bands_hold_retrained_models_of_requests_that_were_left_out(left_out):
    (classes,) = [kind for kind in left_out["kinds"] if kind["kind"] == "classes"]
    assert (classes["pseudo_requests"], classes["trainings"]) == (10, 10)
    assert classes["retrained_pass_rate"] >= 0.9
    assert classes["original_pass_rate"] == 0


def test_the_rates_of_left_out_requests_are_those_of_the_rows(left_out):
    for kind in left_out["kinds"]:
        rows = [row for row in left_out["rows"] if row["kind"] == kind["kind"]]
        found = json.loads(json.dumps(calibrated.summarise(rows)))
        assert {name: kind[name] for name in found} == found
