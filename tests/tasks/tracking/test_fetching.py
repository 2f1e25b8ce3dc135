"""Weights out of the model registry: one safetensors file, and nothing that would have to be unpickled."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from tasks.computing.checkpoints import CARD, WEIGHTS, load_checkpoint, save_checkpoint
from tasks.computing.training import UNWRITTEN
from tasks.tracking.fetching import fetch_weights
from tasks.tracking.registry import promote, register_model
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.models import build_seeded
from unlearn_core.records.adoption import Claims
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.data import Normalisation

NET = Architecture(name="small_resnet", classes=("a", "b", "c"), input_shape=(1, 8, 8))
NORMALISATION = Normalisation(mean=(0.25,), std=(0.5,))


@pytest.fixture
def theirs(tracking, tmp_path, request):
    """Register a folder of files as somebody else's model; returns its address."""

    def register(**files):
        folder = tmp_path / "model"
        folder.mkdir()
        for name, raw in files.items():
            (folder / name.replace("__", ".")).write_bytes(raw)
        name = request.node.name.replace("[", "-").replace("]", "")
        tracking.client.create_registered_model(name)
        version = tracking.client.create_model_version(name, folder.as_uri())
        return f"models:/{name}/{version.version}"

    return register


def tensors(folder):
    save_file({"weight": torch.arange(3.0)}, folder / "somewhere.safetensors")
    return (folder / "somewhere.safetensors").read_bytes()


def test_the_only_safetensors_file_is_fetched(theirs, tmp_path):
    uri = theirs(net__safetensors=tensors(tmp_path), MLmodel=b"{}", model__pkl=b"never read")
    path, claims = fetch_weights(uri, tmp_path)
    assert load_file(path)["weight"].tolist() == [0, 1, 2]
    assert claims == Claims()
    assert not list(tmp_path.glob("*.pkl"))


def test_a_pickled_model_is_refused_by_the_name_of_its_pickle(theirs, tmp_path):
    uri = theirs(MLmodel=b"{}", model__pth=b"never read")
    with pytest.raises(
        ConfigurationError, match=r"holds 0 safetensors files.*model\.pth would have to be unp"
    ):
        fetch_weights(uri, tmp_path)


def test_of_several_files_none_is_guessed(theirs, tmp_path):
    uri = theirs(one__safetensors=tensors(tmp_path), two__safetensors=tensors(tmp_path))
    with pytest.raises(ConfigurationError, match="holds 2 safetensors files, expected one"):
        fetch_weights(uri, tmp_path)


@pytest.mark.parametrize("uri", ["models:/nobody/1", "models:/nobody@champion", "models:/nobody"])
def test_a_model_that_is_not_there_is_named(tracking, tmp_path, uri):
    with pytest.raises(SetupError, match=f"{uri} cannot be fetched"):
        fetch_weights(uri, tmp_path)


def test_lethes_own_models_come_with_what_their_cards_claim(run, key, tmp_path):
    card = CheckpointCard(
        architecture=NET,
        normalisation=NORMALISATION,
        weights=UNWRITTEN,
        data=key,
        seed=0,
        threads=1,
        recipe=Recipe(epochs=3),
    )
    save_checkpoint(tmp_path / "own", build_seeded(NET, 0), card)
    version = register_model(
        run, "own", weights=tmp_path / "own" / WEIGHTS, card=tmp_path / "own" / CARD, key=key, tags={}
    )
    promote(run.tracking, "own", version.version)
    (tmp_path / "fetched").mkdir()
    path, claims = fetch_weights("models:/own@champion", tmp_path / "fetched")
    expected = load_checkpoint(tmp_path / "own")[0].state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in load_file(path).items())
    assert claims == Claims(
        architecture="small_resnet", classes=NET.classes, normalisation=NORMALISATION, recipe=Recipe(epochs=3)
    )
