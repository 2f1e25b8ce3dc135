"""Torchvision's data sets as a source; torchvision finds a small one here and downloads nothing."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_card, read_manifest
from tasks.data.torchvision_sets import TorchvisionSets, list_torchvision
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.params import TorchvisionSource

COUNTS = {"train": 40, "t10k": 60}
DRAW = np.random.default_rng(0)
PIXELS = {part: DRAW.integers(0, 256, (count, 28, 28), dtype=np.uint8) for part, count in COUNTS.items()}
LABELS = {part: (np.arange(count) % 10).astype(np.uint8) for part, count in COUNTS.items()}


@pytest.fixture
def root(tmp_path):
    """The four files of MNIST, with few images in them."""
    folder = tmp_path / "sets/MNIST/raw"
    folder.mkdir(parents=True)
    for part in COUNTS:
        for name, values in (
            (f"{part}-images-idx3-ubyte", PIXELS[part]),
            (f"{part}-labels-idx1-ubyte", LABELS[part]),
        ):
            head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">i4").tobytes()
            (folder / name).write_bytes(head + values.tobytes())
    return tmp_path


def source(**settings):
    return TorchvisionSource(**{"dataset": "MNIST", "root": "sets", **settings})


def test_both_parts_are_listed_with_their_numbers(root):
    found = list_torchvision(root, source())
    assert (found.sample_ids[0], found.sample_ids[40], len(found)) == ("train/0000000", "test/0000000", 100)
    assert found.labels.tolist() == [*LABELS["train"], *LABELS["t10k"]]
    assert len(found.classes) == 10


def test_the_test_part_is_dealt_to_the_held_out_splits(root):
    found = list_torchvision(root, source())
    assert (found.splits[:40] == "train").all()
    assert set(found.splits[40:]) == {"tuning", "audit", "test"}


def test_classes_come_in_the_order_asked_for(root):
    names = list_torchvision(root, source()).classes
    turned = list_torchvision(root, source(classes=names[::-1]))
    assert turned.labels.tolist() == [9 - label for label in [*LABELS["train"], *LABELS["t10k"]]]


def test_other_classes_are_refused_with_those_there_are(root):
    with pytest.raises(ConfigurationError, match="torchvision's MNIST has 0 - zero, 1 - one"):
        list_torchvision(root, source(classes=("a", "b")))


def test_every_pixel_is_kept(root):
    folder = TorchvisionSets().import_beside(Checkout(root), source(normalisation=None))
    assert read_card(folder).input_shape == (1, 28, 28)
    assert read_manifest(folder).sample_ids[39] == "train/0000039"
    stored = np.stack([np.asarray(Image.open(io.BytesIO(image))) for image in each_image(folder)])
    np.testing.assert_array_equal(stored, np.concatenate([PIXELS["train"], PIXELS["t10k"]]))


@pytest.mark.parametrize("name", ["Nothing", "VisionDataset", "CocoCaptions", "ImageFolder", "os"])
def test_what_is_no_set_of_two_parts_is_refused_with_examples(root, name):
    with pytest.raises(ConfigurationError, match=r"no classification set .* CIFAR10, CIFAR100"):
        list_torchvision(root, source(dataset=name))


def test_a_set_that_cannot_be_opened_is_one_message(root):
    with pytest.raises(SetupError, match=r"torchvision's ImageNet cannot be opened"):
        list_torchvision(root, source(dataset="ImageNet"))


def test_canaries_are_planted_among_the_images_to_train_on(root):
    found, plain = TorchvisionSets().rows(root, source(canaries=9)), list_torchvision(root, source())
    wrong = found.labels != plain.labels
    planted = np.array(found.subject_ids) == CANARY_SUBJECT
    assert (wrong == (planted | (found.splits == "canary"))).all()
    assert planted.sum() == 9
    assert (plain.splits[wrong] == "train").all()
