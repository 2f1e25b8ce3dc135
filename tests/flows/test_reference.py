"""``lethe reference``: what it builds, reuses, pins and says, and what it leaves alone."""

import json
import shutil
import subprocess

import pytest
from retraining import gate_reference
from templates import prepared_checkout
from world import NOISE, files_of, lethe, run

import flows.reference
from flows.cli.reference import ASK_ABOVE_S, agrees_to_train, tell_estimate, time_in_words
from flows.reference import STAGES
from flows.stages.pipeline import run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_params
from tasks.references import building, estimating
from tasks.references.retrained import references_of
from unlearn_core.records.reference import BuildEstimate, ReferenceReport

pytestmark = [*NOISE, pytest.mark.long]

ASKED = ("reference", "--count", "2", "--shadows", "1")
LONG = BuildEstimate(models=2, finished=0, at_once=1, seconds=ASK_ABOVE_S + 1.0, seconds_each=200.0)


@pytest.fixture(scope="module")
def built(prefect_server, tmp_path_factory):
    """A checkout that had the gate's reference in its cache, after the command: and what that printed."""
    root = prepared_checkout(tmp_path_factory.mktemp("reference") / "project")
    for stage, function in STAGES.items():
        run_due(Checkout(root), stage, function)
    gate = gate_reference(Checkout(root), read_params(root).run, "build")
    assert gate is not None
    code, out, err = lethe(root, *ASKED, "--json")
    assert code == 0, err
    return root, gate, ReferenceReport.parse(out), err


def found(root):
    return references_of(Checkout(root), read_params(root).run)


def test_what_was_missing_is_built_and_what_the_gate_had_is_taken_over(built):
    root, gate, report, _ = built
    assert (report.estimate.models, report.estimate.finished) == (3, 1)
    assert report.took is not None
    assert len(report.took.built) == 2
    assert gate.name not in report.took.built
    assert not gate.exists()
    assert gate_reference(Checkout(root), read_params(root).run, "cached") == (
        root / "models" / "references" / gate.name
    )


def test_the_models_of_the_request_are_there_for_evaluation(built):
    root, gate, report, _ = built
    references = found(root)
    assert references.retrained[0].name == gate.name
    assert len(references.retrained) == report.holdings.retrained == 2
    assert [pair.without.name for pair in references.pairs] == [gate.name]
    assert (report.holdings.pairs, report.holdings.level) == (1, "E1")


def test_the_estimate_comes_first_and_stands_beside_what_it_took(built):
    _, _, report, err = built
    assert "1 of 3 models are finished, 2 to train" in err
    assert err.index("2 to train") < err.index("✓ retrained 2")
    took, estimate = report.took, report.estimate
    assert min(took.seconds, estimate.seconds, took.memory_mib, took.disk_mib) > 0
    assert estimate.memory_mib <= estimate.memory_available_mib
    assert took.disk_mib == pytest.approx(estimate.disk_mib, rel=0.1)


def test_every_model_is_pinned_and_git_is_offered_the_pins_alone(built):
    root, _, report, _ = built
    names = {folder.name for folder in (root / "models" / "references").iterdir() if folder.is_dir()}
    assert len(names) == report.estimate.models
    subprocess.run(["git", "-C", str(root), "add", "models/references"], check=True)
    offered = subprocess.run(
        ["git", "-C", str(root), "diff", "--cached", "--name-only"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(offered.stdout.split()) == {f"models/references/{name}.dvc" for name in names}


def test_a_lost_model_comes_back_from_dvc_as_it_was(built):
    root, gate, _, _ = built
    home = root / "models" / "references" / gate.name
    before = files_of(home)
    shutil.rmtree(home)
    assert len(found(root).retrained) == 1
    done = run(root, "dvc", "checkout", f"models/references/{gate.name}.dvc")
    assert done.returncode == 0, done.stderr
    assert files_of(home) == before
    assert len(found(root).retrained) == 2


def written(root):
    """Return when each file of each model was written."""
    return {path: path.stat().st_mtime_ns for path in (root / "models" / "references").glob("*/*")}


def test_the_same_command_again_trains_nothing(built):
    root, *_ = built
    before = written(root)
    code, out, err = lethe(root, *ASKED)
    assert (code, written(root)) == (0, before)
    assert "3 of 3 models are finished; nothing to train" in err
    assert "level E1 is possible" in out
    assert out.endswith("trained      nothing\n")


def test_a_dry_run_says_what_more_would_take_and_trains_nothing(built):
    root, *_ = built
    before = written(root)
    code, out, _ = lethe(root, "reference", "--count", "3", "--dry-run", "--json")
    report = ReferenceReport.parse(out)
    assert (code, report.took, report.estimate.finished) == (0, None, 2)
    assert report.estimate.seconds > 0
    assert written(root) == before


def test_a_disk_that_is_too_small_is_refused(built, monkeypatch):
    root, *_ = built
    monkeypatch.setattr(estimating, "disk_free_mib", lambda _folder: 0.1)
    code, out, err = lethe(root, "reference", "--count", "3", "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
    assert "0 MiB are free" in err
    assert len(found(root).retrained) == 2


def test_failed_trainings_are_named_and_have_an_exit_code(built, monkeypatch):
    root, *_ = built
    before = written(root)
    enough = BuildEstimate(models=3, finished=2, at_once=1)
    monkeypatch.setattr(flows.reference, "estimate_building", lambda *_arguments, **_named: enough)
    monkeypatch.setattr(building, "TRAINING_PROCESS", "no_luck")
    code, _, err = lethe(root, "reference", "--count", "3")
    assert code == 4
    assert "1 of 1 trainings failed; the others are finished and kept" in err
    assert "retrained 3" in err
    assert "no_luck" in err
    assert written(root) == before


@pytest.mark.parametrize(
    ("terminal", "options", "seconds", "expected"),
    [
        (True, {}, ASK_ABOVE_S + 1, ("asked", False)),
        (True, {}, ASK_ABOVE_S - 1, (None, True)),
        (True, {"yes": True}, ASK_ABOVE_S + 1, (None, True)),
        (False, {}, ASK_ABOVE_S + 1, (None, True)),
        (True, {"dry_run": True}, ASK_ABOVE_S + 1, (None, False)),
        (False, {"dry_run": True, "yes": True}, ASK_ABOVE_S - 1, (None, False)),
    ],
)
def test_a_person_is_asked_about_what_takes_long(monkeypatch, terminal, options, seconds, expected):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal)
    monkeypatch.setattr("typer.confirm", lambda *_text, **_named: asked.append("asked"))
    estimate = LONG.model_copy(update={"seconds": float(seconds)})
    said = agrees_to_train(estimate, **{"dry_run": False, "yes": False, **options})
    assert (asked[0] if asked else None, bool(said)) == expected


def test_an_estimate_tells_all_that_it_will_take():
    estimate = LONG.model_copy(
        update={"memory_mib": 700.0, "memory_available_mib": 9000.0, "disk_mib": 171.0, "disk_free_mib": 5e4}
    )
    assert tell_estimate(estimate).splitlines() == [
        "0 of 2 models are finished, 2 to train, 1 at a time",
        "  time    about 5 min, 3 min each",
        "  memory  700 MiB of 9000 MiB available",
        "  disk    171 MiB of 50000 MiB free, with DVC's copies",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "1 h 0 min"), (3600 * 30, "30 h 0 min")],
)
def test_a_time_is_said_as_people_say_it(seconds, said):
    assert time_in_words(seconds) == said
