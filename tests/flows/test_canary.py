"""``lethe canary``: what it writes, what it refuses, and what canaries tell of real models."""

import json

import pytest
import torch
from world import NOISE, ROOT, content, files_of, lethe, make_checkout

from flows.stages.pipeline import DELETION, PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_values, write_params
from tasks.computing.checkpoints import load_checkpoint
from tasks.computing.materials import load_materials, views
from tasks.data.datasets import read_manifest
from tasks.data.pool import Pool
from tasks.lifecycle.adopting import settle_source
from tasks.lifecycle.claims import Adoption
from tasks.requests.request_file import make_scope, submit_request
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import ConfigurationError
from unlearn_core.evaluating import observe
from unlearn_core.methods.retrain import Retrain
from unlearn_core.metric import Subject
from unlearn_core.metrics.canary import Canary
from unlearn_core.records.adoption import Claims
from unlearn_core.records.request import DeletionRequest
from unlearn_core.unlearning import unlearn

pytestmark = [*NOISE, pytest.mark.long]

RECIPE = {
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "schedule": "one_cycle",
    "epochs": 20,
    "batch_size": 32,
}
TRAINED = {"source": "train", "architecture": "small_resnet", "recipe": RECIPE}
FEW = {"source": "digits", "tuning": 0.3, "audit": 0.3, "test": 0.2}
"""Few rows to train on, and long enough that the wrong labels are learned by heart, within seconds."""


@pytest.fixture
def project(tmp_path):
    return make_checkout(tmp_path / "project")


def plant(project, *arguments, terminal=False):
    return lethe(project, "canary", "plant", *arguments, terminal=terminal)


def test_canaries_are_asked_for_in_params_and_nothing_else_changes(project):
    params = (ROOT / "params.yaml").read_text()
    (project / "params.yaml").write_text(params)
    before = files_of(project)
    code, out, err = plant(project, "--records", "40")
    assert (code, err) == (0, "")
    assert "lethe train" in out
    assert f"lethe delete drill-1 --subject {CANARY_SUBJECT}" in out
    assert "0.37 to 0.63" in out
    after = files_of(project)
    assert {path for path in after if after[path] != before.get(path)} == {str(project / "params.yaml")}
    assert (project / "params.yaml").read_text() == params.replace("canaries: 0 ", "canaries: 40 ")


def test_a_program_is_told_in_json(project):
    code, out, _ = plant(project, "--records", "1", "--seed", "5", "--json")
    told = {"records": 1, "held_out": 1, "subject": CANARY_SUBJECT, "seed": 5, "lowest": 0.0, "highest": 1.0}
    assert (code, json.loads(out)) == (0, told)
    dataset = read_values(project)["dataset"]
    assert (dataset["canaries"], dataset["seed"]) == (1, 5)


WEIGHTS = content("weights")
TOO_LATE = {
    "the parent was trained elsewhere": {"parent": {"source": "adopted", "weights": WEIGHTS}},
    "the parent is the model of an earlier deletion": {"parent": {"source": "champion", "weights": WEIGHTS}},
    "the data set is what an earlier deletion retained": {
        "dataset": {"source": "retained", "rows_digest": WEIGHTS}
    },
    "3 canaries are already planted; to remove them": {"dataset": {"source": "digits", "canaries": 3}},
    "dataset.path: images is not a folder": {"dataset": {"source": "imagefolder", "path": "images"}},
}


@pytest.mark.parametrize("said", TOO_LATE)
def test_where_canaries_make_no_sense_they_are_refused_and_no_byte_changes(project, said):
    write_params(project, TOO_LATE[said])
    before = files_of(project)
    code, out, err = plant(project, "--records", "5")
    assert (code, out) == (2, "")
    assert said in err
    assert files_of(project) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--records", "0"], "greater than or equal to 1"),
        (["--records", "496"], "plant 495 at most"),
        (["--records", "5", "--seed", "-1"], "greater than or equal to 0"),
        ([], "Missing option"),
    ],
)
def test_a_number_that_cannot_be_is_refused_and_no_byte_changes(project, arguments, said):
    before = files_of(project)
    code, out, err = plant(project, *arguments, terminal=True)
    assert (code, out) == (2, "")
    assert said in " ".join(err.replace("│", " ").split())
    assert files_of(project) == before


@pytest.fixture(scope="module")
def drilled(own_folders, tmp_path_factory):
    """A net that was trained with 30 canaries, and the request to forget them."""
    root = make_checkout(tmp_path_factory.mktemp("drilled") / "project", parent=TRAINED, dataset=FEW)
    assert plant(root, "--records", "30")[0] == 0
    checkout = Checkout(root)
    for stage in PREPARATION.values():
        stage(Checkout(root))
    scope = make_scope(classes=(), samples=(), subjects=(CANARY_SUBJECT,))
    submit_request(checkout, DeletionRequest(id="drill-1", scope=scope))
    DELETION["split"](Checkout(root))
    return checkout


def measured(checkout, model):
    pool = Pool(checkout, torch.device("cpu"))
    said = {view: observe(model, rows, batch_size=256) for view, rows in views(checkout, pool).items()}
    return {entry.name: entry.value for entry in Canary().measure(Subject(10, (), said), seed=0)}


def test_canaries_tell_a_model_that_remembers_from_one_that_never_saw_them(drilled):
    model, _ = load_checkpoint(drilled.parent)
    found = measured(drilled, model)
    assert found["canary.auc"] > 0.95
    assert found["canary.p_value"] < 1e-6
    assert found["canary.exposure"] > 4
    materials = load_materials(drilled, Pool(drilled, torch.device("cpu")))
    retrained = unlearn(Retrain(), model, materials, seed=1).model
    found = measured(drilled, retrained)
    assert 0.35 < found["canary.auc"] < 0.65
    assert found["canary.p_value"] > 0.05
    assert found["canary.exposure"] < 2


def test_after_the_drill_the_held_out_canaries_are_still_held_out(drilled):
    """The retained data set goes on without a planted canary, and no later request looks at the others."""
    retained = read_manifest(drilled.retained)
    assert CANARY_SUBJECT not in retained.subject_ids
    assert (retained.splits == "canary").sum() == 30


def test_a_model_from_elsewhere_is_not_adopted_with_canaries_that_it_never_saw(project):
    write_params(project, {"dataset": {"source": "imagefolder", "path": "images", "canaries": 3}})
    asked = Adoption("weights.safetensors", None, "model", None, Claims(), skip=False)
    with pytest.raises(ConfigurationError, match="learned no canaries"):
        settle_source(Checkout(project), asked, Claims())
