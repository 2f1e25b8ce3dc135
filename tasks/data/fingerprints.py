"""The fingerprints of a data set's images, kept by the digests of their files: an image is decoded once.

The file is derived personal data, as the pixels are. It holds only the current data set, and can be rebuilt.
"""

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, write_atomically
from tasks.checkout.progress import progress
from tasks.data.datasets import each_image, read_manifest
from unlearn_core import fingerprints
from unlearn_core.fingerprints import fingerprint
from unlearn_core.image_formats import open_format
from unlearn_core.progress import Step
from unlearn_core.records.base import sha256
from unlearn_core.selection import Manifest

_FILE, _WHOLE, _DIGITS = 32, 72, 64
"""Bytes of a file's digest, of that and a fingerprint; digits of a fingerprint that are of the pixels."""


def with_fingerprints(checkout: Checkout, folder: Path) -> Manifest:
    """Read the rows of a data set with what tells the same picture, decoding images that are new.

    Args:
        checkout: The checkout.
        folder: The data set's folder.

    Returns:
        The rows with ``pixels`` and ``looks``.
    """
    manifest, known = read_manifest(folder), _read(checkout)
    if missing := set(manifest.sha256.tolist()) - known.keys():
        rows = np.isin(manifest.sha256, sorted(missing))
        known |= _decode(folder, manifest, rows)
        keep_fingerprints(checkout, {digest: known[digest] for digest in manifest.sha256.tolist()})
    return fingerprinted(manifest, [known[digest] for digest in manifest.sha256.tolist()])


def fingerprinted(manifest: Manifest, found: list[str]) -> Manifest:
    """Return rows with their fingerprints, in order."""
    looks = np.array([int(one[_DIGITS:], 16) for one in found], dtype=np.uint64)
    return replace(manifest, pixels=np.array([one[:_DIGITS] for one in found]), looks=looks)


def keep_fingerprints(checkout: Checkout, found: Mapping[str, str]) -> None:
    """Keep the fingerprints of a data set, by the digests of its images' files, in place of all others."""
    path = _path(checkout)
    body = b"".join(bytes.fromhex(file.removeprefix("sha256:") + one) for file, one in found.items())
    for other in path.parent.glob("*"):
        other.unlink()
    write_atomically(path, hashlib.sha256(body).digest() + body)


def _read(checkout: Checkout) -> dict[str, str]:
    """Read what was kept; what is damaged is computed again."""
    path = _path(checkout)
    raw = path.read_bytes() if path.is_file() else b""
    body = raw[_FILE:]
    if len(body) % _WHOLE or hashlib.sha256(body).digest() != raw[:_FILE]:
        return {}
    parts = (body[start : start + _WHOLE] for start in range(0, len(body), _WHOLE))
    return {f"sha256:{one[:_FILE].hex()}": one[_FILE:].hex() for one in parts}


def _decode(folder: Path, manifest: Manifest, rows: np.ndarray) -> dict[str, str]:
    """Return the fingerprints of some rows' images, by the digests of their files."""
    digests, found = manifest.sha256[rows].tolist(), dict[str, str]()
    with warnings.catch_warnings(), progress("compare images") as on_step:
        # The import said what is odd about an image.
        warnings.simplefilter("ignore")
        for done, (digest, raw) in enumerate(zip(digests, each_image(folder, rows), strict=True), 1):
            found[digest] = fingerprint(open_format(raw))
            on_step(Step("images", done, len(digests)))
    return found


def _path(checkout: Checkout) -> Path:
    """Return the file of the fingerprints that this code makes."""
    made_by = sha256(f"{code_digest(fingerprints)} {PIL.__version__}".encode())
    return checkout.lethe / "fingerprints" / short(made_by)
