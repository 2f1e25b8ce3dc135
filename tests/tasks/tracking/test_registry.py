import pickletools
import re
import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, WEIGHTS, load_checkpoint, save_checkpoint
from tasks.tracking.registry import (
    champion,
    find_version,
    previous,
    promote,
    register_model,
)
from tasks.tracking.undoing import refuse_undoing
from unlearn_core.data import normalise
from unlearn_core.errors import PipelineError, RequestError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.base import sha256
from unlearn_core.records.data import Normalisation

TAGS = {"lethe.request": "demo", "lethe.method": "pgu", "lethe.certificate": sha256(b"certificate")}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Two checkpoints of one architecture, by seed."""
    architecture = Architecture(name="small_resnet", classes=("a", "b", "c"), input_shape=(1, 8, 8))
    folders = {}
    for seed in (0, 1):
        folders[seed] = tmp_path_factory.mktemp("checkpoint")
        card = CheckpointCard(
            architecture=architecture,
            normalisation=Normalisation(mean=(0.25,), std=(0.5,)),
            weights=sha256(b"filled in"),
            data=sha256(b"data"),
            seed=seed,
            threads=1,
            recipe=Recipe(),
        )
        save_checkpoint(folders[seed], build_seeded(architecture, seed), card)
    return folders


@dataclass
class Registry:
    run: object
    name: str
    key: str
    checkpoints: dict

    def register(self, seed=0, key=None, tags=TAGS):
        folder = self.checkpoints[seed]
        return register_model(
            self.run, self.name, weights=folder / WEIGHTS, card=folder / CARD, key=key or self.key, tags=tags
        )

    def versions(self):
        return self.run.tracking.client.search_model_versions(f"name = '{self.name}'")


@pytest.fixture
def registry(run, key, checkpoints):
    return Registry(run, "model-" + key[-12:], key, checkpoints)


@pytest.fixture
def folder_of_registered(registry):
    version = registry.register()
    client = registry.run.tracking.client
    source = client.get_model_version(registry.name, str(version.version)).source
    return Path(
        client.get_logged_model(source.removeprefix("models:/")).artifact_location.removeprefix("file://")
    )


def test_the_version_before_says_what_it_still_knows(registry):
    client = registry.run.tracking.client
    first, second = (registry.register(seed) for seed in (0, 1))
    promote(registry.run.tracking, registry.name, first.version)
    assert client.get_model_version(registry.name, "1").description == ""
    for _ in range(2):
        promote(registry.run.tracking, registry.name, second.version)
        described = client.get_model_version(registry.name, "1").description
        assert described.count("Still knows what version 2 forgot (`demo`), until it is deleted") == 1


def test_the_registry_page_says_how_to_end_what_the_version_before_knows(registry):
    client = registry.run.tracking.client
    first, second = (registry.register(seed) for seed in (0, 1))
    for version in (first, second):
        promote(registry.run.tracking, registry.name, version.version)
    page = client.get_registered_model(registry.name).description
    assert "`previous` still knows what `champion` forgot" in page
    model = client.get_model_version(registry.name, "1").source.removeprefix("models:/")
    (commands,) = (one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "delete" in one)
    exec("import mlflow\n" + commands)
    assert [int(one.version) for one in registry.versions()] == [2]
    assert previous(registry.run.tracking, registry.name) is None
    assert model not in {
        one.model_id for one in client.search_logged_models([registry.run.tracking.experiment_id])
    }
    assert champion(registry.run.tracking, registry.name).version == 2


def test_a_promoted_model_predicts_what_the_checkpoint_does(registry):
    import mlflow

    promote(registry.run.tracking, registry.name, registry.register().version)
    images = np.random.default_rng(0).random((5, 1, 8, 8), dtype=np.float32)
    served = mlflow.pyfunc.load_model(f"models:/{registry.name}@champion").predict(images)
    model, card = load_checkpoint(registry.checkpoints[0])
    with torch.inference_mode():
        expected = model(normalise(torch.from_numpy(images), card.normalisation)).numpy()
    np.testing.assert_array_equal(served, expected)


def test_a_served_model_refuses_images_of_another_shape(registry):
    import mlflow

    version = registry.register().version
    served = mlflow.pyfunc.load_model(f"models:/{registry.name}/{version}")
    with pytest.raises(mlflow.exceptions.MlflowException, match="shape"):
        served.predict(np.zeros((5, 3, 8, 8), dtype=np.float32))


def holds_a_pickle(path):
    """Tell by content: a stream of pickle instructions to its end, or an archive of one."""
    if zipfile.is_zipfile(path):
        return any(name.endswith(".pkl") for name in zipfile.ZipFile(path).namelist())
    try:
        return len(list(pickletools.genops(path.read_bytes()))) > 1
    except ValueError:
        return False


def test_no_artifact_is_a_pickle(folder_of_registered):
    files = [path for path in folder_of_registered.rglob("*") if path.is_file()]
    assert {"model.safetensors", "card.json", "served_model.py", "MLmodel"} <= {path.name for path in files}
    assert [path for path in files if holds_a_pickle(path)] == []


@pytest.mark.parametrize("pickled", [b"\x80\x04K\x01.", b"(lp0\nI1\na."])
def test_the_search_for_pickles_would_find_one(pickled, tmp_path):
    (tmp_path / "model.json").write_bytes(pickled)
    assert holds_a_pickle(tmp_path / "model.json")


def test_a_registered_model_brings_its_own_code(folder_of_registered):
    assert (folder_of_registered / "code" / "unlearn_core" / "models.py").is_file()


def test_a_registered_model_does_not_tell_where_it_was_made(folder_of_registered, registry):
    written = (folder_of_registered / "MLmodel").read_text()
    assert str(registry.checkpoints[0]) not in written
    assert str(Path(__file__).parents[3]) not in written


def test_a_registered_model_does_not_tell_where_the_store_is(folder_of_registered, mlflow_root):
    files = [path for path in folder_of_registered.rglob("*") if path.is_file()]
    assert [path for path in files if str(mlflow_root).encode() in path.read_bytes()] == []


def test_a_logged_model_does_not_say_who_logged_it(folder_of_registered, registry):
    (model,) = registry.run.tracking.client.search_logged_models(
        [registry.run.tracking.experiment_id], f"name = '{registry.name}'"
    )
    assert "mlflow.user" not in model.tags


def test_the_same_model_registered_twice_is_one_version(registry):
    assert registry.register() == registry.register()
    assert len(registry.versions()) == 1


def test_a_registered_model_explains_itself(registry):
    registry.register()
    described = registry.run.tracking.client.get_registered_model(registry.name).description
    assert described.startswith("**A model from which personal data is deleted on request.**")
    assert f"models:/{registry.name}@champion" in described


def test_a_description_that_somebody_wrote_stays_and_a_missing_one_is_added(registry):
    client = registry.run.tracking.client
    client.create_registered_model(registry.name)
    registry.register(0)
    assert "champion" in client.get_registered_model(registry.name).description
    client.update_registered_model(registry.name, description="ours")
    registry.register(1)
    assert client.get_registered_model(registry.name).description == "ours"


def test_other_weights_or_another_deletion_are_another_version(registry):
    assert registry.register(0).version == 1
    assert registry.register(1).version == 2
    assert registry.register(0, key=sha256(b"another deletion")).version == 3


def test_a_version_says_where_it_came_from(registry):
    version = registry.register()
    weights = load_checkpoint(registry.checkpoints[0])[1].weights
    files = version.tags.pop("lethe.files")
    assert files.startswith("sha256:")
    assert version.tags == TAGS | {"lethe.deletion_key": registry.key, "lethe.weights": weights}
    assert registry.versions()[0].run_id == registry.run.id


def test_weights_that_the_card_does_not_name_are_not_registered(registry):
    first, second = registry.checkpoints.values()
    with pytest.raises(PipelineError, match="nothing was registered"):
        register_model(
            registry.run,
            registry.name,
            weights=first / WEIGHTS,
            card=second / CARD,
            key=registry.key,
            tags={},
        )
    assert registry.versions() == []


def test_a_version_is_found_by_all_its_tags(registry):
    version = registry.register()
    tracking, name = registry.run.tracking, registry.name
    assert find_version(tracking, name, {"lethe.request": "demo", "lethe.method": "pgu"}) == version
    assert find_version(tracking, name, {"lethe.request": "demo", "lethe.method": "ssd"}) is None
    assert find_version(tracking, "no-such-model", {}) is None


def test_of_several_versions_with_the_tags_the_oldest_is_found(registry):
    first, _ = registry.register(0), registry.register(1)
    assert find_version(registry.run.tracking, registry.name, {"lethe.request": "demo"}) == first


def test_there_is_no_champion_before_one_is_promoted(registry):
    tracking, name = registry.run.tracking, registry.name
    assert champion(tracking, name) is None
    registry.register()
    assert champion(tracking, name) is None
    assert previous(tracking, name) is None


def test_promoting_keeps_the_way_back(registry):
    tracking, name = registry.run.tracking, registry.name
    first, second = registry.register(0), registry.register(1)
    promote(tracking, name, first.version)
    promote(tracking, name, second.version)
    assert (champion(tracking, name), previous(tracking, name)) == (second, first)


def test_promoting_the_champion_again_changes_nothing(registry):
    tracking, name = registry.run.tracking, registry.name
    first, second = registry.register(0), registry.register(1)
    for version in (first, second, second):
        promote(tracking, name, version.version)
    assert (champion(tracking, name), previous(tracking, name)) == (second, first)


def test_a_promotion_can_be_taken_back(registry):
    tracking, name = registry.run.tracking, registry.name
    first, second = registry.register(0), registry.register(1)
    for version in (first, second, first):
        promote(tracking, name, version.version)
    assert (champion(tracking, name), previous(tracking, name)) == (first, second)


@pytest.fixture
def forgetful(registry):
    """A registry in which two requests were served, one after the other; the data sets, oldest first."""
    data = tuple(f"{registry.key}{number}" for number in range(3))
    for number, (before, left) in enumerate(pairwise(data)):
        tags = {Tag.REQUEST: f"r-{number + 1}", Tag.DATA: before, Tag.RETAINED: left}
        tags |= {Tag.SOURCES: " ".join(data[number::-1])}
        promote(registry.run.tracking, registry.name, registry.register(number, f"{number}", tags).version)
    return registry, data


@pytest.mark.parametrize("since", ["", "another model was adopted", "the first version was deleted"])
def test_a_model_that_still_knows_what_was_forgotten_is_refused(forgetful, since):
    registry, (first, second, third) = forgetful
    tracking, name = registry.run.tracking, registry.name
    if "adopted" in since:
        promote(tracking, name, registry.register(0, "adopted", {}).version)
    if "deleted" in since:
        tracking.client.delete_model_version(name, "1")
    for ancestry in ((first,), (second, first), ("data of another deletion", first)):
        with pytest.raises(RequestError, match="version 2 has forgotten request 'r-2' from this data"):
            refuse_undoing(tracking, name, request_id="r-3", ancestry=ancestry)
    for ancestry in ((third, second, first), ("other data",)):
        refuse_undoing(tracking, name, request_id="r-3", ancestry=ancestry)
    refuse_undoing(tracking, name, request_id="r-2", ancestry=(second, first))
