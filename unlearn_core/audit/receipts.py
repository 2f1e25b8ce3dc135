"""Receipts: that a record was among the training rows of a certificate, and is not among those after it.

A row's leaf is a keyed pseudonym that is made for one deletion alone::

    key    = HMAC(pseudonym key, "lethe.receipt/1" ‖ 0 ‖ data before ‖ 0 ‖ data retained)
    secret = HMAC(key, the sample's id)
    leaf   = SHA-256("lethe.receipt/1" ‖ 0 ‖ secret ‖ canonical JSON of [id, digest of the image])

Whoever gets a row's secret can tell that row's leaf; the neighbours' leaves say nothing, and are others in
the next deletion's trees. It is written as canonical JSON and one newline, and refused in any other form.
"""

import hashlib
import hmac
import json
from bisect import bisect_left
from collections.abc import Iterator

from unlearn_core.audit.merkle import MerkleTree, root_above
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256, canonical_json
from unlearn_core.records.certificate import DataDigests, DeletionCertificate
from unlearn_core.records.receipt import (
    ErasedRow,
    ManifestTrees,
    Neighbour,
    Place,
    Receipt,
    TreeHead,
)

CONTEXT = b"lethe.receipt/1\0"


def leaf_key(pseudonym_key: bytes, data: DataDigests) -> bytes:
    """Return the key of one deletion's leaves: no leaf can be linked with one of another deletion."""
    return _mac(pseudonym_key, CONTEXT + f"{data.before}\0{data.retained}".encode())


def secret_of(key: bytes, sample: str) -> bytes:
    """Return what opens a sample's leaf and no other."""
    return _mac(key, sample.encode())


def leaf_of(secret: bytes, sample: str, image: Sha256) -> bytes:
    """Return the leaf of a row.

    Args:
        secret: ``secret_of`` the sample.
        sample: The sample's id.
        image: The digest of its image's bytes.

    Returns:
        32 bytes, which say nothing of the row to whoever does not know the secret.
    """
    return hashlib.sha256(CONTEXT + secret + canonical_json([sample, image])).digest()


def trees_of(before: MerkleTree, after: MerkleTree) -> ManifestTrees:
    """Return what a certificate says of the two trees."""
    return ManifestTrees(before=_head(before), after=_head(after))


def erased_row(
    before: MerkleTree, after: MerkleTree, *, secret: bytes, sample: str, image: Sha256
) -> ErasedRow:
    """Show that a row is in one tree and not in another.

    Args:
        before: The tree with it.
        after: The tree without it.
        secret: ``secret_of`` the sample.
        sample: The sample's id.
        image: The digest of its image's bytes.

    Returns:
        The proof; ``check_receipt`` refuses it if the row is not in the first tree, or is in the second.
    """
    leaf = leaf_of(secret, sample, image)
    index, gap = bisect_left(before.leaves, leaf), bisect_left(after.leaves, leaf)
    return ErasedRow(
        sample=sample,
        image=image,
        secret=secret.hex(),
        before=Place(index=index, path=_hexadecimal(before.path(index))),
        left=_neighbour(after, gap - 1) if gap else None,
        right=_neighbour(after, gap) if gap < len(after) else None,
    )


def write_receipt(receipt: Receipt) -> bytes:
    """Return a receipt's file."""
    return receipt.canonical() + b"\n"


def read_receipt(raw: bytes) -> Receipt:
    """Read a receipt, if it is byte for byte as ``write_receipt`` writes it.

    Args:
        raw: The file's content.

    Returns:
        The receipt; nothing in it is verified.

    Raises:
        EvidenceError: If it is anything else.
    """
    try:
        canonical = canonical_json(json.loads(raw.decode())) + b"\n" == raw
        receipt = Receipt.parse(raw) if canonical else None
    except (ValueError, RecursionError, ConfigurationError) as error:
        raise EvidenceError(f"not a receipt of Lethe ({error}); ask the issuer for the original") from error
    if receipt is None:
        raise EvidenceError("the receipt was reformatted; ask the issuer for the original bytes")
    return receipt


def check_receipt(receipt: Receipt, certificate: DeletionCertificate) -> None:
    """Check a receipt against the certificate of its request.

    Args:
        receipt: The receipt.
        certificate: The verified certificate.

    Raises:
        EvidenceError: If a row is not shown to have been in, or not shown to be out; every problem is listed.
    """
    if (trees := certificate.manifest) is None:
        raise EvidenceError(
            "the certificate carries no trees of the training rows, so no receipt can be checked against it; "
            "it was made before Lethe wrote them"
        )
    problems = [
        f"row {number}: {said}" for number, row in enumerate(receipt.rows) for said in _wrong(row, trees)
    ]
    if receipt.request != certificate.request.id:
        problems.insert(0, f"it is about request {receipt.request}, not {certificate.request.id}")
    if problems:
        lines = "\n".join(f"  {one_line(problem)}" for problem in problems)
        raise EvidenceError(f"the receipt is not one of this certificate:\n{lines}")


def _wrong(row: ErasedRow, trees: ManifestTrees) -> Iterator[str]:
    """Yield what a row's proof does not show."""
    leaf = leaf_of(bytes.fromhex(row.secret), row.sample, row.image)
    if not _stands(row.before, leaf, trees.before):
        yield "it was not in: its way does not lead to the root before"
    left, right, size = row.left, row.right, trees.after.size
    for one in (left, right):
        if one is not None and not _stands(one, bytes.fromhex(one.leaf), trees.after):
            yield f"its neighbour at {one.index} does not lead to the root after"
    if (left is not None and left.leaf >= leaf.hex()) or (right is not None and right.leaf <= leaf.hex()):
        yield "its neighbours do not stand on either side of it"
    first = 0 if left is None else left.index + 1
    if first != (size if right is None else right.index):
        yield "its neighbours do not stand side by side, so it may be between them"


def _stands(place: Place, leaf: bytes, head: TreeHead) -> bool:
    """Tell whether a leaf stands at its place in the tree with this head."""
    root = root_above(leaf, place.index, head.size, [bytes.fromhex(one) for one in place.path])
    return root is not None and f"sha256:{root.hex()}" == head.root


def _head(tree: MerkleTree) -> TreeHead:
    return TreeHead(size=len(tree), root=f"sha256:{tree.root.hex()}")


def _neighbour(tree: MerkleTree, index: int) -> Neighbour:
    return Neighbour(index=index, path=_hexadecimal(tree.path(index)), leaf=tree.leaves[index].hex())


def _hexadecimal(hashes: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(one.hex() for one in hashes)


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
