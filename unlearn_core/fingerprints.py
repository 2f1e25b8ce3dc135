"""What tells that two pictures are the same, or nearly: of their pixels, and not of their files.

``pixel_digest`` is equal for exactly the same pixels, in whatever format, with whatever metadata.
``perceptual_hash`` is 64 bits of which few differ where a picture was encoded again, scaled or slightly
cropped: the signs of the lowest frequencies of a discrete cosine transform (Zauner 2010, *Implementation and
benchmarking of perceptual image hash functions*, 3.1, as the library ``imagehash`` computes it).
"""

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LEAST_SIDE = 24
"""Images with a shorter side have no perceptual hash: there is too little in them to tell them apart by."""

LEAST_CONTRAST = 4.0
"""Grey levels of standard deviation below which a picture is called plain, and has no perceptual hash."""

NEAR_BITS = 8
"""Of how many bits two hashes may differ for two pictures to be near."""

NO_HASH = 0
"""In place of a perceptual hash where there is none; no picture has it, as half of its bits are set."""

_SIDE, _KEPT, _ROWS = 32, 8, 1024
_COSINES = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), np.arange(_SIDE) + 0.5))
_PLACES = np.left_shift(np.uint64(1), np.arange(_KEPT * _KEPT, dtype=np.uint64))


def pixel_digest(image: Image.Image) -> str:
    """Return the digest of an image's size and pixels, in colour and without transparency.

    Args:
        image: Decoded.

    Returns:
        64 hexadecimal digits, whatever the file was.
    """
    colour = image.convert("RGB")
    size = f"{colour.width}x{colour.height}\0".encode()
    return hashlib.sha256(size + colour.tobytes()).hexdigest()


def perceptual_hash(image: Image.Image, *, least_side: int = LEAST_SIDE) -> int:
    """Return an image's perceptual hash.

    Args:
        image: Decoded.
        least_side: How long the shorter side must be.

    Returns:
        64 bits; ``NO_HASH`` for what is too small or too plain to have one.
    """
    if min(image.size) < least_side:
        return NO_HASH
    small = image.convert("RGB").convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small, dtype=np.float64)
    if grey.std() < LEAST_CONTRAST:
        return NO_HASH
    lowest = (_COSINES @ grey @ _COSINES.T).ravel()
    return int(_PLACES[lowest > np.median(lowest)].sum())


def near_hashes(
    first: NDArray[np.uint64], second: NDArray[np.uint64], *, bits: int = NEAR_BITS
) -> Iterator[tuple[int, int, int]]:
    """Find which hashes of one list are near which of another.

    Args:
        first: Hashes.
        second: Hashes.
        bits: Of how many bits they may differ.

    Yields:
        The place of each, and of how many bits they differ; ``NO_HASH`` is near nothing.
    """
    theirs = np.flatnonzero(second)
    mine = np.flatnonzero(first)
    for start in range(0, len(mine), _ROWS):
        part = mine[start : start + _ROWS]
        apart = np.bitwise_count(first[part, None] ^ second[None, theirs])
        for row, column in np.argwhere(apart <= bits):
            yield int(part[row]), int(theirs[column]), int(apart[row, column])


def fingerprint(image: Image.Image) -> str:
    """Return an image's pixel digest and its perceptual hash, one after the other: 80 hexadecimal digits."""
    return f"{pixel_digest(image)}{perceptual_hash(image):016x}"
