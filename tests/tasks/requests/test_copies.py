"""A person's picture that stays in the data as another file stops the deletion, by name, with the way out."""

import csv
import io

import pytest
from pictures import encoded, jpeg, photo
from PIL import Image

from tasks.checkout.checkout import Checkout
from tasks.data.alike import keep_pictures
from tasks.data.fingerprints import with_fingerprints
from tasks.data.folders import Folders
from tasks.requests.request_file import check_request, make_request, make_scope
from unlearn_core.errors import MisfitError, RequestError
from unlearn_core.records.params import ImageFolderSource

MINE = jpeg(photo(1000), 90)
SEEN = Image.open(io.BytesIO(MINE))
SAME = {
    "the same bytes": ("jpg", MINE),
    "PNG": ("png", encoded(SEEN)),
    "BMP": ("bmp", encoded(SEEN, "BMP")),
    "RGBA": ("png", encoded(SEEN.convert("RGBA"))),
    "a comment in the JPEG": ("jpg", MINE[:2] + b"\xff\xfe\x00\x08holida" + MINE[2:]),
}
ALIKE = {
    "quality 60": ("jpg", jpeg(SEEN, 60)),
    "quality 95": ("jpg", jpeg(SEEN, 95)),
    "scaled there and back": ("png", encoded(SEEN.resize((64, 64)).resize((32, 32)))),
}


@pytest.fixture
def root(tmp_path):
    lines = ["path,subject", "train/left/first.png,S-204"]
    for part, count in (("train", 6), ("test", 6)):
        for label in ("left", "right"):
            folder = tmp_path / "photos" / part / label
            folder.mkdir(parents=True)
            for number in range(count):
                seed = number + 100 * (label == "right") + 500 * (part == "test")
                (folder / f"{number}.png").write_bytes(encoded(photo(seed)))
                lines.append(f"{part}/{label}/{number}.png,P-{number}{label}")
    (tmp_path / "photos/train/left/first.png").write_bytes(encoded(photo(2000)))
    (tmp_path / "who.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def plant(root, name, raw, subject):
    (root / "photos" / name).write_bytes(raw)
    with (root / "who.csv").open("a") as who:
        who.write(f"{name},{subject}\n")


def checked(root, **named):
    checkout = Checkout(root)
    folder = Folders().import_beside(checkout, ImageFolderSource(path="photos", subjects="who.csv"))
    manifest = with_fingerprints(checkout, folder)
    scope = make_scope(**{"classes": (), "samples": (), "subjects": (), **named})
    return check_request(checkout, make_request("r-1", scope, model="digits"), manifest=manifest)


def table(root):
    return list(csv.DictReader(io.StringIO((root / ".lethe/pictures-found.csv").read_text())))


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("copy", SAME)
def test_a_copy_in_another_file_is_named_with_what_takes_it_in(root, copy, part):
    suffix, raw = SAME[copy]
    plant(root, f"{part}/left/mine.jpg", MINE, "S-204")
    plant(root, f"train/right/theirs.{suffix}", raw, "S-911")
    with pytest.raises(MisfitError, match="would be left behind") as caught:
        checked(root, subjects=("S-204",))
    assert caught.value.copies == (f"train/right/theirs.{suffix}",)
    whole = ("train/left/first.png", f"{part}/left/mine.jpg", f"train/right/theirs.{suffix}")
    assert checked(root, samples=whole).forget.sum() == (3 if part == "train" else 2)
    both = checked(root, subjects=("S-204",), samples=whole[2:])
    assert both.forget.sum() == (3 if part == "train" else 2)


@pytest.mark.parametrize("copy", ALIKE)
def test_a_picture_that_only_looks_alike_waits_for_a_decision(root, copy):
    suffix, raw = ALIKE[copy]
    plant(root, "train/left/mine.jpg", MINE, "S-204")
    theirs = f"train/right/theirs.{suffix}"
    plant(root, theirs, raw, "S-911")
    with pytest.raises(RequestError, match=f"lethe tombstone keep --sample {theirs}"):
        checked(root, subjects=("S-204",))
    assert keep_pictures(Checkout(root), (theirs,)) == 1
    assert checked(root, subjects=("S-204",)).forget.sum() == 2
    # The decision is about the picture, not about its name, and about no other.
    (root / "photos" / theirs).rename(root / f"photos/train/right/renamed.{suffix}")
    (root / "who.csv").write_text((root / "who.csv").read_text().replace("theirs", "renamed"))
    assert checked(root, subjects=("S-204",)).forget.sum() == 2
    plant(root, "train/right/another.jpg", jpeg(SEEN, 50), "S-911")
    with pytest.raises(RequestError, match=r"1 picture\(s\) that stay look like"):
        checked(root, subjects=("S-204",))


def test_of_a_class_what_looks_alike_elsewhere_is_told_and_stops_nothing(root, capsys):
    plant(root, "train/left/mine.jpg", MINE, "S-204")
    plant(root, "train/right/theirs.jpg", ALIKE["quality 60"][1], "S-911")
    plant(root, "train/right/more.png", encoded(photo(77)), "S-911")
    (root / "photos/train/other").mkdir()
    (root / "photos/test/other").mkdir()
    for number in range(6):
        plant(root, f"train/other/{number}.png", encoded(photo(3000 + number)), "S-1")
        plant(root, f"test/other/{number}.png", encoded(photo(3100 + number)), "S-1")
    assert checked(root, classes=("left",)).forget.sum() == 8
    assert "1 picture(s) that stay look like what is to be forgotten" in capsys.readouterr().err
    assert table(root)[0]["sample_id"] == "train/right/theirs.jpg"


def test_a_log_that_is_kept_names_nobody(root, monkeypatch):
    monkeypatch.setenv("LETHE_LOG", "json")
    plant(root, "train/left/mine.jpg", MINE, "S-204")
    plant(root, "train/right/theirs.jpg", ALIKE["quality 60"][1], "S-911")
    with pytest.raises(RequestError) as caught:
        checked(root, subjects=("S-204",))
    assert "theirs" not in str(caught.value)
    assert "hmac-sha256:" in str(caught.value)


def test_an_image_is_decoded_once(root, monkeypatch):
    checked(root, subjects=("S-204",))
    monkeypatch.setattr("tasks.data.fingerprints.each_image", None)
    assert checked(root, subjects=("S-204",)).forget.sum() == 1
    kept = next((root / ".lethe/fingerprints").iterdir())
    kept.write_bytes(kept.read_bytes()[:-1])
    monkeypatch.undo()
    assert checked(root, subjects=("S-204",)).forget.sum() == 1
