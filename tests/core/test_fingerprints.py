"""Fingerprints: of pixels and not of files, and nearly the same for nearly the same picture."""

import io

import numpy as np
import pytest
from PIL import Image

from unlearn_core.fingerprints import (
    LEAST_SIDE,
    NEAR_BITS,
    NO_HASH,
    fingerprint,
    near_hashes,
    perceptual_hash,
    pixel_digest,
)


def photo(seed, size=32):
    """Return something smooth, as photographs are."""
    coarse = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def saved(image, kind, **how):
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return Image.open(io.BytesIO(stream.getvalue()))


def apart(first, second):
    return (perceptual_hash(first) ^ perceptual_hash(second)).bit_count()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_the_same_pixels_in_another_file_have_the_same_digest(kind):
    how = {"lossless": True} if kind == "WEBP" else {}
    assert pixel_digest(saved(photo(0), kind, **how)) == pixel_digest(photo(0))


def test_the_mode_of_a_file_is_not_its_pixels_but_its_size_and_every_pixel_are():
    grey = photo(0).convert("L")
    assert pixel_digest(grey) == pixel_digest(grey.convert("RGB")) == pixel_digest(grey.convert("RGBA"))
    wide = Image.frombytes("L", (64, 16), grey.tobytes())
    changed = grey.copy()
    changed.putpixel((31, 31), 255 - changed.getpixel((31, 31)))
    assert len({pixel_digest(one) for one in (grey, wide, changed)}) == 3


@pytest.mark.parametrize("seed", range(20))
def test_a_picture_encoded_again_or_scaled_is_near_and_another_is_not(seed):
    mine = photo(seed)
    assert apart(mine, saved(mine, "JPEG", quality=60)) <= NEAR_BITS
    assert apart(mine, mine.resize((29, 29), Image.Resampling.BILINEAR)) <= NEAR_BITS
    assert apart(mine, mine.convert("L")) == 0
    assert apart(mine, photo(seed + 1000)) > NEAR_BITS


def test_what_is_too_small_or_too_plain_has_no_hash_and_is_near_nothing():
    small = photo(0, LEAST_SIDE - 1)
    plain = Image.new("RGB", (64, 64), (9, 9, 9))
    hashes = np.array([perceptual_hash(one) for one in (small, plain)], dtype=np.uint64)
    assert hashes.tolist() == [NO_HASH, NO_HASH]
    assert list(near_hashes(hashes, hashes)) == []
    assert fingerprint(plain) == pixel_digest(plain) + "0" * 16


def test_near_pairs_are_those_of_the_plain_comparison():
    draw = np.random.default_rng(0)
    first = draw.integers(0, 2**63, 1500, dtype=np.uint64)
    first[::7] = NO_HASH
    second = first[draw.permutation(1500)[:300]] ^ np.uint64(0b10110)
    plain = [
        (row, column, (int(one) ^ int(other)).bit_count())
        for row, one in enumerate(first)
        for column, other in enumerate(second)
        if one and other and (int(one) ^ int(other)).bit_count() <= 5
    ]
    assert sorted(near_hashes(first, second, bits=5)) == plain
    assert len(plain) > 200
