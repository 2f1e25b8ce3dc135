import csv
import io
import os
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.checkout.tags import Tag
from tasks.tracking.attempts import coverage_table, log_attempt, log_evaluation
from tasks.tracking.runs import (
    comparison_run,
    deletion_run,
    end_run,
    log_dataset_input,
    log_documents,
    open_tracking,
    set_tags,
    started_at,
    tracking_of,
)
from tasks.tracking.server import serve_ui
from unlearn_core.errors import SetupError
from unlearn_core.records.base import sha256
from unlearn_core.records.deletion import Rung
from unlearn_core.records.evaluation import Cost, Evaluation, Measurement
from unlearn_core.records.policy import Verdict
from unlearn_core.records.result import Coverage, Curve, ParameterCoverage, UnlearningRecord

PARENT, WEIGHTS = sha256(b"parent"), sha256(b"weights")


def attempt_of(**changes):
    method = {"name": "pgu", "alpha": 0.5, "search": {"grid": [1, 2], "by": "tuning"}, "layers": None}
    coverage = Coverage(
        parameters=(
            ParameterCoverage(parameter="conv.weight", treatment="projected", elements=90, share=0.9),
            ParameterCoverage(
                parameter="bn.weight", treatment="frozen", elements=10, share=0.1, reason="a norm, by policy"
            ),
        )
    )
    fields = {
        "method": method,
        "seed": 3,
        "parent": PARENT,
        "weights": WEIGHTS,
        "coverage": coverage,
        "curves": (Curve(name="loss forget", values=(0.5, 0.25, 0.125)),),
    }
    return UnlearningRecord(**(fields | changes))


def logged(run, record=None, value=0.25, **extra):
    measurement = Measurement(name="accuracy.test.forget", value=value, low=0.125, high=0.5, samples=40)
    evaluation = Evaluation(model=WEIGHTS, seed=3, measurements=(measurement,))
    verdict = Verdict(
        verdict="passes",
        reason="inside_bands",
        level="E1",
        decided_by=(),
        findings=(),
        policy=sha256(b"policy"),
    )
    rung = Rung(
        unlearning=record or attempt_of(),
        evaluation=evaluation,
        verdict=verdict,
        accepted=True,
        why="because it is so",
    )
    return log_attempt(run, rung, **extra)


def nested(run):
    query = f"tags.`mlflow.parentRunId` = '{run.id}'"
    return run.tracking.client.search_runs([run.tracking.experiment_id], query)


def artifacts(run, path=None):
    return {entry.path for entry in run.tracking.client.list_artifacts(run.id, path)}


def text(run, path):
    return Path(run.tracking.client.download_artifacts(run.id, path)).read_text()


def read(run):
    return run.tracking.client.get_run(run.id)


def test_the_store_lies_in_the_folder(tracking, mlflow_root):
    experiment = tracking.client.get_experiment(tracking.experiment_id)
    assert experiment.name == "digits"
    assert experiment.artifact_location == (mlflow_root / "mlruns" / "artifacts").as_uri()
    assert (mlflow_root / "mlruns" / "mlflow.db").is_file()


def test_connecting_again_finds_the_same_experiment(tracking, mlflow_root):
    assert open_tracking(mlflow_root, "digits").experiment_id == tracking.experiment_id


def test_the_experiment_is_that_of_the_model_which_params_yaml_names(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    write_params(tmp_path, {"registry": {"model": "insects"}})
    tracking = tracking_of(Checkout(tmp_path))
    assert tracking.client.get_experiment(tracking.experiment_id).name == "insects"


def test_the_environment_may_name_another_store(mlflow_root, monkeypatch, tmp_path):
    address = f"sqlite:///{mlflow_root}/mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert open_tracking(tmp_path, "elsewhere").client.tracking_uri == address
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_deletion_finds_its_run_again(run, key):
    again = deletion_run(run.tracking, request_id="demo", key=key)
    assert again.id == run.id
    assert read(run).info.run_name == "delete demo"


def test_another_deletion_gets_another_run(run):
    other = deletion_run(run.tracking, request_id="demo", key=sha256(b"another scope"))
    assert other.id != run.id


def test_a_comparison_is_beside_the_deletion_and_not_in_it(run, key):
    beside = comparison_run(run.tracking, request_id="demo", key=key)
    assert beside.id != run.id
    assert comparison_run(run.tracking, request_id="demo", key=key) == beside
    assert deletion_run(run.tracking, request_id="demo", key=key) == run


def test_another_process_adds_to_the_same_run(run, key, mlflow_root):
    code = (
        "import sys; from pathlib import Path; from tasks.tracking.runs import *; root, key = sys.argv[1:];"
        "run = deletion_run(open_tracking(Path(root), 'digits'), request_id='demo', key=key);"
        "set_tags(run, {'lethe.stage': 'split'})"
    )
    arguments = [sys.executable, "-c", code, str(mlflow_root), key]
    subprocess.run(arguments, check=True, capture_output=True, cwd=os.getcwd())
    assert read(run).data.tags["lethe.stage"] == "split"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "RUNNING"])
def test_the_caller_says_how_a_run_ended(run, status):
    end_run(run, status)
    assert read(run).info.status == status


def test_a_run_knows_when_it_began(run):
    began = datetime.strptime(started_at(run), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert 1000 * began.timestamp() <= read(run).info.start_time < 1000 * began.timestamp() + 1000


def test_pages_are_not_served_where_the_store_is_a_server(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    with pytest.raises(SetupError, match="open that address"):
        serve_ui(tmp_path, 5000, model="digits", tell=print)


def test_pages_are_not_served_on_a_port_that_is_taken(monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SetupError, match="is taken"):
        serve_ui(tmp_path, taken.getsockname()[1], model="digits", tell=print)


def test_looking_a_run_up_does_not_change_how_it_ended(run, key):
    end_run(run, "FAILED")
    deletion_run(run.tracking, request_id="demo", key=key, tags={"lethe.note": "looked at"})
    assert read(run).info.status == "FAILED"


def test_a_run_does_not_say_who_ran_it(run):
    logged(run)
    for entry in (read(run), *nested(run)):
        assert entry.info.user_id in {"", "unknown"}
        assert "mlflow.user" not in entry.data.tags


def test_a_data_set_is_an_input_with_its_whole_digest(run):
    for _ in range(2):
        log_dataset_input(
            run, name="digits", digest=sha256(b"rows"), source="data/dataset", context="training"
        )
    (entry,) = read(run).inputs.dataset_inputs
    tags = {tag.key: tag.value for tag in entry.tags}
    assert (entry.dataset.name, entry.dataset.digest) == ("digits", sha256(b"rows")[7:43])
    assert tags == {"mlflow.data.context": "training", "lethe.sha256": sha256(b"rows")}


def test_an_attempt_is_nested_and_ended(run):
    attempt = logged(run)
    (entry,) = nested(run)
    assert entry.info.run_id == attempt.id
    assert entry.info.status == "FINISHED"
    assert entry.data.tags["lethe.verdict"] == "passes"
    assert entry.data.tags["lethe.method"] == "pgu"
    assert entry.info.run_name == "✓ behaves · pgu"
    assert r"inside\_bands" in entry.data.tags[Tag.NOTE]


def test_the_params_of_an_attempt_are_its_hyper_parameters_flattened(run):
    params = read(logged(run)).data.params
    expected = {"alpha": "0.5", "search.grid": "[1, 2]", "search.by": "tuning", "layers": "null", "seed": "3"}
    assert params == expected | {"name": "pgu"}


def test_the_metrics_of_an_attempt_are_its_measurements_coverage_and_cost(run):
    cost = Cost(seconds=1.5, peak_memory_mib=64.0, samples_seen=1000)
    metrics = read(logged(run, cost=cost)).data.metrics
    assert metrics["accuracy.test.forget"] == 0.25
    assert (metrics["accuracy.test.forget.low"], metrics["accuracy.test.forget.high"]) == (0.125, 0.5)
    assert (metrics["coverage.projected"], metrics["coverage.unsupported"]) == (0.9, 0.0)
    assert (metrics["cost.seconds"], metrics["cost.samples_seen"]) == (1.5, 1000.0)


def test_a_curve_keeps_its_steps(run):
    history = run.tracking.client.get_metric_history(logged(run).id, "curve.loss forget")
    assert [(entry.step, entry.value) for entry in history] == [(0, 0.5), (1, 0.25), (2, 0.125)]


def test_a_curve_longer_than_one_call_is_logged_whole(run):
    values = tuple(float(step) for step in range(2500))
    attempt = logged(run, attempt_of(curves=(Curve(name="long", values=values),)))
    assert len(run.tracking.client.get_metric_history(attempt.id, "curve.long")) == 2500


def test_names_that_mlflow_refuses_are_made_legal(run):
    attempt = logged(
        run, attempt_of(method={"name": "pgu", "p(x)": 1}, curves=(Curve(name="a%", values=(1.0,)),))
    )
    assert read(attempt).data.params["p_x_"] == "1"
    assert read(attempt).data.metrics["curve.a_"] == 1.0


def test_an_attempt_keeps_its_records_byte_for_byte(run):
    attempt = logged(run)
    assert text(attempt, "unlearning.json").encode() == attempt_of().canonical()
    assert Coverage.parse(text(attempt, "coverage.json")) == attempt_of().coverage
    assert {"evaluation.json", "verdict.json", "coverage.csv"} <= artifacts(attempt)


def test_the_coverage_table_has_a_line_per_parameter():
    rows = list(csv.reader(io.StringIO(coverage_table(attempt_of().coverage))))
    heading = ["parameter", "treatment", "elements", "of them frozen", "share of the model in %", "reason"]
    assert rows[0] == heading
    assert rows[2] == ["bn.weight", "frozen", "10", "10", "10.00", "a norm, by policy"]


def test_buffers_that_moved_have_lines_in_the_coverage_table():
    coverage = Coverage(**{**dict(attempt_of().coverage), "buffers": ("bn.running_mean",)})
    rows = list(csv.reader(io.StringIO(coverage_table(coverage))))
    assert rows[-1] == ["bn.running_mean", "moved", "", "", "", "buffer"]


def test_figures_are_artifacts(run):
    figure = Figure()
    figure.subplots().plot([0, 1])
    assert artifacts(logged(run, figures={"roc": figure}), "figures") == {"figures/roc.png"}


def test_the_same_attempt_twice_is_one_run(run):
    cost = Cost(seconds=1.0, peak_memory_mib=1.0, samples_seen=1)
    first = logged(run, cost=cost)
    again = logged(run, cost=Cost(seconds=2.0, peak_memory_mib=1.0, samples_seen=1))
    assert first == again
    assert len(nested(run)) == 1
    assert read(first).data.metrics["cost.seconds"] == 1.0


def test_an_attempt_that_was_cut_off_is_completed_and_not_doubled(run):
    first = logged(run)
    end_run(first, "RUNNING")
    assert logged(run) == first
    assert len(run.tracking.client.get_metric_history(first.id, "curve.loss forget")) == 3
    assert read(first).info.status == "FINISHED"


def test_the_same_weights_judged_anew_are_another_attempt(run):
    assert logged(run, value=0.25) != logged(run, value=0.5)


def test_the_original_and_the_retrained_model_are_measured_beside_the_attempts(run):
    entry = Measurement(name="accuracy.test.forget", value=0.5)
    evaluation = Evaluation(model=PARENT, seed=3, measurements=(entry,))
    for role in ("original", "retrained", "original"):
        log_evaluation(run, evaluation, role=role, headlines=["accuracy.test.forget"])
    assert read(run).data.metrics == {f"{r}.accuracy.test.forget": 0.5 for r in ("original", "retrained")}
    assert Evaluation.parse(text(run, "evaluations/original.json")) == evaluation


def test_documents_of_a_folder_and_files_are_artifacts(run, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "split-rules.html").write_text("<p>holds</p>")
    (tmp_path / "certificate.json").write_text("{}")
    log_documents(run, tmp_path / "docs", tmp_path / "certificate.json", artifact_path="evidence")
    assert artifacts(run, "evidence") == {"evidence/split-rules.html", "evidence/certificate.json"}


def test_a_run_is_renamed_and_described_with_its_tags_in_one_call(run, monkeypatch):
    calls, log_batch = [], run.tracking.client.log_batch
    monkeypatch.setattr(run.tracking.client, "set_tag", None)
    monkeypatch.setattr(
        run.tracking.client, "log_batch", lambda *some, **named: calls.append(log_batch(*some, **named))
    )
    set_tags(
        run,
        {Tag.RUN_NAME: "✓ behaves · demo · svd", Tag.NOTE: "**Behaves.**", "lethe.verdict": "passes"},
    )
    assert len(calls) == 1
    assert read(run).info.run_name == "✓ behaves · demo · svd"
    assert read(run).data.tags[Tag.NOTE] == "**Behaves.**"


def test_a_run_that_is_found_again_costs_nothing_where_its_tags_are_as_they_should_be(run, key, monkeypatch):
    monkeypatch.setattr(run.tracking.client, "log_batch", None)
    assert deletion_run(run.tracking, request_id="demo", key=key) == run


def test_tags_can_be_added_later(run):
    set_tags(run, {"lethe.certificate": sha256(b"certificate")})
    assert read(run).data.tags["lethe.certificate"] == sha256(b"certificate")


def test_a_second_folder_in_the_same_process_gets_a_store_of_its_own(tmp_path):
    stores = [open_tracking(tmp_path / name, "digits") for name in ("one", "two")]
    runs = [deletion_run(store, request_id="r", key="sha256:" + "0" * 64) for store in stores]
    assert runs[0].id != runs[1].id
    assert [(tmp_path / name / "mlruns" / "mlflow.db").is_file() for name in ("one", "two")] == [True, True]
