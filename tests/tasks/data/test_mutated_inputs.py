"""Files from others, changed at random: each is read, or refused in words; nothing else comes of it.

Images, Parquet files, cards in YAML, tables in CSV and files of weights: each is cut, or some of its bytes
are exchanged, removed or repeated. Run more of them with ``MUTATED_INPUTS=2000``.
"""

import os
import random
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from kinds_of_images import every_kind
from pictures import CLASSES, encoded, picture
from safetensors.torch import save_file

from tasks.checkout.params import read_yaml
from tasks.data.headers import read_header
from tasks.data.shards import decode_whole
from tasks.data.subjects import read_subjects
from tasks.data.tables import list_parquet
from tasks.lifecycle.fitting import read_weights
from unlearn_core.errors import LetheError, UsageError
from unlearn_core.records.adoption import Claims
from unlearn_core.records.params import Columns, ParquetSource

COUNT = int(os.environ.get("MUTATED_INPUTS", "100"))
CARD = b"""architecture: &net torchvision:resnet18
classes: [ant, bee, cow]
normalisation: {mean: &half [0.5, 0.5, 0.5], std: *half}
accuracy: 0.82
recipe: {optimizer: sgd, learning_rate: 2e-1, epochs: 15, border: reflect}
"""
OWNERS = b'path,subject\ncat/0.png,alice\n"cat/a,b.png",bob\ndog/1.png,\n'


def mutated(raw, seed):
    """Return a file with a few changes, as damage and strange programs make them."""
    chance = random.Random(seed)
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        at = chance.randrange(max(len(changed), 1))
        length = chance.choice((1, 1, 2, 4, 16))
        kind = chance.randrange(6)
        if kind == 0:
            changed[at : at + length] = chance.randbytes(length)
        elif kind == 1:
            changed[at : at + length] = bytes([chance.choice((0, 127, 255))]) * length
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = changed[at : at + 64]
        elif kind == 4:
            changed[at : at + 1] = bytes([changed[at] ^ 1 << chance.randrange(8)] if changed else [])
        elif chance.randrange(4) == 0:
            del changed[at:]
    return bytes(changed)


def images(folder):
    kinds = [raw for raw, _ in every_kind().values() if 0 < len(raw) < 100_000]

    def attempt(seed):
        raw = mutated(kinds[seed % len(kinds)], seed)
        path = folder / "image"
        path.write_bytes(raw)
        with path.open("rb") as stream:
            read_header(stream)
        decode_whole(raw)

    return attempt


def tables(folder):
    rows = range(24)
    table = pa.table(
        {
            "image": pa.array([encoded(picture(row % 3, row)) for row in rows], pa.binary()),
            "label": pa.array([CLASSES[row % 3] for row in rows]).dictionary_encode(),
            "who": [None if row % 2 else f"person {row}" for row in rows],
        }
    )
    pq.write_table(table, folder / "whole.parquet", row_group_size=8, compression="gzip")
    whole = (folder / "whole.parquet").read_bytes()
    asked = ParquetSource(path="changed.parquet", columns=Columns(subject_id="who"))

    def attempt(seed):
        (folder / "changed.parquet").write_bytes(mutated(whole, seed))
        listed = list_parquet(folder, asked)
        unreadable = 0
        for row in range(len(listed)):
            try:
                listed.read(row)
            except UsageError:
                unreadable += 1

    return attempt


def cards(folder):
    def attempt(seed):
        (folder / "net.yaml").write_bytes(mutated(CARD, seed))
        read_yaml(folder / "net.yaml", Claims)

    return attempt


def owners(folder):
    def attempt(seed):
        (folder / "who.csv").write_bytes(mutated(OWNERS, seed))
        _, problems = read_subjects(folder / "who.csv", {"cat/0.png", "cat/a,b.png", "dog/1.png"})
        assert all(isinstance(problem, str) for problem in problems)

    return attempt


def weights(folder):
    save_file({"head.weight": torch.ones(3, 4), "head.bias": torch.ones(3)}, folder / "whole.safetensors")
    whole = (folder / "whole.safetensors").read_bytes()

    def attempt(seed):
        (folder / "net.safetensors").write_bytes(mutated(whole, seed))
        read_weights(folder / "net.safetensors")

    return attempt


@pytest.mark.parametrize("kind", [images, tables, cards, owners, weights])
def test_a_changed_file_is_read_or_refused_in_words(kind, tmp_path):
    attempt = kind(tmp_path)
    # Each system's reason why a file cannot be read is listed with an image's name.
    refusals = (LetheError, OSError) if kind is images else LetheError
    read = 0
    with warnings.catch_warnings():
        # Pillow warns of odd metadata; an import does not listen to it either.
        warnings.simplefilter("ignore")
        for seed in range(COUNT):
            try:
                attempt(seed)
                read += 1
            except refusals:
                continue
    assert 0 < read <= COUNT
