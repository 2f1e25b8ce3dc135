"""The trees of a deletion's training rows, and the receipts that can be made from them.

The trees are made anew from the two data sets whenever they are needed: what is kept are the two roots in the
certificate. So a receipt can be made as long as the data set before the deletion still exists.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import read_card, read_manifest
from tasks.evidence.verification import verify_bytes
from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import load_pseudonym_key, read_certificate
from tasks.requests.request_file import make_scope, pseudonymiser, read_request
from unlearn_core.audit.merkle import MerkleTree
from unlearn_core.audit.receipts import (
    check_receipt,
    erased_row,
    leaf_key,
    leaf_of,
    secret_of,
    trees_of,
)
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DataDigests, DeletionCertificate
from unlearn_core.records.receipt import ManifestTrees, Receipt
from unlearn_core.selection import Manifest, rows_named


def manifest_trees(checkout: Checkout, data: DataDigests) -> ManifestTrees:
    """Return the trees of the checkout's deletion, for its certificate.

    Args:
        checkout: The checkout.
        data: The digests of its data set and of its retained one.

    Returns:
        Their sizes and roots.
    """
    key = leaf_key(load_pseudonym_key(), data)
    folders = (checkout.dataset, checkout.retained)
    before, after = (_tree(read_manifest(folder), key) for folder in folders)
    return trees_of(before, after)


def make_receipt(
    checkout: Checkout, request_id: str, *, samples: tuple[str, ...] = (), subjects: tuple[str, ...] = ()
) -> Receipt:
    """Make a receipt for one person: that rows of theirs were trained on, and no longer are.

    Args:
        checkout: The checkout.
        request_id: The id of a served request.
        samples: The ids of the samples that it is about.
        subjects: The ids of the persons that it is about; if nobody is named, whom the request names.

    Returns:
        The receipt, checked against the certificate.

    Raises:
        RequestError: If nothing named is a row that the request removed, or they are of several persons.
        SetupError: If the certificate has no trees, or the data sets are not here.
    """
    if not (path := checkout.certificate(request_id)).is_file():
        raise SetupError(
            f"there is no certificate of request {request_id!r} ({path}); serve the request first"
        )
    certified, _ = verify_bytes(read_certificate(path))
    if certified.manifest is None:
        raise SetupError(
            f"the certificate of {request_id!r} carries no trees of the training rows, which Lethe writes "
            "since receipts exist; no receipt can be made for it"
        )
    manifests = [
        read_manifest(_find_data(checkout, one)) for one in (certified.data.before, certified.data.retained)
    ]
    rows = _rows(checkout, request_id, manifests[0], samples=samples, subjects=subjects)
    receipt = _prove(certified, manifests[0], manifests[1], rows)
    check_receipt(receipt, certified)
    return receipt


def _prove(
    certified: DeletionCertificate, before: Manifest, after: Manifest, rows: NDArray[np.intp]
) -> Receipt:
    """Make the proofs of some rows of the data set before."""
    key, trees = _certified_trees(certified, before, after)
    named = [(str(before.sample_ids[row]), str(before.sha256[row])) for row in rows]
    proofs = (
        erased_row(*trees, secret=secret_of(key, sample), sample=sample, image=image)
        for sample, image in named
    )
    return Receipt(schema_version="lethe.receipt/1", request=certified.request.id, rows=tuple(proofs))


def _certified_trees(
    certified: DeletionCertificate, before: Manifest, after: Manifest
) -> tuple[bytes, tuple[MerkleTree, MerkleTree]]:
    """Return the key of a certificate's trees, and the trees.

    Raises:
        SetupError: If no key makes them.
    """
    for pseudonym_key in pseudonym_keys():
        key = leaf_key(pseudonym_key, certified.data)
        trees = _tree(before, key), _tree(after, key)
        if trees_of(*trees) == certified.manifest:
            return key, trees
    raise SetupError(
        "the trees of the data are not those of the certificate: the pseudonym key that it was made with is "
        "not here"
    )


def _rows(
    checkout: Checkout,
    request_id: str,
    manifest: Manifest,
    *,
    samples: tuple[str, ...],
    subjects: tuple[str, ...],
) -> NDArray[np.intp]:
    """Return the training rows that a receipt is about, all of which the request names."""
    request = read_request(checkout, request_id)
    asked = removed = rows_named(request.scope, manifest, pseudonymiser(request.scope)) & (
        manifest.splits == "train"
    )
    if samples or subjects:
        scope = make_scope(classes=(), samples=samples, subjects=subjects)
        asked = removed & rows_named(scope, manifest, pseudonymiser(scope))
    if not asked.any():
        raise RequestError(
            f"nothing of what is named was trained on and forgotten by request {request_id!r}; there is "
            "nothing that a receipt could show"
        )
    if not (samples or subjects) and len(persons := {*_owners(manifest, asked)}) > 1:
        raise RequestError(
            f"request {request_id!r} is about {len(persons)} persons or rows of nobody, and a receipt is for "
            "one; name the person with --subject, or samples with --sample"
        )
    return np.flatnonzero(asked)


def _owners(manifest: Manifest, rows: NDArray[np.bool_]) -> Iterator[str]:
    """Yield whom each row belongs to; one of nobody is by itself."""
    for row in np.flatnonzero(rows):
        yield str(manifest.subject_ids[row]) or f"\0{row}"


def _find_data(checkout: Checkout, digest: Sha256) -> Path:
    """Return the folder of the data set with a digest.

    Raises:
        SetupError: If none here has it.
    """
    for folder in (checkout.dataset, checkout.retained, checkout.generation("data", digest)):
        if (folder / "card.json").is_file() and read_card(folder).rows_digest == digest:
            return folder
    raise SetupError(
        f"the data set {digest} is not here, and a receipt is made from it; check out the commit that the "
        "request was served in and run `dvc checkout`, or `dvc pull`; once it is erased, none can be made"
    )


def _tree(manifest: Manifest, key: bytes) -> MerkleTree:
    """Return the tree of a data set's training rows."""
    rows = np.flatnonzero(manifest.splits == "train")
    named = zip(manifest.sample_ids[rows].tolist(), manifest.sha256[rows].tolist(), strict=True)
    return MerkleTree(leaf_of(secret_of(key, sample), sample, image) for sample, image in named)
