"""``lethe adopt``, from a file of weights and a folder of images to a served deletion."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from pictures import CLASSES, folder_of_pictures, picture, save
from retraining import gate_reference
from safetensors.torch import load_file, save_file
from world import FORGOTTEN, NOISE, QUICK, ROOT, files_of, lethe, make_checkout, run

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_params, read_values
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.data.folders import Folders
from tasks.data.pool import Pool
from tasks.lifecycle.trained_elsewhere import measure_accuracy
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import ConfigurationError
from unlearn_core.models import build_seeded
from unlearn_core.records.adoption import Adopted, Outlook
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.deletion import DeletionRecord, Released
from unlearn_core.records.params import ImageFolderSource
from unlearn_core.training import fit

pytestmark = [*NOISE, pytest.mark.long]

NET = Architecture(name="small_resnet", classes=CLASSES, input_shape=(1, 8, 8))
GONE = {**FORGOTTEN, "highest": 0.2}
KEPT = {**FORGOTTEN, "measurement": "accuracy.audit.retain", "below": 0.2, "lowest": 0.99}
POLICY = {
    "reference": "build",
    "ladder": {"classes": ["svd"], "samples": ["finetune"]},
    "classes": [GONE, KEPT],
    "samples": [FORGOTTEN],
}


@dataclass(frozen=True)
class Elsewhere:
    """What a person brings: images, weights, and how good the model is."""

    images: Path
    weights: Path
    accuracy: float


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a person's own")
    checkout = Checkout(folder)
    shutil.copy(ROOT / "params.yaml", folder)
    images = folder_of_pictures(folder / "images", train=40, test=40)
    pool = Pool(
        checkout, torch.device("cpu"), Folders().import_beside(checkout, ImageFolderSource(path="images"))
    )
    model = build_seeded(NET, 0)
    recipe = QUICK.model_copy(update={"epochs": 8})
    fit(model, pool.split("train"), recipe, generator=torch.Generator().manual_seed(0))
    weights = folder / "net.safetensors"
    save_file(
        {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in model.state_dict().items()
        },
        weights,
    )
    halved = build_seeded(NET, 0)
    halved.load_state_dict(load_file(weights))
    return Elsewhere(images, weights, measure_accuracy(halved.eval(), pool, threads=1).value)


def adopt(root, elsewhere, *options, weights=None):
    return lethe(
        root,
        "adopt",
        str(weights or elsewhere.weights),
        "--architecture",
        "small_resnet",
        "--data",
        str(elsewhere.images),
        "--name",
        "insects",
        "--json",
        *options,
    )


@dataclass(frozen=True)
class Told:
    """A checkout in which a model was adopted, and a class forgotten."""

    root: Path
    adopted: Adopted
    again: Adopted
    before: dict[str, bytes]
    after: dict[str, bytes]
    released: Released
    reproduced: object
    err: str


@pytest.fixture(scope="module")
def told(elsewhere, prefect_server, tmp_path_factory):
    root = make_checkout(tmp_path_factory.mktemp("adopting") / "project", policy=POLICY)
    answer = adopt(root, elsewhere, "--accuracy", f"{elsewhere.accuracy:.4f}")
    adopted = said(answer)
    before = pinned(root)
    again = said(adopt(root, elsewhere))
    after = pinned(root)
    code, out, err = lethe(root, "delete", "r-1", "--class", "bee", "--json")
    assert code == 0, out + err
    return Told(
        root, adopted, again, before, after, Released.parse(out), run(root, "dvc", "repro"), answer[2]
    )


def said(answer):
    code, out, err = answer
    assert code == 0, out + err
    return Adopted.parse(out)


def pinned(root):
    return files_of(root / "data", root / "models") | {"params": (root / "params.yaml").read_bytes()}


def test_the_adopted_model_is_the_one_that_came(told, elsewhere):
    model, card = load_checkpoint(Checkout(told.root).generation("models", told.adopted.weights))
    brought = load_file(elsewhere.weights)
    assert all(torch.equal(t, brought[name].to(t.dtype)) for name, t in model.state_dict().items())
    assert (card.method, card.recipe, card.seed) == ("adopt", None, None)


def test_its_accuracy_is_told_beside_the_claim(told, elsewhere):
    assert told.adopted.accuracy == elsewhere.accuracy
    assert told.adopted.claimed == pytest.approx(elsewhere.accuracy, abs=1e-4)
    assert told.adopted.samples == 120


def test_params_name_the_data_the_model_and_its_place_in_the_registry(told, elsewhere):
    params = read_values(told.root)
    assert params["dataset"] == {"source": "imagefolder", "name": "insects", "path": str(elsewhere.images)}
    assert params["parent"] == {"source": "adopted", "weights": told.adopted.weights}
    assert params["registry"] == {"model": "insects"}


def test_without_a_recipe_nothing_is_retrained_and_the_record_says_why(told):
    assert read_values(told.root)["policy"]["reference"] == "none"
    record = DeletionRecord.parse(Checkout(told.root).deletion.read_bytes())
    (why,) = [one.why for one in record.left_out if one.method == "retrain"]
    assert why == "needs the recipe that the model was trained by, which is not at hand"


def test_what_deletions_can_get_is_told_before_anything_is_imported(told):
    assert told.adopted.outlook == Outlook(classes=("svd",), samples=("finetune",), level="E0")
    said = told.err.splitlines()
    assert said[0] == "what deletions on this model can get:"
    assert [line for line in said if "--recipe recipe.yaml" in line]
    imported = next(number for number, line in enumerate(said) if "import" in line)
    assert imported > said.index("                     batch_size: 64")


def test_the_policys_floor_is_the_models_own(told, elsewhere):
    floor = read_values(told.root)["policy"]["classes"][1]["lowest"]
    assert elsewhere.accuracy - 0.21 < floor <= elsewhere.accuracy - 0.2


def test_adopting_again_changes_nothing(told):
    assert told.again.registered_version == told.adopted.registered_version == 1
    assert told.after == told.before


def test_a_deletion_is_served_from_the_adopted_model(told):
    assert told.released.outcome.parent == told.adopted.weights
    assert told.released.outcome.level == "E0"
    assert told.released.registered_version == 2


def test_afterwards_dvc_has_nothing_to_do(told):
    assert "Data and pipelines are up to date" in told.reproduced.stdout


def test_the_champion_of_a_later_deletion_is_not_replaced_by_the_adopted_model(told, elsewhere):
    before = pinned(told.root)
    code, _, err = adopt(told.root, elsewhere)
    assert code == 2
    assert "has forgotten request 'r-1' from this data" in err
    assert pinned(told.root) == before
    assert champion(tracking_of(Checkout(told.root)), "insects").version == 2


def test_no_tag_and_no_certificate_names_a_path(told, elsewhere):
    client = tracking_of(Checkout(told.root)).client
    runs = client.search_runs([tracking_of(Checkout(told.root)).experiment_id])
    tags = [str({**one.data.tags, **one.data.params}) for one in runs]
    versions = [str(one.tags) for one in client.search_model_versions("name = 'insects'")]
    certificate = (told.root / told.released.certificate).read_text()
    assert len(runs) >= 2
    assert not any(str(elsewhere.images.parent) in text for text in [*tags, *versions, certificate])


def test_nothing_can_be_retrained_to_compare_with_and_the_error_says_what_to_do(told):
    checkout, settings = Checkout(told.root), read_params(told.root).run
    assert gate_reference(checkout, settings, "none") is None
    assert gate_reference(checkout, settings, "cached") is None
    with pytest.raises(ConfigurationError, match=r"adopt .* --recipe, or set policy\.reference to none"):
        gate_reference(checkout, settings, "build")


def test_adopting_again_with_a_recipe_makes_retraining_possible(elsewhere, prefect_server, tmp_path):
    root = make_checkout(tmp_path / "project", policy=POLICY)
    first = said(adopt(root, elsewhere))
    (tmp_path / "recipe.yaml").write_text("{optimizer: sgd, epochs: 2}")
    second = said(adopt(root, elsewhere, "--recipe", str(tmp_path / "recipe.yaml")))
    assert (first.reference, second.reference) == ("none", "build")
    assert second.registered_version == first.registered_version
    assert read_checkpoint_card(Checkout(root).parent).recipe == Recipe(optimizer="sgd", epochs=2)
    before = pinned(root)
    said(adopt(root, elsewhere, "--recipe", str(tmp_path / "recipe.yaml")))
    assert pinned(root) == before


def test_a_registered_model_is_adopted_with_what_its_card_claims_and_its_recipe(
    told, elsewhere, tmp_path, prefect_server
):
    root = make_checkout(tmp_path / "project", policy=POLICY)
    shutil.copytree(told.root / "mlruns", root / "mlruns", dirs_exist_ok=True)
    (tmp_path / "recipe.yaml").write_text("{optimizer: sgd, epochs: 2}")
    # A copied store holds its models itself.
    found = said(
        lethe(
            root,
            *("adopt", "models:/insects/1", "--data", str(elsewhere.images), "--json"),
            *("--recipe", str(tmp_path / "recipe.yaml")),
        )
    )
    assert (found.weights, found.architecture) == (told.adopted.weights, "small_resnet")
    assert (found.registered_model, found.reference) == ("model", "build")
    assert read_checkpoint_card(Checkout(root).parent).recipe == Recipe(optimizer="sgd", epochs=2)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("refusing") / "project", policy=POLICY)


def refused(root, elsewhere, *options, weights=None):
    before = pinned(root)
    code, out, err = adopt(root, elsewhere, *options, weights=weights)
    assert pinned(root) == before
    assert json.loads(out)["exit_code"] == code
    return code, err


def test_a_claim_that_is_not_met_is_refused_with_both_numbers(untouched, elsewhere):
    claimed = elsewhere.accuracy - 0.5 if elsewhere.accuracy > 0.5 else elsewhere.accuracy + 0.5
    code, err = refused(untouched, elsewhere, "--accuracy", f"{claimed:.4f}")
    assert code == 2
    assert f"{elsewhere.accuracy:.2%} of 120 held-out images" in err
    assert f"but {claimed:.2%} was claimed" in err


def test_weights_of_another_net_are_refused(untouched, elsewhere):
    code, err = refused(untouched, elsewhere, "--architecture", "torchvision:resnet18")
    assert code == 2
    assert "the weights do not fit torchvision:resnet18" in err


def test_a_pickle_is_refused(untouched, elsewhere, tmp_path):
    (tmp_path / "net.pt").write_bytes(b"PK\x03\x04")
    code, err = refused(untouched, elsewhere, weights=tmp_path / "net.pt")
    assert code == 2
    assert "pickled checkpoints are never loaded" in err


def test_a_model_that_is_not_registered_is_refused(untouched, elsewhere):
    code, err = refused(untouched, elsewhere, weights="models:/nobody/1")
    assert code == 2
    assert "models:/nobody/1 cannot be fetched" in err


def test_images_that_cannot_be_read_are_refused_and_listed(untouched, elsewhere, tmp_path):
    images = shutil.copytree(elsewhere.images, tmp_path / "images")
    (images / "train/ant/0001.png").write_bytes(b"no image")
    code, err = refused(untouched, elsewhere, "--data", str(images))
    assert code == 4
    assert "1 of 240 images cannot be read; .lethe/import-problems.csv lists each" in err
    assert "train/ant/0001.png,not an image" in (untouched / ".lethe/import-problems.csv").read_text()


def test_a_factory_may_lie_in_the_checkout(untouched, elsewhere, monkeypatch):
    (untouched / "their_nets.py").write_text("def make(classes, input_shape):\n    return input_shape\n")
    monkeypatch.setattr("sys.path", [*sys.path])
    _, err = refused(untouched, elsewhere, "--architecture", "their_nets:make")
    assert "their_nets:make returned tuple, expected a torch module" in err
    (untouched / "their_nets.py").unlink()


def test_without_an_architecture_it_is_asked_for(untouched, elsewhere):
    code, _, err = lethe(untouched, "adopt", str(elsewhere.weights), "--data", str(elsewhere.images))
    assert code == 2
    assert "give --architecture" in err


def test_without_data_it_is_asked_for(untouched, elsewhere):
    code, _, err = lethe(untouched, "adopt", str(elsewhere.weights), "--architecture", "small_resnet")
    assert code == 2
    assert "name the images that the model was trained on with --data" in err


def test_an_extra_class_in_the_data_is_refused(untouched, elsewhere, tmp_path):
    images = shutil.copytree(elsewhere.images, tmp_path / "images")
    for number in range(20):
        save(images / "train/dog" / f"{number}.png", picture(3, number))
    code, err = refused(untouched, elsewhere, "--data", str(images))
    assert code == 2
    assert "as many classes as the data has (4)" in err


OWN_NET = """
from unlearn_core.models import SmallResNet

def make(*, classes, input_shape):
    return SmallResNet(classes, input_shape[0])
"""


@pytest.mark.long
def test_a_net_of_the_users_own_runs_once_its_user_has_named_it(elsewhere, prefect_server, tmp_path):
    root = make_checkout(tmp_path / "project", policy=POLICY)
    (root / "net_of_mine.py").write_text(OWN_NET)
    net = "net_of_mine:make"
    (tmp_path / "card.yaml").write_text(f"architecture: {net}\n")
    given = [str(elsewhere.weights), "--data", str(elsewhere.images), "--name", "insects", "--json"]
    code, _, err = lethe(root, "adopt", *given, "--card", str(tmp_path / "card.yaml"))
    assert code == 2
    assert f"the model's card names the net '{net}'" in err
    assert said(lethe(root, "adopt", *given, "--architecture", net)).architecture == net
    assert read_params(root).parent.architecture == net
    assert f"net {net}" in json.loads((root / "reports" / "code" / "unlearn.json").read_text())
    code, out, err = lethe(root, "delete", "r-1", "--class", "bee", "--json")
    assert code == 0, out + err
    assert lethe(root, "verify")[0] == 0
