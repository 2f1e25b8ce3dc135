"""``lethe benchmark --adversaries`` in a real checkout: verdicts, exit codes, and what is kept."""

import json
import re

import pytest
import torch
from templates import prepared_checkout
from world import ANYTHING, FORGOTTEN, NOISE, ROOT, SMALL, lethe

from flows import challenge
from flows.cli.challenge_table import PASSED, tell_challenge
from tasks.benchmarking.adversaries import exposed_materials
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.computing.materials import views
from tasks.data.pool import Pool
from unlearn_core.adversaries.suite import SUITE, adversaries_for
from unlearn_core.conformance import toy
from unlearn_core.records.challenge import ChallengeReport, ChallengeRow, JudgedClaim
from unlearn_core.tuning import accuracy

pytestmark = [*NOISE]

FEW = ("suppression", "mixing_signs")
COMMAND = ("benchmark", "--adversaries", "--variants", "2", "--json")
HIDDEN = {
    "measurement": "neighbour_leakage.original.train.forget",
    "below": 0.01,
    "above": 1.0,
    "below_means": "under_forgotten",
    "above_means": "over_forgotten",
}


@pytest.fixture(scope="module")
def challenged(own_folders, tmp_path_factory):
    """A checkout whose gate asks for accuracy alone, after two seeds of two adversaries."""
    root = prepared_checkout(tmp_path_factory.mktemp("challenge") / "project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(challenge, "adversaries_for", lambda _scope: {name: SUITE[name] for name in FEW})
        code, out, err = lethe(root, *COMMAND)
        assert out, err
        yield root, code, ChallengeReport.parse(out), err


def kept(root):
    return {path: path.stat().st_mtime_ns for path in (root / ".lethe" / "adversaries").glob("*.json")}


@pytest.mark.long
def test_an_adversary_that_passes_is_an_alarm(challenged):
    _, code, report, err = challenged
    assert code == PASSED == 7
    assert [(row.model, row.variant) for row in report.adversaries] == [
        (name, variant) for name in FEW for variant in (0, 1)
    ]
    assert [row.model for row in report.passed] == [row.model for row in report.adversaries]
    assert all(row.forgotten < 0.05 and row.retained > 0.5 for row in report.adversaries)
    original, retrained = report.models
    assert (original.model, original.passes) == ("original", False)
    assert (retrained.model, retrained.passes) == ("retrained", True)
    assert "[4/4] mixing_signs 2" in err


@pytest.mark.long
def test_every_seed_is_a_variant_with_what_was_drawn(challenged):
    _, _, report, _ = challenged
    drawn = [row.method for row in report.adversaries]
    assert len({json.dumps(method) for method in drawn}) == len(drawn)
    assert all(method["lowered_by"] for method in drawn)


@pytest.mark.long
def test_a_stricter_gate_refuses_what_is_kept_without_making_it_again(challenged):
    root, *_ = challenged
    before = kept(root)
    assert len(before) == 4
    write_params(root, {"policy": {**SMALL["policy"], "classes": [FORGOTTEN, HIDDEN]}})
    code, out, _ = lethe(root, *COMMAND)
    report = ChallengeReport.parse(out)
    verdicts = {row.model: (row.claims[0].verdict, row.exposed_by) for row in report.adversaries}
    assert verdicts["suppression"] == ("under_forgotten", (HIDDEN["measurement"],))
    assert kept(root) == before
    assert (code == PASSED) == bool(report.passed)
    write_params(root, {"policy": {**SMALL["policy"], "classes": [{**ANYTHING, "above": 0.0}]}})
    code, out, _ = lethe(root, *COMMAND[:2])
    assert kept(root) == before
    assert "retrained" in out
    write_params(root, {"policy": SMALL["policy"]})


@pytest.mark.long
def test_an_adversary_is_given_the_audit_images_of_the_class_and_no_test_image(challenged):
    root, *_ = challenged
    pool = Pool(Checkout(root), torch.device("cpu"))
    found, seen = exposed_materials(Checkout(root), pool), views(Checkout(root), pool)
    assert torch.equal(found.tuning.forget.inputs, seen["audit", "forget"].inputs)
    given = torch.cat([found.tuning.forget.inputs, found.tuning.retain.inputs]).flatten(1)
    unseen = seen["test", "forget"].inputs.flatten(1)
    assert torch.cdist(unseen, given).amin() > 0
    assert set(found.classes) < set(found.tuning.retain.labels.tolist())


@pytest.mark.long
def test_an_adversary_in_params_is_refused(challenged):
    root, *_ = challenged
    text = (root / "params.yaml").read_text()
    try:
        write_params(root, {"methods": {**SMALL["methods"], "mixing": {}}})
        code, _, err = lethe(root, "benchmark", "--dry-run")
    finally:
        (root / "params.yaml").write_text(text)
    assert (code, "mixing only pretends to forget" in err) == (2, True)


@pytest.mark.parametrize("options", [("--class", "3"), ("--method", "svd"), ("--dry-run",)])
def test_options_for_methods_are_refused_beside_it(tmp_path, options):
    code, out, err = lethe(tmp_path, "benchmark", "--adversaries", *options, "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
    assert "leave out the options" in err


@pytest.mark.slow
def test_the_whole_suite_runs_on_digits(own_folders, tmp_path, monkeypatch):
    monkeypatch.setattr(challenge, "adversaries_for", adversaries_for)
    root = prepared_checkout(tmp_path / "project")
    code, out, _ = lethe(root, "benchmark", "--adversaries", "--json")
    report = ChallengeReport.parse(out)
    rows = {row.model: row for row in report.adversaries}
    assert code == PASSED
    assert set(rows) == set(SUITE)
    assert [row.failed for row in rows.values() if row.failed] == []
    assert rows["recognition"].unseen > rows["recognition"].forgotten + 0.3


def row(model, verdict="passes", *, variant=0, exposed_by=(), removed=None):
    claims = [JudgedClaim(claim="behaves", verdict=verdict, reason="because")]
    claims += [JudgedClaim(claim="removed", verdict=removed, reason="because")] if removed else []
    return ChallengeRow(
        model=model,
        variant=variant,
        retained=0.9,
        forgotten=0.0,
        unseen=None,
        claims=tuple(claims),
        exposed_by=exposed_by,
        passes=all(claim.verdict == "passes" for claim in claims),
    )


def report_of(*adversaries, variants=1):
    return ChallengeReport(
        request="r-17",
        policy="sha256:" + 64 * "0",
        level="E1",
        variants=variants,
        models=(row("original", "under_forgotten"),),
        adversaries=adversaries,
    )


def test_the_table_says_what_exposes_each_in_plain_words(capsys):
    hidden = row("suppression", "under_forgotten", exposed_by=("accuracy.test.forget",))
    failed = ChallengeRow(model="mixing_signs", failed="the net has no head")
    said = tell_challenge(report_of(hidden, failed))
    shown = " ".join(re.sub(r"[│┃]", " ", capsys.readouterr().out).split())
    assert said == "None of 2 adversaries passes the gate."
    assert "suppression 90.0 0.0 – under-forgotten Right answers" in shown
    assert "not made: the net has no head" in shown


def test_of_several_seeds_it_says_how_many_passed(capsys):
    rows = [
        row("mixing_signs", variant=0, removed="passes"),
        row("mixing_signs", variant=1, removed="under_forgotten"),
    ]
    said = tell_challenge(report_of(*rows, variants=2))
    shown = " ".join(re.sub(r"[│┃]", " ", capsys.readouterr().out).split())
    assert said.startswith("ALARM: ")
    assert "mixing_signs (1 of 2)" in said
    assert "mixing_signs × 2" in shown
    assert "2 passes" in shown
    assert "1 passes, 1 under-forgotten" in shown


@pytest.mark.long
def test_the_example_for_another_gate_runs():
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "adversaries.md").read_text(), re.DOTALL)
    full = toy.materials("classes")
    few = full.forget.subset(torch.arange(20))
    namespace = {
        "model": toy.parent(),
        "make_net": toy.untrained,
        "gate": lambda model: accuracy(model, few) < 0.05,
        **{f"forget_{part}": value for part, value in (("images", few.inputs), ("labels", few.labels))},
        **{
            f"retain_{part}": value
            for part, value in (("images", full.retain.inputs), ("labels", full.retain.labels))
        },
        "judged_images": full.tuning.forget.inputs,
        "judged_labels": full.tuning.forget.labels,
        "other_images": full.tuning.retain.inputs,
        "other_labels": full.tuning.retain.labels,
    }
    exec(example, namespace)
    assert {"suppression", "bias_shift", "recognition", "long_ascent"} <= namespace["passed"] <= set(SUITE)
