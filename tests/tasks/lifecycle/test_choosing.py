"""Images of the user's own to train on: as they are typed, and when there is no choice any more."""

import shutil

import pytest
from pictures import folder_of_pictures
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.data.own_images import ask_for_images, require_there
from tasks.lifecycle.choosing import settle_images
from unlearn_core.errors import ConfigurationError, SetupError


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    folder_of_pictures(tmp_path / "below/images", train=2, test=2)
    (tmp_path / "below/who.csv").write_text("path,subject\n")
    monkeypatch.chdir(tmp_path / "below")
    return Checkout(tmp_path)


def asked(checkout, data="images", **options):
    given = {"subjects": None, "name": "insects", "image_size": None, "skip": False, **options}
    return ask_for_images(data, **given)


def test_what_was_typed_becomes_sections_of_params(checkout):
    table = (checkout.root / "below/who.csv").relative_to(checkout.root / "below")
    sections, settings, _ = settle_images(checkout, asked(checkout, subjects=table, image_size=8, skip=True))
    assert sections == {
        "dataset": {
            **{"source": "imagefolder", "path": "below/images", "subjects": "below/who.csv"},
            **{"name": "insects", "image_size": 8, "on_bad_image": "skip"},
        },
        "registry": {"model": "insects"},
    }
    assert settings.image_size == 8


def test_everything_that_is_not_there_is_named_at_once(checkout):
    require_there("images", "who.csv")
    with pytest.raises(SetupError, match=r"--data: there is no imags\n--subjects: there is no whom\.csv"):
        require_there("imags", "whom.csv")


def test_a_setting_out_of_range_is_refused(checkout):
    with pytest.raises(ConfigurationError, match="image_size"):
        settle_images(checkout, asked(checkout, image_size=0))


def test_what_is_said_of_images_needs_images(checkout):
    assert asked(checkout, None) is None
    with pytest.raises(ConfigurationError, match="name these with --data"):
        asked(checkout, None, image_size=8)


def test_a_model_that_came_from_elsewhere_or_has_forgotten_is_not_trained_anew(checkout):
    checkout = checkout.changed({"parent": {"source": "champion", "weights": "sha256:" + "0" * 64}})
    with pytest.raises(ConfigurationError, match="make another project for other images"):
        settle_images(checkout, asked(checkout))
