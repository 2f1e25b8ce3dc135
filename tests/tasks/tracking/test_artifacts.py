"""What somebody who can write to MLflow's artifact store can do to a model, and who notices.

Each of these must turn red: weights, a card or code that were replaced and are served; code of the store that
runs before it was compared.
"""

import shutil
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import save_file

from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, WEIGHTS, save_checkpoint
from tasks.computing.training import UNWRITTEN
from tasks.tracking.artifacts import load_registered
from tasks.tracking.fetching import fetch_weights
from tasks.tracking.registry import ModelVersion, champion, promote, register_model
from unlearn_core.errors import ConfigurationError, EvidenceError, PipelineError, SetupError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.data import Normalisation

NET = Architecture(name="small_resnet", classes=("a", "b", "c"), input_shape=(1, 8, 8))
IMAGES = np.zeros((2, 1, 8, 8), dtype=np.float32)


def saved(folder, seed):
    card = CheckpointCard(
        architecture=NET,
        normalisation=Normalisation(mean=(0.25,), std=(0.5,)),
        weights=UNWRITTEN,
        data=sha256(b"data"),
        seed=seed,
        threads=1,
        recipe=Recipe(),
    )
    save_checkpoint(folder, build_seeded(NET, seed), card)
    return folder


@pytest.fixture
def version(run, key, tmp_path):
    """A registered model in use."""
    folder, name = saved(tmp_path / "certified", 0), f"model-{key[-12:]}"
    promote(
        run.tracking,
        name,
        register_model(run, name, weights=folder / WEIGHTS, card=folder / CARD, key=key, tags={}).version,
    )
    return champion(run.tracking, name)


@pytest.fixture
def store(version, tracking):
    """The folder of its files in the artifact store, which an attacker can write to."""
    source = tracking.client.get_model_version(version.name, str(version.version)).source
    logged = tracking.client.get_logged_model(source.removeprefix("models:/"))
    return Path(logged.artifact_location.removeprefix("file://"))


@pytest.fixture
def other(tmp_path):
    """A model that was not registered: it has learned what the registered one forgot."""
    return saved(tmp_path / "other", 1)


def put(store, file):
    (place,) = store.rglob(file.name)
    shutil.copy(file, place)


def address(version):
    return f"models:/{version.name}@champion"


def test_a_version_as_it_was_registered_is_loaded_by_lethe_as_by_mlflow(version, store):
    ours = load_registered(version).predict(IMAGES)
    np.testing.assert_array_equal(ours, mlflow.pyfunc.load_model(address(version)).predict(IMAGES))
    # Compiled code that MLflow may have left there is neither fetched nor compared.
    (store / "code" / "__pycache__").mkdir(exist_ok=True)
    (store / "code" / "__pycache__" / "left.pyc").write_bytes(b"compiled")
    load_registered(version)


def test_replaced_weights_are_not_served(version, store, other, tmp_path):
    put(store, other / WEIGHTS)
    with pytest.raises(EvidenceError, match=r"a file was replaced\. Do not serve"):
        mlflow.pyfunc.load_model(address(version))
    with pytest.raises(EvidenceError, match=f"{version.name}' version 1 in the artifact store are sha256"):
        load_registered(version)
    with pytest.raises(EvidenceError, match=r"@champion in the artifact store are sha256.* was registered"):
        fetch_weights(address(version), tmp_path)


def test_weights_that_were_replaced_with_their_card_are_not_served(version, store, other, tmp_path):
    put(store, other / WEIGHTS)
    put(store, other / CARD)
    with pytest.raises(EvidenceError, match=r"a file was replaced\. Do not serve"):
        mlflow.pyfunc.load_model(address(version))
    with pytest.raises(EvidenceError, match="they were replaced"):
        load_registered(version)
    with pytest.raises(EvidenceError, match="they were replaced"):
        fetch_weights(address(version), tmp_path)


def test_a_replaced_card_alone_is_refused(version, store, other, tmp_path):
    put(store, other / CARD)
    with pytest.raises(EvidenceError, match=r"the card of .* it was replaced"):
        load_registered(version)
    with pytest.raises(EvidenceError, match="named by its card"):
        fetch_weights(address(version), tmp_path)


def test_a_card_that_names_a_module_does_not_run_it(version, store, tmp_path, monkeypatch):
    (tmp_path / "planted_net.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    (card,) = store.rglob(CARD)
    tree = CheckpointCard.parse(card.read_bytes()).model_dump(mode="json")
    card.write_bytes(
        canonical_json({**tree, "architecture": {**tree["architecture"], "name": "planted_net:f"}})
    )
    with pytest.raises(ConfigurationError, match="nothing was run"):
        mlflow.pyfunc.load_model(address(version))
    with pytest.raises(EvidenceError, match="another of its files"):
        load_registered(version)
    assert not (tmp_path / "ran").exists()


def plant_code(store, ran):
    (store / "served_model.py").write_text(f"open({str(ran)!r}, 'w')\n")


def plant_module(store, ran):
    (store / "code" / "safetensors.py").write_text(f"open({str(ran)!r}, 'w')\n")


def plant_loader(store, ran):
    (store / "code" / "planted_loader.py").write_text(f"open({str(ran)!r}, 'w')\n")
    described = YAML(typ="safe", pure=True).load((store / "MLmodel").read_text())
    described["flavors"]["python_function"]["loader_module"] = "planted_loader"
    with (store / "MLmodel").open("w") as stream:
        YAML(typ="safe", pure=True).dump(described, stream)


def plant_requirement(store, ran):
    with (store / "requirements.txt").open("a") as stream:
        stream.write("planted-package\n")


def plant_pickle(store, ran):
    (store / "python_model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")


@pytest.mark.parametrize(
    "plant",
    [plant_code, plant_module, plant_loader, plant_requirement, plant_pickle],
    ids=lambda f: f.__name__,
)
def test_what_was_planted_beside_the_weights_does_not_run(version, store, tmp_path, plant):
    plant(store, tmp_path / "ran")
    with pytest.raises(EvidenceError, match="another of its files in the artifact store"):
        load_registered(version)
    assert not (tmp_path / "ran").exists()


def test_a_version_whose_code_was_never_recorded_is_not_loaded(version):
    tags = {name: value for name, value in version.tags.items() if name != Tag.FILES}
    with pytest.raises(EvidenceError, match=r"the code is unknown\. Nothing was run"):
        load_registered(ModelVersion(version.name, version.version, tags))


def test_a_version_whose_files_are_gone_is_told(version, store):
    shutil.rmtree(store)
    with pytest.raises(SetupError, match=r"gone from the artifact store|cannot be fetched"):
        load_registered(version)


class Listing:
    """An artifact store that names files as it likes; no local one could."""

    def __init__(self, path):
        self.path, self.is_dir = path, False

    def list_artifacts(self, _folder):
        return [self]


@pytest.mark.parametrize(
    "name", ["../model.safetensors", "/etc/passwd", "a\\b", "a/../../b", "a\nb", "", "a//b"]
)
def test_a_store_cannot_name_a_file_outside_of_the_folder(name):
    from tasks.tracking.artifacts import stored_names

    with pytest.raises(PipelineError, match="no plain path"):
        list(stored_names(Listing(name)))


def test_the_digest_of_the_weights_is_of_the_bytes_that_are_loaded(version, store, other):
    """A file that is no checkpoint at all is refused by its digest, before it is parsed."""
    (place,) = store.rglob(WEIGHTS)
    save_file({"weight": torch.zeros(1)}, place)
    with pytest.raises(EvidenceError, match="replaced"):
        mlflow.pyfunc.load_model(address(version))
