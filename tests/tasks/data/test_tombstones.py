"""What was forgotten is refused when it comes back, or listed; without the key a tombstone says nothing."""

import shutil

import numpy as np
import pytest
from pictures import encoded, jpeg, photo
from PIL import Image
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.params import write_params
from tasks.data.alike import keep_pictures
from tasks.data.digits import Digits
from tasks.data.fingerprints import with_fingerprints
from tasks.data.folders import Folders
from tasks.data.tombstones import (
    current_tombstones,
    refuse_forgotten,
    remove_tombstones,
    write_tombstones,
)
from tasks.keys.folder import home, load_pseudonym_key
from tasks.keys.marks import marks_of, open_looks
from tasks.keys.ring import rotate_pseudonym_key, shred_pseudonym_keys
from unlearn_core.errors import ForgottenError, RequestError, SetupError
from unlearn_core.fingerprints import perceptual_hash, pixel_digest
from unlearn_core.records.params import DigitsSource, ImageFolderSource
from unlearn_core.records.tombstone import Tombstones
from unlearn_core.selection import Manifest

SOURCE = ImageFolderSource(path="photos")


MINE = photo(1000)


@pytest.fixture
def checkout(tmp_path):
    """A folder of photographs, one of which request r-1 had forgotten since; it is not there any more."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for part in ("train", "test"):
        for label in ("left", "right"):
            folder = tmp_path / "photos" / part / label
            folder.mkdir(parents=True)
            for number in range(6):
                seed = number + 100 * (label == "right") + 500 * (part == "test")
                (folder / f"{number}.png").write_bytes(encoded(photo(seed)))
    checkout = Checkout(tmp_path)
    add(checkout, encoded(MINE))
    folder = Folders().import_beside(checkout, SOURCE)
    before = with_fingerprints(checkout, folder)
    write_tombstones(checkout, "r-1", before, without(before, "train/left/mine.png"))
    shutil.rmtree(checkout.lethe)
    (tmp_path / "photos/train/left/mine.png").unlink()
    return checkout


def without(manifest, sample):
    rows = manifest.sample_ids != sample
    columns = ("sample_ids", "labels", "splits", "subject_ids", "sha256", "pixels", "looks")
    return Manifest(**{name: getattr(manifest, name)[rows] for name in columns}, classes=manifest.classes)


def add(checkout, raw, name="train/left/mine.png"):
    (checkout.root / "photos" / name).write_bytes(raw)


def imported(checkout):
    return Folders().import_beside(checkout, SOURCE)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_forgotten_picture_in_whatever_file_is_refused_naming_its_request(checkout, kind):
    imported(checkout)
    add(checkout, encoded(MINE, kind), f"train/right/back.{kind.lower()}")
    with pytest.raises(
        ForgottenError, match=r"1 picture\(s\) are the same as what request\(s\) r-1 had"
    ) as caught:
        imported(checkout)
    assert "back" not in str(caught.value)
    assert "train/right/back" in (checkout.lethe / "pictures-found.csv").read_text()
    assert not checkout.dataset.exists()
    with pytest.raises(RequestError, match="cannot be kept"):
        keep_pictures(checkout, (f"train/right/back.{kind.lower()}",))
    remove_tombstones(checkout, "r-1")
    imported(checkout)


@pytest.mark.parametrize(
    "raw",
    [jpeg(MINE, 60), encoded(MINE.resize((29, 29), Image.Resampling.BILINEAR).resize((32, 32)))],
    ids=["quality 60", "scaled by 0.9"],
)
def test_what_looks_like_a_forgotten_picture_is_listed_until_a_person_decides(checkout, raw):
    add(checkout, raw, "train/left/back.png")
    with pytest.raises(ForgottenError, match=r"0 picture\(s\) are the same .* and 1 look like it"):
        imported(checkout)
    assert keep_pictures(checkout, (), everything=True) == 1
    assert imported(checkout).is_dir()
    add(checkout, jpeg(MINE, 50), "train/left/again.png")
    with pytest.raises(ForgottenError, match="1 look like it"):
        imported(checkout)


def test_nothing_is_decided_about_what_was_not_found(checkout):
    with pytest.raises(SetupError, match="nothing was found"):
        keep_pictures(checkout, ("train/left/0.png",))
    with pytest.raises(RequestError, match="with --sample, or"):
        keep_pictures(checkout, ())
    add(checkout, jpeg(MINE, 60), "train/left/back.png")
    with pytest.raises(ForgottenError):
        imported(checkout)
    with pytest.raises(RequestError, match="1 of the samples named"):
        keep_pictures(checkout, ("train/left/back.png", "train/left/0.png"))
    with pytest.raises(ForgottenError):
        imported(checkout)


def test_a_tombstone_holds_no_image_and_is_useless_without_the_key(checkout, monkeypatch):
    raw = checkout.tombstones("r-1").read_text()
    shown = f"{perceptual_hash(MINE):016x}"
    assert pixel_digest(MINE) not in raw
    assert shown not in raw
    assert bytes.fromhex(shown)[::-1] not in raw.encode()
    stone, key = read_record(checkout.tombstones("r-1"), Tombstones), load_pseudonym_key()
    pixels = np.array([pixel_digest(MINE)])
    assert marks_of(key, pixels) == list(stone.marks)
    assert open_looks(key, stone.looks, about=b"r-1").tolist() == [perceptual_hash(MINE)]
    assert marks_of(b"k" * 32, pixels) != list(stone.marks)
    for about, other in ((b"r-2", key), (b"r-1", b"k" * 32)):
        with pytest.raises(SetupError, match="do not open"):
            open_looks(other, stone.looks, about=about)
    monkeypatch.setenv("LETHE_PSEUDONYM_KEY", "5a" * 32)
    with pytest.raises(SetupError, match="do not open"):
        imported(checkout)


@pytest.fixture
def own_keys(tmp_path, monkeypatch):
    """The keys that the tombstones were made with, in a folder of the test's own."""
    shutil.copytree(home(), tmp_path / "keys")
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))


def test_tombstones_hold_after_their_key_was_rotated_and_so_does_what_was_decided(checkout, own_keys):
    add(checkout, jpeg(MINE, 60), "train/left/like.png")
    with pytest.raises(ForgottenError):
        imported(checkout)
    keep_pictures(checkout, (), everything=True)
    rotate_pseudonym_key()
    assert imported(checkout).is_dir()
    add(checkout, encoded(MINE), "train/left/back.png")
    with pytest.raises(ForgottenError, match=r"1 picture.* the same as what .* r-1 had"):
        imported(checkout)
    add(checkout, jpeg(MINE, 50), "train/left/back.png")
    with pytest.raises(ForgottenError, match="1 look like it"):
        imported(checkout)


def test_tombstones_of_a_destroyed_key_recognise_nothing_and_say_so_until_they_are_lifted(checkout, own_keys):
    rotate_pseudonym_key()
    shred_pseudonym_keys(only_retired=True, really=True)
    stone = read_record(checkout.tombstones("r-1"), Tombstones)
    assert marks_of(load_pseudonym_key(), np.array([pixel_digest(MINE)])) != list(stone.marks)
    with pytest.raises(SetupError, match="lethe tombstone lift"):
        imported(checkout)
    remove_tombstones(checkout, "r-1")
    add(checkout, encoded(MINE), "train/left/back.png")
    imported(checkout)


def test_an_expired_one_goes_and_one_without_a_term_stays(checkout, monkeypatch):
    assert [one.expires for one in current_tombstones(checkout)] == [None]
    remove_tombstones(checkout, "r-1")
    monkeypatch.setenv("LETHE_TOMBSTONE_DAYS", "30")
    folder = imported(checkout)
    rows = with_fingerprints(checkout, folder)
    write_tombstones(checkout, "r-2", rows, without(rows, "train/left/0.png"))
    (one,) = current_tombstones(checkout)
    assert one.expires is not None
    assert one.expires > one.made
    with pytest.raises(ForgottenError, match="r-2"):
        imported(checkout)
    monkeypatch.setattr("tasks.data.tombstones.now", lambda: "2999-01-01T00:00:00Z")
    imported(checkout)
    assert not checkout.tombstones("r-2").exists()


def test_the_data_that_a_request_began_from_are_no_obstacle_to_it_until_the_next_one(checkout):
    remove_tombstones(checkout, "r-1")
    folder = imported(checkout)
    rows = with_fingerprints(checkout, folder)
    write_tombstones(checkout, "r-2", rows, without(rows, "train/left/0.png"))
    again = Checkout(checkout.root).changed({"request": "r-2"})
    refuse_forgotten(again, lambda: rows)
    stone = read_record(again.tombstones("r-2"), Tombstones)
    again.generation("data", stone.retained).mkdir(parents=True)
    with pytest.raises(ForgottenError, match="r-2"):
        refuse_forgotten(again, lambda: rows)


def test_what_stays_in_the_data_gets_no_tombstone(checkout):
    remove_tombstones(checkout, "r-1")
    add(checkout, encoded(photo(0)), "train/right/twin.png")
    folder = imported(checkout)
    rows = with_fingerprints(checkout, folder)
    write_tombstones(checkout, "r-2", rows, without(rows, "train/left/0.png"))
    assert current_tombstones(checkout) == []


def test_without_tombstones_no_row_is_looked_at_and_no_key_is_needed(checkout, monkeypatch):
    remove_tombstones(checkout, "r-1")
    monkeypatch.setenv("LETHE_HOME", "/nowhere")
    refuse_forgotten(checkout, lambda: pytest.fail("the rows were read"))


def test_tombstones_that_are_not_here_are_told(checkout, capsys):
    checkout.tombstones("r-9").with_name("r-9.tombstones.dvc").write_text("outs: []\n")
    current_tombstones(checkout)
    assert "r-9.tombstones is not here" in capsys.readouterr().err


def test_forgotten_digits_are_refused_too(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    checkout, source = Checkout(tmp_path), DigitsSource()
    Digits().make(checkout, source)
    rows = with_fingerprints(checkout, checkout.dataset)
    write_tombstones(checkout, "r-1", rows, without(rows, "digit-0000"))
    with pytest.raises(ForgottenError, match=r"1 picture\(s\) are the same as what request\(s\) r-1"):
        Digits().make(checkout, DigitsSource(seed=1))
    write_params(tmp_path, {"request": "r-1"})
    Digits().make(Checkout(tmp_path), source)
