"""``lethe train --data``: from a folder of images to a model, with how good it is in the end."""

import json

import pytest
from pictures import CLASSES, folder_of_pictures, save
from PIL import Image
from world import NOISE, files_of, lethe, make_checkout

from tasks.checkout.params import read_values

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def root(prefect_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    folder_of_pictures(folder / "images", train=30, test=12)
    return make_checkout(folder / "project")


@pytest.fixture(scope="module")
def trained(root):
    code, out, err = lethe(root, "train", "--data", str(root.parent / "images"), "--name", "insects")
    assert code == 0, out + err
    return out


def test_it_ends_with_accuracies_and_the_next_command(trained, root):
    code, out, err = lethe(root, "train", "--json")
    assert code == 0, err
    found = json.loads(out)["accuracies"]
    assert (found["training"]["samples"], found["held_out"]["samples"]) == (90, 36)
    by_class = found["held_out_by_class"]
    assert {name: one["samples"] for name, one in by_class.items()} == dict.fromkeys(CLASSES, 12)
    right = sum(12 * one["value"] for one in by_class.values())
    assert found["held_out"]["value"] == pytest.approx(right / 36)
    assert f"accuracy     {found['held_out']['value']:.2%} of 36 held-out images, " in trained
    assert "next         lethe delete r-1 --class NAME" in trained
    assert json.loads(out)["weights"] in trained


def test_params_name_the_images_from_then_on(trained, root):
    params = read_values(root)
    assert params["dataset"] == {
        "source": "imagefolder",
        "name": "insects",
        "path": str(root.parent / "images"),
    }
    assert params["registry"] == {"model": "insects"}


def all_of(root):
    return files_of(root / "data", root / "models") | {"params": (root / "params.yaml").read_bytes()}


def test_images_that_are_wrong_change_nothing(trained, root, tmp_path):
    images = folder_of_pictures(tmp_path / "images", train=4, test=4)
    save(images / "train/ant/large.png", Image.new("L", (20, 20)))
    before = all_of(root)
    code, _, err = lethe(root, "train", "--data", str(images))
    assert code == 2
    assert "the images differ in size" in err
    assert (
        files_of(root / "data", root / "models") | {"params": (root / "params.yaml").read_bytes()} == before
    )
