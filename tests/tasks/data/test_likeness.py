"""Pictures that are nearly the same: found when saved anew, not mistaken for others, and told at import."""

import csv
import io

import numpy as np
import pytest
from pictures import save
from PIL import Image, ImageEnhance

from tasks.checkout.checkout import Checkout
from tasks.data.folders import Folders
from tasks.data.likeness import difference_hash, near_pairs
from unlearn_core.records.params import ImageFolderSource

COUNT = 60


def scene(number, size=64):
    """Return light and shade, as in a photograph that is out of focus."""
    random = np.random.default_rng(number)
    coarse = Image.fromarray(random.integers(0, 256, (7, 7, 3), dtype=np.uint8))
    return coarse.resize((size, size), Image.Resampling.BICUBIC)


def saved_anew(image, kind, **how):
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return Image.open(io.BytesIO(stream.getvalue()))


def hash_of(image):
    return difference_hash(np.asarray(image.convert("RGB")).transpose(2, 0, 1))


ANEW = {
    "compressed": lambda image: saved_anew(image, "JPEG", quality=70),
    "scaled": lambda image: image.resize((48, 48)).resize((64, 64)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "grey": lambda image: image.convert("L"),
}


@pytest.mark.parametrize("how", ANEW)
def test_a_picture_saved_anew_is_found(how):
    scenes = [scene(number) for number in range(COUNT)]
    found = set(near_pairs([*map(hash_of, scenes), *(hash_of(ANEW[how](one)) for one in scenes)]))
    assert len(found & {(row, row + COUNT) for row in range(COUNT)}) > 0.7 * COUNT
    assert {other - one for one, other in found} == {COUNT}


def test_other_pictures_are_not_taken_for_it():
    assert near_pairs([hash_of(scene(number)) for number in range(1000)]) == []


def test_what_is_plain_or_small_is_not_compared():
    plain = [hash_of(Image.new("L", (64, 64), grey)) for grey in (0, 0, 200)]
    small = [hash_of(scene(1, size=12))] * 2
    assert small == ["", ""]
    assert near_pairs([*plain, *small]) == []
    assert near_pairs([]) == near_pairs(small) == []


def test_each_pair_comes_once_with_the_rows_that_they_are():
    twins = ["", hash_of(scene(1)), "", hash_of(scene(2)), hash_of(scene(1))]
    assert near_pairs(twins) == [(1, 4)]


@pytest.fixture
def root(tmp_path):
    """A project's folder with two classes, and pictures of both parts."""
    for part, start, count in (("train", 0, 8), ("test", 50, 8)):
        for label, name in enumerate(("ant", "bee")):
            for number in range(start, start + count):
                save(tmp_path / "images" / part / name / f"{number}.png", scene(100 * label + number))
    return tmp_path


def remarks(root, **settings):
    settings = ImageFolderSource(path="images", **settings)
    Folders().import_beside(Checkout(root), settings)
    path = root / ".lethe/import-remarks.csv"
    return list(csv.reader(path.read_text().splitlines()))[1:] if path.is_file() else []


def test_a_picture_of_another_person_or_split_is_told_at_import_and_named(root, capsys):
    anew = saved_anew(scene(0), "JPEG", quality=80)
    save(root / "images/test/ant/anew.jpg", anew)
    save(root / "images/train/ant/anew.jpg", anew.resize((48, 48)).resize((64, 64)))
    (root / "who.csv").write_text("path,subject\ntrain/ant/0.png,ada\n")
    named = dict(remarks(root, subjects="who.csv"))
    assert named == {
        "train/ant/0.png": "nearly the same picture as test/ant/anew.jpg, of another split and person",
        "train/ant/anew.jpg": "nearly the same picture as test/ant/anew.jpg, of another split",
    }
    err = capsys.readouterr().err
    assert "2 image(s) look nearly the same as one of another class, split or person" in err
    assert "anew" not in err


def test_a_series_of_one_person_in_one_split_is_nothing_odd(root):
    save(root / "images/train/ant/anew.jpg", saved_anew(scene(0), "JPEG", quality=80))
    assert remarks(root) == []
