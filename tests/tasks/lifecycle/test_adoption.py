"""A model from elsewhere: how accurate it is, and what is claimed of it."""

import pytest
import torch
from pictures import CLASSES, folder_of_pictures
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.data.folders import Folders
from tasks.data.pool import Pool
from tasks.lifecycle.adopting import settle_source
from tasks.lifecycle.claims import Adoption, find_claims, given_claims, merge
from tasks.lifecycle.trained_elsewhere import measure_accuracy, refuse_false_claim
from unlearn_core.errors import ConfigurationError
from unlearn_core.intervals import proportion
from unlearn_core.models import build_seeded
from unlearn_core.records.adoption import Claims
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.data import Normalisation
from unlearn_core.records.params import ImageFolderSource

NET = Architecture(name="small_resnet", classes=CLASSES, input_shape=(1, 8, 8))


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("adopted"))
    (checkout.root / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    folder_of_pictures(checkout.root / "images")
    folder = Folders().import_beside(checkout, ImageFolderSource(path="images"))
    return Pool(checkout, torch.device("cpu"), folder)


def test_the_accuracy_is_over_all_held_out_images_and_no_other(pool):
    model = build_seeded(NET, 0).eval()
    right = total = 0
    for split in ("tuning", "audit", "test"):
        part = pool.split(split)
        with torch.no_grad():
            right += int((model(part.inputs).argmax(1) == part.labels).sum())
        total += len(part)
    found = measure_accuracy(model, pool, threads=1)
    assert (found.value, found.samples) == (right / total, 36)


def test_a_model_of_other_classes_is_refused(pool):
    wider = Architecture(name="small_resnet", classes=tuple("abcd"), input_shape=(1, 8, 8))
    with pytest.raises(ConfigurationError, match=r"returns \[4\] numbers per image, the data has 3 classes"):
        measure_accuracy(build_seeded(wider, 0), pool, threads=1)


def test_a_model_of_other_channels_is_refused_with_what_to_do(pool):
    colour = Architecture(name="small_resnet", classes=CLASSES, input_shape=(3, 8, 8))
    with pytest.raises(ConfigurationError, match=r"cannot take images of \[1, 8, 8\]"):
        measure_accuracy(build_seeded(colour, 0), pool, threads=1)


def test_a_model_that_gives_no_finite_logits_is_refused(pool):
    model = build_seeded(NET, 0)
    with torch.no_grad():
        model.head.bias.fill_(1e38).mul_(100)
    with pytest.raises(ConfigurationError, match="the model cannot be judged"):
        measure_accuracy(model, pool, threads=1)


@pytest.mark.parametrize("claimed", [0.80, 0.7942, 0.8058])
def test_a_claim_inside_the_interval_is_believed(claimed):
    refuse_false_claim(proportion(8000, 10_000), claimed, 10)


@pytest.mark.parametrize("claimed", [0.79, 0.81, 0.0, 1.0])
def test_a_claim_outside_the_interval_is_refused_with_both_numbers(claimed):
    with pytest.raises(ConfigurationError, match=rf"80\.00% of 10000 .* but {claimed:.2%} was claimed"):
        refuse_false_claim(proportion(8000, 10_000), claimed, 10)


def test_without_a_claim_a_model_must_be_better_than_guessing():
    refuse_false_claim(proportion(120, 1000), None, 10)
    with pytest.raises(ConfigurationError, match="no better than guessing; check the order of the classes"):
        refuse_false_claim(proportion(115, 1000), None, 10)


def test_a_refused_claim_tells_of_orientation_tags_if_there_are_any():
    with pytest.raises(ConfigurationError, match="7 image\\(s\\) carry an orientation tag: say in its card"):
        refuse_false_claim(proportion(8000, 10_000), 0.9, 10, turned=7)


def test_a_claim_that_is_true_makes_a_poor_model_welcome():
    refuse_false_claim(proportion(115, 1000), 0.115, 10)


CARD = """
architecture: torchvision:resnet18
classes: [b, a]
normalisation: {mean: [0.5], std: [0.25]}
accuracy: 0.9
recipe: {optimizer: sgd, learning_rate: 0.2, epochs: 15, border: reflect}
"""


@pytest.mark.parametrize("name", ["net.yaml", "net.yml", "net.json"])
def test_the_card_beside_the_weights_is_found(tmp_path, name):
    claims = Claims(
        architecture="torchvision:resnet18",
        classes=("b", "a"),
        normalisation=Normalisation(mean=(0.5,), std=(0.25,)),
        accuracy=0.9,
        recipe=Recipe(optimizer="sgd", learning_rate=0.2, epochs=15, border="reflect"),
    )
    (tmp_path / name).write_text(CARD if name != "net.json" else claims.canonical().decode())
    assert find_claims(tmp_path / "net.safetensors", None) == claims


def test_a_named_card_goes_before_the_one_beside(tmp_path):
    (tmp_path / "net.yaml").write_text("accuracy: 0.9")
    (tmp_path / "other.yaml").write_text("accuracy: 0.8")
    assert find_claims(tmp_path / "net.safetensors", tmp_path / "other.yaml").accuracy == 0.8


def test_without_a_card_nothing_is_claimed(tmp_path):
    assert find_claims(tmp_path / "net.safetensors", None) == Claims()


def test_a_misspelt_claim_is_named(tmp_path):
    (tmp_path / "net.yaml").write_text("acuracy: 0.9\naccuracy: 2")
    with pytest.raises(ConfigurationError, match=r"(?s)net.yaml.*accuracy: Input should be less.*acuracy"):
        find_claims(tmp_path / "net.safetensors", None)


def test_what_is_said_goes_before_the_card():
    said = given_claims(
        architecture=None, accuracy=0.7, recipe=None, mean="0.1, 0.2", std="1,2", image_size=None
    )
    merged = merge(Claims(architecture="small_resnet", accuracy=0.9), said)
    assert merged == Claims(
        architecture="small_resnet",
        accuracy=0.7,
        normalisation=Normalisation(mean=(0.1, 0.2), std=(1.0, 2.0)),
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mean": "0.1"}, "go together"),
        ({"mean": "a,b", "std": "1"}, r"normalisation\.mean\.0.*'a,b'"),
        ({"accuracy": 82.0}, "less than or equal to 1"),
        ({"image_size": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_said_wrongly_is_named(wrong, said):
    nothing = dict.fromkeys(("architecture", "accuracy", "recipe", "mean", "std", "image_size"))
    with pytest.raises(ConfigurationError, match=said):
        given_claims(**{**nothing, **wrong})


def test_who_the_images_belong_to_is_written_down_relative_to_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    asked = Adoption("net.safetensors", "images", "model", None, Claims(), skip=False, subjects="who.csv")
    settings, _ = settle_source(Checkout(tmp_path), asked, Claims())
    assert settings == ImageFolderSource(name="model", path="below/images", subjects="below/who.csv")


def test_other_images_than_a_folders_take_no_table_of_subjects(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    asked = Adoption("net", "images.parquet", "model", None, Claims(), skip=False, subjects="who.csv")
    with pytest.raises(ConfigurationError, match=r"subjects: Extra inputs are not permitted"):
        settle_source(Checkout(tmp_path), asked, Claims())
