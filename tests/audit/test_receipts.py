"""A receipt shows what was in and is out; no other verifies, and the verifier on the page agrees."""

import base64
import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_certificate import statement
from world import content

from unlearn_core.audit.certificate import check
from unlearn_core.audit.merkle import MerkleTree
from unlearn_core.audit.receipts import (
    check_receipt,
    erased_row,
    leaf_key,
    leaf_of,
    read_receipt,
    secret_of,
    trees_of,
    write_receipt,
)
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.receipt import Neighbour, Place, Receipt

DOCUMENT = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text()
PLAIN = statement().predicate
CASES = 10_000


class Small:
    """A deletion of a few rows out of a few more, its certificate, and receipts about it."""

    def __init__(self, rows: int, forgotten: int, seed: int = 0) -> None:
        draw = random.Random(f"{rows} {forgotten} {seed}")
        self.key = leaf_key(draw.randbytes(32), PLAIN.data)
        self.names = [f"train/a/{row}.png" for row in range(rows)]
        self.gone = draw.sample(self.names, forgotten)
        self.kept = sorted(set(self.names) - set(self.gone))
        self.before = MerkleTree(map(self.leaf, self.names))
        self.after = MerkleTree(map(self.leaf, self.kept))
        self.certificate = PLAIN.model_copy(update={"manifest": trees_of(self.before, self.after)})

    def leaf(self, name):
        return leaf_of(secret_of(self.key, name), name, content(name))

    def row(self, name):
        secret = secret_of(self.key, name)
        return erased_row(self.before, self.after, secret=secret, sample=name, image=content(name))

    def receipt(self, *names):
        rows = tuple(self.row(name) for name in names or self.gone)
        return Receipt(schema_version="lethe.receipt/1", request=self.certificate.request.id, rows=rows)

    def neighbour(self, index):
        path = tuple(one.hex() for one in self.after.path(index))
        return Neighbour(index=index, path=path, leaf=self.after.leaves[index].hex())


def verifies(receipt, certificate):
    try:
        check_receipt(receipt, certificate)
    except EvidenceError:
        return False
    return True


def test_every_forgotten_row_has_a_receipt_that_verifies():
    for seed in range(40):
        small = Small(rows=2 + seed % 19, forgotten=1 + seed % 2 * (seed % 19), seed=seed)
        check_receipt(read_receipt(write_receipt(small.receipt())), small.certificate)


@pytest.mark.long
def test_no_receipt_of_a_retained_row_verifies_as_an_exclusion():
    """Whichever leaves of the tree after are given as its neighbours, each with its true proof."""
    tried, seed = 0, 0
    while tried < CASES:
        small = Small(rows=3 + seed % 11, forgotten=1, seed=seed)
        seed += 1
        size = len(small.after)
        name = small.kept[seed % size]
        honest = small.row(name)
        index = small.before.leaves.index(small.leaf(name))
        path = tuple(one.hex() for one in small.before.path(index))
        beside = [None, *map(small.neighbour, range(size))]
        for left in beside:
            for right in beside:
                parts = {"before": Place(index=index, path=path), "left": left, "right": right}
                receipt = small.receipt(small.gone[0]).model_copy(
                    update={"rows": (honest.model_copy(update=parts),)}
                )
                assert not verifies(receipt, small.certificate), (seed, left, right)
                tried += 1


@pytest.mark.long
def test_no_mutated_receipt_verifies():
    draw = random.Random(0)
    small = Small(rows=21, forgotten=3)
    raw = write_receipt(small.receipt(small.gone[0]))
    for _ in range(CASES):
        spoilt, at = bytearray(raw), draw.randrange(len(raw))
        match draw.randrange(3):
            case 0:
                spoilt[at] = draw.choice([byte for byte in b'0123456789abcdef"{},:\n' if byte != spoilt[at]])
            case 1:
                del spoilt[at : at + draw.randint(1, 70)]
            case _:
                spoilt[at:at] = draw.randbytes(1)
        try:
            receipt = read_receipt(bytes(spoilt))
        except EvidenceError:
            continue
        assert not verifies(receipt, small.certificate), (at, bytes(spoilt))


@pytest.mark.parametrize("field", ["sample", "image", "secret"])
def test_a_receipt_is_about_no_other_row(field):
    small = Small(rows=8, forgotten=2)
    mine, theirs = (small.row(name) for name in small.gone)
    swapped = mine.model_copy(update={field: getattr(theirs, field)})
    receipt = small.receipt().model_copy(update={"rows": (swapped,)})
    with pytest.raises(EvidenceError, match="it was not in"):
        check_receipt(receipt, small.certificate)


def test_a_receipt_of_another_request_or_deletion_is_refused():
    small, other = Small(rows=8, forgotten=2), Small(rows=8, forgotten=2, seed=1)
    with pytest.raises(EvidenceError, match="not one of this certificate"):
        check_receipt(small.receipt(), other.certificate)
    with pytest.raises(EvidenceError, match="it is about request r-x"):
        check_receipt(small.receipt().model_copy(update={"request": "r-x"}), small.certificate)
    with pytest.raises(EvidenceError, match="carries no trees"):
        check_receipt(small.receipt(), PLAIN)


def test_a_receipt_shows_nothing_of_anybody_else_and_links_no_two_deletions():
    small = Small(rows=30, forgotten=2)
    raw = write_receipt(small.receipt(small.gone[0])).decode()
    others = set(small.names) - {small.gone[0]}
    told = [one for name in others for one in (name, content(name), secret_of(small.key, name).hex())]
    assert [one for one in told if one in raw] == []
    later = PLAIN.data.model_copy(update={"before": PLAIN.data.retained})
    assert leaf_key(b"k" * 32, later) != leaf_key(b"k" * 32, PLAIN.data)


def test_a_reformatted_receipt_is_refused():
    raw = write_receipt(Small(rows=5, forgotten=1).receipt())
    with pytest.raises(EvidenceError, match="reformatted"):
        read_receipt(json.dumps(json.loads(raw)).encode())
    with pytest.raises(EvidenceError, match="not a receipt"):
        read_receipt(b'{"rows":[]}\n')


def test_a_certificate_whose_trees_say_that_nothing_was_deleted_contradicts_itself():
    trees = Small(rows=5, forgotten=1).certificate.manifest
    same = {"manifest": trees.model_copy(update={"after": trees.before})}
    with pytest.raises(EvidenceError, match="manifest: 5 training rows before, 5 after"):
        check(statement().model_copy(update={"predicate": PLAIN.model_copy(update=same)}))


def test_an_old_certificate_keeps_its_bytes_and_its_digest():
    assert b'"manifest"' not in statement().canonical()


def run_printed_verifier(folder: Path, small: Small, raw: bytes) -> subprocess.CompletedProcess[str]:
    (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)
    assert len(code.splitlines()) < 60
    whole = statement().model_copy(update={"predicate": small.certificate})
    payload = base64.b64encode(whole.canonical()).decode()
    (folder / "certificate").write_bytes(canonical_json({"payload": payload}))
    (folder / "receipt").write_bytes(raw)
    command = [sys.executable, "-c", code, folder / "certificate", folder / "receipt"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_verifier_printed_on_the_page_agrees(tmp_path):
    small = Small(rows=21, forgotten=4)
    raw = write_receipt(small.receipt())
    done = run_printed_verifier(tmp_path, small, raw)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"was in, is out: {name}" for name in small.gone]
    kept = small.receipt(small.kept[0])
    assert not verifies(kept, small.certificate)
    assert run_printed_verifier(tmp_path, small, write_receipt(kept)).returncode != 0
    spoilt = raw.replace(small.gone[0].encode(), b"train/b/1.png")
    assert run_printed_verifier(tmp_path, small, spoilt).returncode != 0
