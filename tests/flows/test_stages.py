"""The stages as plain functions: the same bytes twice, what they miss, and what the policy makes of them."""

import shutil

import pytest
from retraining import gate_reference
from templates import served_checkout
from world import NOISE, content, files_of, make_checkout

from flows.compare import compare
from flows.stages.pipeline import DELETION, PREPARATION, run_due
from flows.stages.process import FUNCTIONS, find_stage, run_stage
from flows.stages.steps import Steps
from flows.stages.unlearn import climb_ladder
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import locked, now
from tasks.checkout.files import read_record, write_record
from tasks.checkout.params import read_params, read_values, write_params
from tasks.checkout.software import PINNED, installed
from tasks.computing.checkpoints import WEIGHTS, read_checkpoint_card
from tasks.computing.unlearning import attempt
from tasks.data.datasets import read_card
from tasks.evidence.certification import gather_certificates
from tasks.evidence.verification import verify_files
from tasks.measuring.evaluation import assess
from tasks.requests.request_file import make_scope, submit_request
from unlearn_core.errors import (
    ConfigurationError,
    CoverageError,
    GateError,
    MomentsError,
    PipelineError,
    SetupError,
)
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

pytestmark = [*NOISE, pytest.mark.long]

STAGES = {**PREPARATION, **DELETION}
OUTS = {
    "code": ["reports/code"],
    "dataset": ["data/dataset"],
    "parent": ["models/parent"],
    "moments": ["models/moments"],
    "split": ["data/split", "data/retained"],
    "unlearn": ["models/unlearned", "reports/deletion", "reports/plots"],
    "certify": ["reports"],
}


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """A checkout in which every stage ran once."""
    return served_checkout(tmp_path_factory.mktemp("served") / "project")


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_gives_the_same_bytes_twice(served, name):
    folders = [served / out for out in OUTS[name]]
    before = files_of(*folders)
    shutil.rmtree(served / ".lethe", ignore_errors=True)
    STAGES[name](Checkout(served))
    assert len(before) > 0
    assert files_of(*folders) == before


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_that_ran_is_current(served, name):
    assert not run_due(Checkout(served), name, STAGES[name])


def test_plots_have_a_column_for_every_model(served):
    tables = {path.name: path.read_text().splitlines() for path in (served / "reports" / "plots").iterdir()}
    assert tables["accuracy_per_class.csv"][0] == "class,original,unlearned,retrained"
    assert tables["attack_roc.csv"][0] == "false_positive_rate,original,unlearned,retrained"
    classes = [line.split(",")[0] for line in tables["accuracy_per_class.csv"][1:]]
    assert classes == list("0123456789")
    first, *_, last = (line.split(",") for line in tables["attack_roc.csv"][1:])
    assert (first[0], last) == ("0.0", ["1.0"] * 4)


def test_a_reference_is_found_only_where_the_policy_allows_it(copy):
    checkout, run = Checkout(copy), read_params(copy).run
    built = gate_reference(checkout, run, "build")
    assert built is not None
    assert gate_reference(checkout, run, "cached") == built
    assert gate_reference(checkout, run, "none") is None
    shutil.rmtree(checkout.lethe / "references")
    assert gate_reference(checkout, run, "cached") is None


def test_a_broken_reference_is_built_again(copy):
    checkout = Checkout(copy)
    run = read_params(copy).run
    weights = gate_reference(checkout, run, "build") / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert gate_reference(checkout, run, "cached") is None
    assert gate_reference(checkout, run, "build") == weights.parent
    assert weights.read_bytes() == whole


def test_broken_outputs_are_observed_again(copy):
    checkout = Checkout(copy)
    run = read_params(copy).run
    before = assess(checkout, checkout.parent, run)
    for path in (checkout.lethe / "outputs").glob("*/outputs.safetensors"):
        raw = path.read_bytes()
        path.write_bytes(raw[:-4] + bytes(4))
    assert assess(checkout, checkout.parent, run) == before
    for path in (checkout.lethe / "outputs").glob("*/outputs.safetensors"):
        path.write_bytes(b"")
    assert assess(checkout, checkout.parent, run) == before


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_is_found_by_its_name(name):
    found = find_stage(name)
    # What DVC starts also completes the evidence, for which the flow has a task of its own.
    assert found.__name__ == ("certify_and_store" if name == "certify" else STAGES[name].__name__)


def test_no_other_stage_can_be_started():
    assert list(FUNCTIONS) == list(STAGES)
    with pytest.raises(SetupError, match="no stage 'forget'; the stages are code, dataset"):
        find_stage("forget")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("empty") / "project")


@pytest.mark.parametrize("name", ["parent", "moments", "split", "unlearn", "certify"])
def test_a_stage_without_its_inputs_says_so_and_writes_nothing(empty, name):
    before = files_of(empty)
    with pytest.raises(PipelineError, match="does not exist; an earlier stage writes it"):
        STAGES[name](Checkout(empty))
    assert files_of(empty) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("why"), 2),
        (MomentsError("why"), 3),
        (PipelineError("why"), 4),
        (GateError("why"), 5),
    ],
)
def test_a_stage_that_stops_is_one_message_and_an_exit_code(error, code, tmp_path, capsys):
    write_record(tmp_path / PINNED, installed())

    def stage(root):
        raise error

    with pytest.raises(SystemExit) as caught:
        run_stage(stage, Checkout(tmp_path))
    assert caught.value.code == code
    assert capsys.readouterr() == ("", "stage: why\n")


def test_of_an_unexpected_error_a_stage_tells_the_kind_and_not_the_words(tmp_path, capsys):
    write_record(tmp_path / PINNED, installed())

    def stage(root):
        raise KeyError("subject-0003")

    with pytest.raises(SystemExit) as caught:
        run_stage(stage, Checkout(tmp_path))
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("stage: unexpected KeyError in tests/flows/test_stages.py, line ")
    assert "subject-0003" not in line


def test_a_stage_keeps_out_of_a_checkout_that_another_process_works_in(tmp_path, capsys):
    ran = []
    with locked(tmp_path), pytest.raises(SystemExit) as caught:
        run_stage(ran.append, Checkout(tmp_path))
    assert (caught.value.code, ran) == (2, [])
    assert "running in this checkout" in capsys.readouterr().err


def test_a_model_is_not_certified_for_another_request(copy):
    checkout = Checkout(copy)
    submit_request(checkout, DeletionRequest(id="r-4", scope=ClassScope(classes=("4",))))
    DELETION["split"](Checkout(copy))
    with pytest.raises(PipelineError, match=r"the accepted model is of request 'demo'.*holds request 'r-4'"):
        DELETION["certify"](Checkout(copy))
    assert not (checkout.evidence("r-4") / "certificate.dsse.json").exists()


def change(root, section, **settings):
    write_params(root, {section: {**read_values(root)[section], **settings}})


def test_a_person_can_be_forgotten_with_a_note_where_the_policy_says_so(copy):
    change(copy, "policy", when_inconclusive="accept_with_note")
    checkout = Checkout(copy)
    scope = make_scope(classes=(), samples=(), subjects=("subject-0003",))
    submit_request(checkout, DeletionRequest(id="r-2", scope=scope))
    DELETION["split"](Checkout(copy))
    record = DELETION["unlearn"](Checkout(copy))
    (released,) = DELETION["certify"](Checkout(copy))
    assert record.tried == ("finetune",)
    assert record.rungs[0].verdict.verdict == "inconclusive"
    assert released.outcome.note.endswith("Accepted with this note, as the policy says.")
    assert verify_files(copy / released.certificate)["note"] == released.outcome.note


def stumbling(checkout, method, *arguments, **settings):
    """Attempt as always, but fail as a projection."""
    if method.name == "svd":
        raise CoverageError("too much is out of reach")
    return attempt(checkout, method, *arguments, **settings)


def test_a_rung_that_fails_gives_way_to_the_next(copy):
    record = climb_ladder(Checkout(copy), Steps(attempt=stumbling))
    assert record.tried == ("svd", "retrain")
    assert [(entry.method, entry.why) for entry in record.failed] == [("svd", "too much is out of reach")]
    assert record.accepted.unlearning.name == "retrain"
    (certificate,) = gather_certificates(Checkout(copy), record, started=now())
    attempts = certificate.attempts
    assert [(one.method, one.verdict) for one in attempts] == [("svd", "failed"), ("retrain", "passes")]


def test_an_accepted_model_lies_in_its_place_with_its_origin(served):
    checkout = Checkout(served)
    rung = read_record(checkout.deletion, DeletionRecord).accepted
    card = read_checkpoint_card(checkout.unlearned)
    assert card.weights == rung.unlearning.weights
    assert card.parent == read_checkpoint_card(checkout.parent).weights
    assert card.data == read_card(checkout.retained).rows_digest


def test_second_moments_of_another_model_are_refused(copy):
    change(copy, "run", seed=1)
    PREPARATION["parent"](Checkout(copy))
    with pytest.raises(MomentsError, match="Run `dvc repro moments`"):
        DELETION["unlearn"](Checkout(copy))


@pytest.mark.parametrize(
    ("section", "stage", "value"),
    [
        ("dataset", "dataset", {"source": "retained", "rows_digest": content("unknown")}),
        ("parent", "parent", {"source": "champion", "weights": content("unknown")}),
    ],
)
def test_an_earlier_generation_that_is_not_here_is_asked_for(copy, section, stage, value):
    write_params(copy, {section: value})
    with pytest.raises(PipelineError, match="does not exist; fetch it with `dvc checkout` or `dvc pull`"):
        PREPARATION[stage](Checkout(copy))


def test_an_earlier_model_under_a_false_digest_is_refused(copy):
    checkout, false = Checkout(copy), content("another model")
    shutil.copytree(checkout.unlearned, checkout.generation("models", false))
    write_params(copy, {"parent": {"source": "champion", "weights": false}})
    with pytest.raises(PipelineError, match=f"params.yaml names {false}"):
        PREPARATION["parent"](Checkout(copy))


def test_earlier_data_under_a_false_digest_are_refused(copy):
    checkout, false = Checkout(copy), content("other rows")
    shutil.copytree(checkout.retained, checkout.generation("data", false))
    write_params(copy, {"dataset": {"source": "retained", "rows_digest": false}})
    with pytest.raises(PipelineError, match=f"params.yaml names {false}"):
        PREPARATION["dataset"](Checkout(copy))


def test_an_earlier_model_on_other_data_is_refused(copy):
    checkout = Checkout(copy)
    weights = read_checkpoint_card(checkout.unlearned).weights
    shutil.copytree(checkout.unlearned, checkout.generation("models", weights))
    write_params(copy, {"parent": {"source": "champion", "weights": weights}})
    with pytest.raises(PipelineError, match="`lethe next` and `lethe adopt` set both together"):
        PREPARATION["parent"](Checkout(copy))


def test_a_request_that_is_not_there_is_named(copy):
    write_params(copy, {"request": "r-9"})
    with pytest.raises(SetupError, match="there is no request 'r-9'"):
        DELETION["split"](Checkout(copy))


@pytest.mark.long
def test_a_comparison_runs_every_configured_method_or_those_that_are_named(copy):
    assert compare(Checkout(copy), only={"svd", "scrub"})["methods"].keys() == {"svd"}
    assert compare(Checkout(copy))["methods"].keys() == {"svd", "finetune", "retrain"}
