"""What becomes of each kind of image: a documented answer, in one import, for little time and memory."""

import contextlib
import csv
import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from kinds_of_images import READ, every_kind, folder_of_every_kind, png, with_orientation
from pictures import encoded, folder_of_pictures, picture, save
from PIL import Image, ImageOps
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_card, read_manifest
from tasks.data.folders import Folders
from tasks.data.headers import read_header
from tasks.data.importing import count_turned
from tasks.data.shards import decode_whole
from unlearn_core.data import open_image, pixels_of
from unlearn_core.errors import ConfigurationError, PipelineError, UsageError
from unlearn_core.records.params import ImageFolderSource

IMPORT = """
import re, resource, sys
from pathlib import Path

import torch  # which is loaded late, and takes half a gigabyte by itself

from tasks.checkout.checkout import Checkout
from tasks.data.folders import Folders
from unlearn_core.records.params import ImageFolderSource

def peak():
    # Not ru_maxrss, which begins with the memory of whoever started this process.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
source = ImageFolderSource(path="images", image_size=8)
before = peak()
try:
    Folders().import_beside(Checkout(Path(sys.argv[1])), source)
finally:
    print(peak() - before)
"""


@pytest.fixture
def root(tmp_path):
    folder_of_pictures(tmp_path / "images")
    return tmp_path


def imported(root, **settings):
    return Folders().import_beside(Checkout(root), ImageFolderSource(path="images", **settings))


def table(root, name):
    return list(csv.reader(io.StringIO((root / ".lethe" / name).read_text())))[1:]


def write(root, name, raw):
    (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
    (root / "images" / name).write_bytes(raw)


@pytest.fixture
def every(root):
    """Add every kind of image, and what systems leave; return the answers."""
    answers = folder_of_every_kind(root / "images")
    for number in range(5000, 5012):
        save(root / f"images/test/mixed/{number}.png", picture(2, number))
    for name in (
        "__MACOSX/a.png",
        "train/@eaDir/b.png",
        "train/ant/@eaDir/c.png/d.jpg",
        "train/ant/Thumbs/e.png",
    ):
        write(root, name, encoded(picture(1, 1)))
    write(root, "train/ant/more/f.png", encoded(picture(0, 6000)))
    return answers


def test_each_kind_has_its_answer_in_one_import(root, every, capsys):
    folder = imported(root, image_size=8, on_bad_image="skip")
    err = capsys.readouterr().err
    reasons = dict(table(root, "import-problems.csv"))
    assert reasons.keys() == {name for name, answer in every.items() if answer != READ}
    assert [name for name, why in reasons.items() if every[name] not in why] == []
    assert f"{len(reasons)} of 152 images cannot be read" in err
    read = {name for name, answer in every.items() if answer == READ}
    assert read == {one for one in read_manifest(folder).sample_ids.tolist() if "train/mixed" in one}
    assert "2 image(s) carry an orientation tag, which is not followed" in err
    assert "2 image(s) have transparency, which is dropped" in err
    assert "1 image(s) are CMYK" in err
    assert "4 system folder(s) in images are left out" in err
    assert "1 image(s) lie in folders below their class's" in err
    left_out = ["__MACOSX", "train/@eaDir", "train/ant/@eaDir", "train/ant/Thumbs"]
    assert [name for name, _ in table(root, "import-remarks.csv")] == [*left_out, "train/mixed/inside.bmp"]


@pytest.mark.long
def test_all_kinds_cost_little_time_and_memory(root, every):
    command = [sys.executable, "-c", IMPORT, str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "of 152 images cannot be read" in done.stderr
    assert int(done.stdout) <= 256, "MiB beside what the program itself takes"


def test_no_decoder_of_another_format_is_started(root, monkeypatch):
    started = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: started.append(1))
    raw, _ = every_kind()["postscript.png"]
    write(root, "train/ant/0003.png", raw)
    with pytest.raises(PipelineError):
        imported(root)
    assert started == []


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_wrong_with_an_image_is_a_reason_in_words(seed):
    random = np.random.default_rng(seed)
    for raw, _ in every_kind().values():
        for _ in range(3 if raw else 0):
            spoilt = bytearray(raw)
            for at in random.integers(0, len(spoilt), 1 + seed):
                spoilt[at] = random.integers(0, 256)
            spoilt = bytes(spoilt[: len(spoilt) if seed % 2 else random.integers(1, len(spoilt) + 1)])
            with contextlib.suppress(UsageError):
                read_header(io.BytesIO(spoilt), follow=True)
                decode_whole(spoilt)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_whole_pngs_of_any_shape_are_whole(mode, interlaced):
    for width, height in ((1, 1), (2, 9), (7, 3), (33, 17)):
        image = picture(0, width, size=(height, width), grey=False).convert(mode)
        raw = interlace(image) if interlaced else encoded(image)
        decode_whole(raw)


def interlace(image):
    """Write a PNG in Adam7's seven passes, which Pillow cannot: bits are left as they fall."""
    bits, kind = {"1": (1, 0), "L": (8, 0), "LA": (8, 4), "P": (8, 0), "RGB": (8, 2), "RGBA": (8, 6)}[
        image.mode
    ]
    depth = bits * len(image.getbands())
    rows = b""
    for x, y, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns = len(range(x, image.width, across))
        for _ in range(y, image.height, down) if columns else ():
            rows += bytes(1 + -(-columns * depth // 8))
    return png(image.width, image.height, rows, bits=bits, kind=kind, interlaced=True)


@pytest.mark.parametrize("settings", [{}, {"progressive": True}, {"quality": 20, "subsampling": 0}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_whole_jpegs_are_whole_whatever_follows_them(mode, settings):
    stream = io.BytesIO()
    picture(0, 1, size=(37, 53), grey=False).convert(mode).save(stream, "JPEG", **settings)
    for more in (b"", b"trailing", stream.getvalue(), b"\xff\xd9"):
        decode_whole(stream.getvalue() + more)


def test_images_of_several_sizes_are_refused_before_the_work(root, monkeypatch):
    for number, size in enumerate([(9, 12), (9, 12), (300, 200)]):
        save(root / f"images/train/bee/{number:04d}.png", picture(1, number, size=size))
    write(root, "train/ant/0001.png", b"no image")
    opened = []
    monkeypatch.setattr("unlearn_core.data.open_image", lambda raw: opened.append(raw) or open_image(raw))
    with pytest.raises(
        ConfigurationError, match=r"92 of 8x8, 2 of 9x12, 1 of 300x200\); set dataset\.image_"
    ):
        imported(root)
    assert len(opened) == 1
    assert table(root, "import-problems.csv") == [["train/ant/0001.png", "not an image"]]


def test_all_that_is_wrong_comes_in_one_refusal(root):
    for path in (root / "images/train/bee").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(PipelineError) as caught:
        imported(root, normalisation={"mean": (0.5,) * 3, "std": (0.5,) * 3})
    said = str(caught.value)
    assert "20 of 96 images cannot be read" in said
    assert "no training image is left of the class(es) bee" in said
    assert "has 3 means" in said


def test_a_file_larger_than_any_image_is_not_read(root):
    with (root / "images/train/ant/0001.png").open("wb") as stream:
        stream.truncate(300 << 20)
    with pytest.raises(PipelineError):
        imported(root)
    assert table(root, "import-problems.csv") == [
        ["train/ant/0001.png", "a file of 300 MiB; expected at most 244"]
    ]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_orientation_is_followed_where_that_is_set(root, kind, tag):
    for path in (root / "images").rglob("*.png"):
        path.unlink()
    raws = {}
    for number, place in enumerate([*(["train/ant", "train/bee"] * 2), *(["test/ant", "test/bee"] * 6)]):
        name = f"{place}/{number:02d}.{kind.lower()}"
        raws[name] = with_orientation(number, kind, tag)
        write(root, name, raws[name])
    for empty in ("train/cow", "test/cow"):
        (root / "images" / empty).rmdir()
    folder = imported(root, orientation="follow")
    stored = dict(zip(read_manifest(folder).sample_ids.tolist(), each_image(folder), strict=True))
    turned = tag > 4
    assert read_card(folder).input_shape == (3, *((24, 16) if turned else (16, 24)))
    for name, raw in raws.items():
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(raw)))
        np.testing.assert_array_equal(pixels_of(open_image(stored[name]), 3), pixels_of(upright, 3))
    assert count_turned(folder) == (0 if kind == "TIFF" or tag == 1 else len(raws))


def test_left_alone_an_image_with_a_tag_keeps_its_bytes(root):
    raw = with_orientation(1, "JPEG", 6)
    write(root, "train/ant/turned.jpg", raw)
    folder = imported(root, image_size=8)
    names = read_manifest(folder).sample_ids.tolist()
    assert list(each_image(folder))[names.index("train/ant/turned.jpg")] == raw


def test_settings_without_an_orientation_keep_their_digest():
    assert b"orientation" not in ImageFolderSource(path="images").canonical()
    follow = ImageFolderSource(path="images", orientation="follow")
    assert follow.digest != ImageFolderSource(path="images").digest


def test_the_same_picture_elsewhere_is_told_and_named(root, capsys):
    copy = (root / "images/train/ant/0001.png").read_bytes()
    write(root, "test/bee/2000.png", copy)
    save(root / "images/train/cow/again.bmp", open_image(copy))
    (root / "who.csv").write_text("path,subject\ntrain/ant/0001.png,ada\n")
    imported(root, subjects="who.csv")
    err = capsys.readouterr().err
    assert "2 image(s) are the same, pixel by pixel, as one elsewhere" in err
    assert "0001.png" not in err
    assert dict(table(root, "import-remarks.csv")) == {
        "train/ant/0001.png": "the same picture as test/bee/2000.png, of another class and split and person",
        "train/cow/again.bmp": "the same picture as test/bee/2000.png, of another class and split",
    }


def test_a_copy_beside_its_picture_is_named_too(root):
    write(root, "train/ant/copy.png", (root / "images/train/ant/0001.png").read_bytes())
    imported(root)
    named = [["train/ant/copy.png", "the same picture as train/ant/0001.png"]]
    assert table(root, "import-remarks.csv") == named


def test_where_nothing_is_odd_there_is_no_table(root):
    imported(root)
    assert not (root / ".lethe/import-remarks.csv").exists()


def test_classes_that_cannot_be_measured_are_told_at_import(root, capsys):
    for name, train, test in (("none", 5, 0), ("one", 5, 1), ("single", 1, 12)):
        for number in range(train):
            save(root / f"images/train/{name}/{number}.png", picture(2, 3000 + number))
        for number in range(test):
            save(root / f"images/test/{name}/{number}.png", picture(2, 4000 + number + len(name)))
    imported(root)
    err = capsys.readouterr().err
    assert "1 class(es) have no held-out image" in err
    assert "2 other class(es) have a single training image, or none in audit or test" in err
    remarks = [row for row in table(root, "import-remarks.csv") if "class" in row[1] and "/" not in row[0]]
    assert [name for name, _ in remarks] == ["none", "one", "single"]


def test_a_png_is_not_inflated_far_past_its_last_row():
    rows = zlib.compressobj(9)
    data = rows.compress(bytes(8 * 9 + 8 * 2**20)) + rows.flush(zlib.Z_FULL_FLUSH)
    # Whoever inflates all of it finds a block of no kind.
    data += b"\xff" * 16
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)),
        (b"IDAT", data),
        (b"IEND", b""),
    )
    file = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    assert decode_whole(b"\x89PNG\r\n\x1a\n" + file).size == (8, 8)


def test_pages_are_counted_up_to_a_number():
    page = Image.new("L", (1, 1))
    stream = io.BytesIO()
    page.save(stream, "TIFF", save_all=True, append_images=[page] * 150)
    with pytest.raises(UsageError, match=r"^100 or more pictures in one file"):
        read_header(stream)


class _Counting(io.BytesIO):
    """A file that counts how often it is read from."""

    reads = 0

    def read(self, size=-1, /):
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize(("kind", "count"), [("GIF", "2 or more"), ("PNG", "1500"), ("WEBP", "1500")])
def test_an_animation_is_refused_without_a_walk_through_its_frames(kind, count):
    shades = [Image.new("L", (1, 1), 255 * (index % 2)).convert("P") for index in range(1500)]
    stream = _Counting()
    shades[0].save(stream, kind, save_all=True, append_images=shades[1:], duration=40)
    stream.seek(0)
    stream.reads = 0
    with pytest.raises(UsageError, match=rf"^{count} pictures in one file"):
        read_header(stream)
    assert stream.reads < 500
