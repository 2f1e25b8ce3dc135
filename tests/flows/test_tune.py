"""``lethe tune`` in a real checkout: what it reads, what it writes, and what it costs."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from sequence import LENIENT, of_class
from templates import copied, prepared_checkout
from world import NOISE, lethe

from flows.stages.pipeline import DELETION, run_due
from flows.tune import tune
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import read_params, read_values, write_params
from tasks.computing.checkpoints import load_checkpoint
from tasks.computing.configured import configured_method
from tasks.computing.materials import load_materials
from tasks.computing.unlearning import attempt
from tasks.data.datasets import read_card, read_manifest
from tasks.measuring.evaluation import assess
from tasks.measuring.tuning import search
from tasks.measuring.tuning_pool import TuningPool
from tasks.requests.request_file import submit_request
from tasks.tracking.auditing import open_deletion
from unlearn_core.errors import ConfigurationError, PipelineError, UsageError
from unlearn_core.method import settled
from unlearn_core.methods.finetune import Finetune
from unlearn_core.methods.retrain import Retrain
from unlearn_core.objective import objective
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.tuning import TuningRecord

pytestmark = [*NOISE, pytest.mark.long]

TRIALS = 4


@pytest.fixture(scope="module")
def split(own_folders, tmp_path_factory):
    """A checkout up to the split, with settings of a projection that forgets nothing."""
    methods = {
        "svd": {"alpha_r": 1000.0, "alpha_f": 0.3, "retain_samples": 400},
        "finetune": {},
        "retrain": {},
    }
    root = prepared_checkout(tmp_path_factory.mktemp("tune") / "project", policy=LENIENT, methods=methods)
    submit_request(Checkout(root), DeletionRequest(id="r-1", scope=of_class("3")))
    run_due(Checkout(root), "split", DELETION["split"])
    return root


@pytest.fixture(scope="module")
def tuned(split, tmp_path_factory):
    """The same once more, after ``lethe tune svd``: the checkout, and what was printed."""
    root = shutil.copytree(split, tmp_path_factory.mktemp("tuned") / "project")
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("  svd:\n", "  # Mine.\n  svd:\n"))
    code, out, err = lethe(root, "tune", "svd", "--trials", str(TRIALS), "--json")
    assert code == 0, err
    return root, TuningRecord.parse(out)


def read_run(root):
    return read_params(root).run


def test_the_record_tells_every_trial_and_the_best(tuned):
    _, record = tuned
    assert len(record.trials) == TRIALS
    assert record.score == max(trial.score for trial in record.trials)
    assert record.score > record.untuned
    assert record.chosen in [trial.values for trial in record.trials if trial.score == record.score]


def test_the_record_is_kept_as_evidence_and_in_the_run(tuned, tmp_path):
    root, record = tuned
    assert read_record(Checkout(root).tuning("r-1", "svd"), TuningRecord) == record
    run = open_deletion(Checkout(root))
    path = run.tracking.client.download_artifacts(run.id, "tuning/svd.json", str(tmp_path))
    with open(path, "rb") as stream:
        assert TuningRecord.parse(stream.read()) == record
    metrics = run.tracking.client.get_run(run.id).data.metrics
    assert metrics["tuning.svd.seconds"] == record.cost.seconds


def test_the_record_names_the_only_data_that_was_read(tuned):
    root, record = tuned
    digests = {entry.split: entry.rows_digest for entry in read_card(Checkout(root).dataset).splits}
    assert record.splits == {name: digests[name] for name in ("train", "tuning")}


def test_the_cost_is_that_of_all_trials(tuned):
    _, record = tuned
    assert record.cost.seconds > sum(trial.cost.seconds for trial in record.trials)
    assert record.cost.samples_seen > sum(trial.cost.samples_seen for trial in record.trials) > 0


def test_what_was_found_stands_in_the_settings_beside_the_rest(tuned):
    root, record = tuned
    assert read_values(root)["methods"]["svd"] == {"retain_samples": 400, **record.chosen}
    assert "  # Mine.\n" in (root / "params.yaml").read_text()


def test_a_search_that_is_done_is_not_done_again(tuned):
    root, record = tuned
    again = search(Checkout(root), configured_method(Checkout(root), "svd"), read_run(root), trials=TRIALS)
    assert again.trials == record.trials
    assert again.chosen == record.chosen
    assert again.untuned == again.score == record.score


def test_an_attempt_with_the_found_values_scores_as_its_trial_did(tuned):
    root, record = tuned
    checkout = Checkout(root)
    tried = attempt(checkout, configured_method(checkout, "svd"), read_run(root), max_unsupported_share=0.05)
    materials = load_materials(checkout, TuningPool(checkout, torch.device("cpu")))
    parent, made = (load_checkpoint(folder)[0] for folder in (checkout.parent, tried.checkpoint))
    assert objective(parent, materials)(made) == record.score


def test_the_search_is_added_to_what_an_attempt_costs(tuned):
    root, record = tuned
    checkout = Checkout(root)
    method = configured_method(checkout, "svd")
    cost = attempt(checkout, method, read_run(root), max_unsupported_share=0.05).cost
    assert cost.tuning_seconds == record.cost.seconds
    assert cost.seconds > record.cost.seconds
    assert cost.samples_seen > record.cost.samples_seen


def test_other_values_cost_no_search(tuned):
    root, _ = tuned
    other = settled(configured_method(Checkout(root), "svd"), {"alpha_r": 77.0})
    assert attempt(Checkout(root), other, read_run(root), max_unsupported_share=0.05).cost.tuning_seconds == 0


def test_a_table_is_printed_for_people(tuned):
    root, _ = tuned
    code, out, _ = lethe(root, "tune", "svd", "--trials", str(TRIALS))
    assert code == 0
    assert "alpha_r" in out
    assert f"in {TRIALS} trials" in out


@pytest.fixture
def poisoned(split, tmp_path):
    """The checkout with nothing but rubbish for audit and test images."""
    root = copied(split, tmp_path / "project")
    shutil.rmtree(root / ".lethe")
    for path in Checkout(root).dataset.glob("shard-*.parquet"):
        table = pq.read_table(path)
        hidden = [name in {"audit", "test"} for name in table["split"].to_pylist()]
        images = [
            b"rubbish" if gone else image
            for gone, image in zip(hidden, table["image"].to_pylist(), strict=True)
        ]
        column = table.schema.get_field_index("image")
        field = table.schema.field(column)
        pq.write_table(table.set_column(column, field, pa.array(images, field.type)), path)
    return root


def test_audit_and_test_images_are_not_decoded(poisoned, tuned):
    _, record = tuned
    checkout = Checkout(poisoned)
    found = search(checkout, configured_method(checkout, "svd"), read_run(poisoned), trials=TRIALS)
    assert [trial.score for trial in found.trials] == [trial.score for trial in record.trials]
    with pytest.raises(PipelineError, match="differ from their digests"):
        assess(checkout, checkout.parent, read_run(poisoned))


def test_rows_outside_training_and_tuning_are_refused(split):
    checkout = Checkout(split)
    pool = TuningPool(checkout, torch.device("cpu"))
    with pytest.raises(UsageError, match="may not see them"):
        pool.split("audit")


def test_the_rows_of_a_search_are_the_data_sets_own(split):
    checkout = Checkout(split)
    pool, manifest = TuningPool(checkout, torch.device("cpu")), read_manifest(checkout.dataset)
    for name in ("train", "tuning"):
        assert pool.split(name).labels.tolist() == manifest.labels[manifest.splits == name].tolist()


def test_a_search_out_of_time_begins_no_trial(split):
    record = search(
        Checkout(split), configured_method(Checkout(split), "svd"), read_run(split), trials=3, timeout_s=0.0
    )
    assert (record.trials, record.chosen, record.score) == ((), {}, None)
    assert record.untuned is not None


def test_where_nothing_does_better_the_settings_stay(split, tmp_path):
    root = shutil.copytree(split, tmp_path / "project", ignore=shutil.ignore_patterns("mlruns", "tmp"))
    write_params(root, {"methods": {"svd": {}, "finetune": {}, "retrain": {}}})
    before = (root / "params.yaml").read_bytes()
    record = tune(Checkout(root), "svd", trials=1)
    assert record.chosen == {}
    assert (root / "params.yaml").read_bytes() == before


def test_a_method_without_a_space_is_refused(split):
    with pytest.raises(UsageError, match="retrain has nothing to search"):
        search(Checkout(split), Retrain(), read_run(split), trials=1)


def test_a_method_that_is_not_configured_is_named(split):
    code, out, err = lethe(split, "tune", "unsir", "--json")
    assert (code, json.loads(out)["exit_code"]) == (ConfigurationError.exit_code, 2)
    assert "there is no method 'unsir' in params.yaml; it has svd, finetune, retrain" in err


def test_a_nested_record_is_written_whole(split, tmp_path):
    from tasks.computing.configured import write_values

    shutil.copy(split / "params.yaml", tmp_path)
    write_values(Checkout(tmp_path), Finetune(), {"recipe.epochs": 2})
    written = read_values(tmp_path)["methods"]["finetune"]["recipe"]
    assert written == {**Finetune().recipe.model_dump(mode="json"), "epochs": 2}
