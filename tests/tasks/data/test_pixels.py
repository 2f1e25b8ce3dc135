"""Decoded pixels: made once, made anew when broken, and the same bits from memory and from disk."""

import subprocess
import sys

import pytest
import torch
from pictures import folder_of_pictures
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.data import pixels
from tasks.data.folders import Folders
from tasks.data.pool import Pool
from unlearn_core.data import Samples, concatenate, decode, normalise
from unlearn_core.records.params import ImageFolderSource

CPU = torch.device("cpu")
SIZE = 128
"""So large that 48 images take more than 2 MiB."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    checkout = Checkout(tmp_path_factory.mktemp("pixels"))
    (checkout.root / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    folder_of_pictures(checkout.root / "images")
    source = ImageFolderSource(path="images", channels=3, image_size=SIZE)
    Folders().import_beside(checkout, source)
    Folders().place(checkout, source)
    return checkout


def pool(checkout, memory_mib=None):
    text = (ROOT / "params.yaml").read_text()
    limit = "" if memory_mib is None else f"\n  memory_mib: {memory_mib}"
    (checkout.root / "params.yaml").write_text(text.replace("run:", f"run:{limit}", 1))
    return Pool(Checkout(checkout.root), CPU)


def bits(samples, size=7, seed=0):
    batches = samples.batches(size, generator=torch.Generator().manual_seed(seed))
    return [(batch.inputs, batch.labels) for batch in batches]


def same(first, second):
    return len(first) == len(second) and all(
        torch.equal(*pair)
        for one, other in zip(first, second, strict=True)
        for pair in zip(one, other, strict=True)
    )


def test_a_data_set_larger_than_the_setting_stays_on_disk(checkout):
    assert isinstance(pool(checkout).split("train").store, torch.Tensor)
    assert isinstance(pool(checkout, 1).split("train").store, pixels.PixelFile)


def test_batches_from_disk_are_the_bits_of_those_from_memory(checkout):
    in_memory, on_disk = pool(checkout).split("train"), pool(checkout, 1).split("train")
    assert same(bits(in_memory), bits(on_disk))


def test_parts_of_parts_are_the_same_rows_from_disk(checkout):
    def part(found):
        train = found.split("train")
        return concatenate(train.of_classes((2,)), train.of_classes((2,), exclude=True)).subset(
            torch.tensor([50, 3, 3, 19])
        )

    in_memory, on_disk = part(pool(checkout)), part(pool(checkout, 1))
    assert isinstance(on_disk.store, pixels.PixelFile)
    assert torch.equal(in_memory.inputs, on_disk.inputs)
    assert torch.equal(in_memory.labels, on_disk.labels)


def test_batches_are_what_decoding_each_image_gives(checkout, tmp_path):
    from tasks.data.datasets import each_image

    source = ImageFolderSource(path=str(checkout.root / "images"), channels=3)
    plain = Checkout(tmp_path)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    Folders().import_beside(plain, source)
    Folders().place(plain, source)
    found = Pool(plain, CPU)
    decoded = torch.from_numpy(decode(list(each_image(plain.dataset)), channels=3))
    expected = normalise(decoded, found.card.normalisation)
    rows = torch.from_numpy(found.manifest.splits == "train")
    assert torch.equal(found.split("train").inputs, expected[rows])


def test_images_are_decoded_once(checkout, monkeypatch):
    pool(checkout)
    monkeypatch.setattr(pixels, "open_image", None)
    assert len(pool(checkout).split("train")) == 60


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-1], lambda raw: raw[:-1] + b"?", lambda _: b""])
def test_broken_pixels_are_decoded_again(checkout, spoil):
    before = bits(pool(checkout).split("train"))
    (path,) = (path for path in (checkout.lethe / "pixels").iterdir() if not path.suffix)
    path.write_bytes(spoil(path.read_bytes()))
    assert same(bits(pool(checkout).split("train")), before)


def test_pixels_of_another_data_set_are_removed(checkout, tmp_path):
    pool(checkout)
    other = checkout.lethe / "pixels" / "0123456789abcdef"
    other.write_bytes(b"somebody's image")
    for path in (checkout.lethe / "pixels").glob("*.sha256"):
        path.unlink()
    pool(checkout)
    assert not other.exists()


MEASURE = """
import resource, sys
from pathlib import Path
import torch
from tasks.data.folders import Folders
from tasks.checkout.checkout import Checkout
from tasks.data.pool import Pool
from unlearn_core.records.params import ImageFolderSource

def work(root):
    checkout = Checkout(Path(root))
    source = ImageFolderSource(path="images", channels=3, image_size=192)
    Folders().import_beside(checkout, source)
    Folders().place(checkout, source)
    train = Pool(checkout, torch.device("cpu")).split("train")
    for batch in train.batches(4, generator=torch.Generator().manual_seed(0)):
        batch.inputs.sum()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

print(-work(sys.argv[1]) + work(sys.argv[2]))
"""


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    text = (ROOT / "params.yaml").read_text().replace("run:", "run:\n  memory_mib: 8", 1)
    roots = {"few": 20, "many": 200}
    for name, count in roots.items():
        folder_of_pictures(tmp_path / name / "images", train=count)
        (tmp_path / name / "params.yaml").write_text(text)
    command = [sys.executable, "-c", MEASURE, *(str(tmp_path / name) for name in roots)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 3 * 200 * 3 * 192**2 / 2**20 > 60
    assert float(done.stdout) < 24


def test_rows_of_a_file_are_read_in_the_order_asked_for(tmp_path):
    rows = torch.arange(24, dtype=torch.uint8).reshape(6, 2, 2)
    (tmp_path / "pixels").write_bytes(rows.numpy().tobytes())
    stored = pixels.PixelFile(tmp_path / "pixels", 6, (2, 2))
    asked = torch.tensor([5, 0, 5, 2])
    assert len(stored) == 6
    assert torch.equal(stored[asked], rows[asked])
    assert torch.equal(Samples(stored, torch.zeros(6)).inputs, rows)
