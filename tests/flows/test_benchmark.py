"""``lethe benchmark`` in a real checkout: what it runs, keeps and writes, and what it leaves alone."""

import json
import shutil

import pytest
from templates import prepared_checkout
from world import NOISE, files_of, lethe

from flows.cli.benchmark import agrees_to_run, tell_forecast
from flows.cli.reference import ASK_ABOVE_S
from tasks.benchmarking import runs
from tasks.benchmarking.cases import MOST_CLASSES, Asked, plan_cases
from tasks.benchmarking.scratch import scratch
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_params, write_params
from tasks.data.datasets import read_manifest
from tasks.references.plan import plan_references
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import ModelError, RequestError
from unlearn_core.ranking import AVERAGE_GAP
from unlearn_core.records.benchmark import BenchmarkReport, Forecast

pytestmark = [*NOISE, pytest.mark.long]

ASKED = ("benchmark", "--class", "3", "--random", "20", "--seeds", "2")
METHODS = ("--method", "svd", "--method", "finetune")
RUNS = 2 * 3 + 2 * 2
"""Two seeds of a class, with the original and two methods, and of samples, which svd cannot forget."""


@pytest.fixture(scope="module")
def compared(own_folders, tmp_path_factory):
    """A checkout with a parent, after the command: what was there before, and what it printed."""
    root = prepared_checkout(tmp_path_factory.mktemp("benchmark") / "project")
    before = own_files(root)
    code, out, err = lethe(root, *ASKED, *METHODS, "--json")
    assert code == 0, err
    return root, before, BenchmarkReport.parse(out), err


def own_files(root):
    """Return every file of the checkout but those of caches and of MLflow."""
    found = files_of(root)
    return {
        path: content
        for path, content in found.items()
        if not any(f"{root}/{name}" in path for name in (".lethe", ".git/", "mlruns"))
    }


def kept(root):
    """Return when each row and each retrained model was written."""
    folders = (root / ".lethe" / "benchmark" / "rows", root / ".lethe" / "references")
    return {p: p.stat().st_mtime_ns for folder in folders for p in folder.rglob("*") if p.is_file()}


def test_the_checkouts_own_request_models_and_settings_stay_as_they_are(compared):
    root, before, *_ = compared
    assert own_files(root) == before


def test_every_case_has_a_row_per_method_that_can(compared):
    _, _, report, _ = compared
    board = report.leaderboard
    assert len(board.rows) == report.forecast.runs == RUNS
    assert {(one.kind, one.method, one.cases) for one in board.standings} == {
        *(("class", name, 2) for name in ("original", "svd", "finetune")),
        *(("random", name, 2) for name in ("original", "finetune")),
    }
    assert {one.method: one.origin and one.origin.source for one in board.standings} == {
        "original": None,
        "svd": "given",
        "finetune": "given",
    }
    assert all(one.average_gap.samples == 2 and one.average_gap.low is not None for one in board.standings)


def test_every_row_stands_beside_the_model_retrained_for_its_seed_and_set(compared):
    _, _, report, _ = compared
    references = {(row.forget.name, row.seed): row.reference for row in report.leaderboard.rows}
    assert len(set(references.values())) == len(references) == 4
    assert all(row.retrained[AVERAGE_GAP] == 0 for row in report.leaderboard.rows)
    assert all(row.retraining_seconds > 0 for row in report.leaderboard.rows)


def test_the_retrained_models_are_those_of_lethe_reference(compared):
    root, *_ = compared
    case, *_ = plan_cases(Checkout(root), Asked(classes=("3",)), seeds=1, base=0)
    with scratch(Checkout(root), case) as place:
        plan = plan_references(place, read_params(root).run, count=3, shadows=0)
    assert [plan.wanted[name].title for name in plan.missing] == ["retrained 3"]


def test_forgetting_nothing_is_further_from_retrained_than_forgetting(compared):
    _, _, report, _ = compared
    gaps = {(one.kind, one.method): one.average_gap.value for one in report.leaderboard.standings}
    assert gaps["class", "svd"] < gaps["class", "original"]


def test_all_pages_are_written_and_in_mlflow(compared):
    root, _, report, _ = compared
    names = {"leaderboard.md", "leaderboard.html", "leaderboard.json", "leaderboard.csv", "rows.csv"}
    assert {(root / page).name for page in report.pages if (root / page).is_file()} == names
    client = tracking_of(Checkout(root)).client
    run = client.get_run(report.run)
    assert {entry.path for entry in client.list_artifacts(report.run)} == names
    best = report.leaderboard.standings[0]
    assert run.data.metrics[f"class.{best.method}.average_gap.mean"] == best.average_gap.value
    assert (run.info.status, run.data.params["seeds"]) == ("FINISHED", "2")


def test_nothing_is_left_of_the_cases_folders(compared):
    root, *_ = compared
    assert list((root / ".lethe" / "benchmark" / "scratch").glob("*")) == []


def test_the_same_command_again_runs_nothing_and_is_the_same_run(compared):
    root, _, report, _ = compared
    before = kept(root)
    code, out, err = lethe(root, *ASKED, *METHODS, "--json")
    again = BenchmarkReport.parse(out)
    assert (code, kept(root)) == (0, before)
    assert "nothing to run" in err
    assert (again.leaderboard, again.run) == (report.leaderboard, report.run)


def test_a_dry_run_counts_what_more_would_take_and_runs_nothing(compared):
    root, *_ = compared
    before = kept(root)
    code, out, err = lethe(root, *ASKED[:-1], "3", *METHODS, "--dry-run", "--json")
    report = BenchmarkReport.parse(out)
    assert (code, report.leaderboard, kept(root)) == (0, None, before)
    assert (report.forecast.references, report.forecast.references_there) == (6, 4)
    assert (report.forecast.runs, report.forecast.runs_there) == (RUNS + 5, RUNS)
    assert report.forecast.seconds > 0
    assert "4 of 6 exist" in err


def test_a_method_that_fails_is_a_row_with_its_reason(compared, monkeypatch, tmp_path):
    root, *_ = compared

    def fail(_layout, method, _run, **_named):
        raise ModelError(f"{method.name} | had no luck")

    monkeypatch.setattr(runs, "attempt", fail)
    changed = tmp_path / "elsewhere"
    code, out, _ = lethe(
        root, "benchmark", "--class", "3", "--seeds", "1", "--method", "retrain", "--output", str(changed)
    )
    assert code == 0
    assert "1 failed" in out
    assert r"retrain \| had no luck" in (changed / "leaderboard.md").read_text()


def test_another_setting_is_another_row(compared):
    root, *_ = compared
    text = (root / "params.yaml").read_text()
    try:
        write_params(
            root, {"methods": {"svd": {"grid_r": [10.0], "grid_f": [3.0]}, "finetune": {}, "retrain": {}}}
        )
        _, out, _ = lethe(root, *ASKED, *METHODS, "--dry-run", "--json")
    finally:
        (root / "params.yaml").write_text(text)
    # Of the class with svd two rows, and of both sets with finetune four.
    assert BenchmarkReport.parse(out).forecast.runs_there == RUNS - 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--class", "dog"), "unknown class: dog"),
        (("--random", "99999"), "to draw from"),
        (("--subject", "nobody"), "unknown subject: nobody"),
        (("--method", "magic"), "there is no method 'magic'"),
    ],
)
def test_what_cannot_be_compared_is_refused(compared, options, words):
    root, *_ = compared
    code, out, err = lethe(root, "benchmark", *options, "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2)
    assert words in err


def test_without_a_parent_it_says_what_to_do(compared, tmp_path):
    root, *_ = compared
    shutil.copytree(root / ".git", tmp_path / ".git")
    for path in (*root.glob("*.yaml"), *root.glob("lethe.json")):
        shutil.copy(path, tmp_path)
    code, _, err = lethe(tmp_path, "benchmark")
    assert (code, "run `lethe train` first" in err) == (2, True)


def test_every_class_is_forgotten_by_itself_unless_somebody_says_which(compared):
    root, *_ = compared
    cases = plan_cases(Checkout(root), Asked(), seeds=2, base=0)
    assert [case.forget.name for case in cases] == 2 * [f"class {digit}" for digit in range(MOST_CLASSES)]
    assert len({case.folder for case in cases}) == 20


def test_every_seed_draws_its_own_samples_and_the_same_ones_again(compared):
    root, *_ = compared
    asked = Asked(random=(20,))
    first, second = plan_cases(Checkout(root), asked, seeds=2, base=0)
    assert first.split.forget_rows != second.split.forget_rows
    assert (len(first.split.forget_rows), first.split.classes) == (20, ())
    assert plan_cases(Checkout(root), asked, seeds=1, base=0) == (first,)
    assert set(read_manifest(Checkout(root).dataset).splits[list(first.split.forget_rows)]) == {"train"}


def test_a_person_is_never_named_on_a_page(compared):
    root, *_ = compared
    (case,) = plan_cases(Checkout(root), Asked(subjects=("subject-0003",)), seeds=1, base=0)
    assert "0003" not in case.forget.name + case.folder
    assert case.split.forgotten == ()


def test_too_few_samples_are_refused(compared):
    root, *_ = compared
    with pytest.raises(RequestError, match="0 random samples"):
        plan_cases(Checkout(root), Asked(random=(0,)), seeds=1, base=0)


LONG = Forecast(cases=4, references=4, references_there=1, runs=8, runs_there=2, seconds=ASK_ABOVE_S + 1.0)


def test_a_forecast_tells_all_that_it_will_take():
    assert tell_forecast(LONG).splitlines() == [
        "4 cases",
        "  retrained models  1 of 4 exist",
        "  runs of methods   2 of 8 exist",
        "  time              at most about 5 min",
    ]


@pytest.mark.parametrize(
    ("terminal", "options", "seconds", "expected"),
    [
        (True, {}, ASK_ABOVE_S + 1, (True, False)),
        (True, {}, ASK_ABOVE_S - 1, (False, True)),
        (True, {"yes": True}, ASK_ABOVE_S + 1, (False, True)),
        (False, {}, ASK_ABOVE_S + 1, (False, True)),
        (True, {"dry_run": True}, ASK_ABOVE_S + 1, (False, False)),
    ],
)
def test_a_person_is_asked_about_what_takes_long(monkeypatch, terminal, options, seconds, expected):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal)
    monkeypatch.setattr("typer.confirm", lambda *_text, **_named: asked.append("asked"))
    foreseen = LONG.model_copy(update={"seconds": float(seconds)})
    said = agrees_to_run(foreseen, **{"dry_run": False, "yes": False, **options})
    assert (bool(asked), bool(said)) == expected
