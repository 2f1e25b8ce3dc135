"""How often a forgotten picture that comes back is missed, and how often another one is taken for it.

    make bench-tombstones IMAGES=folder      # of photographs; each file is one

Of ten thousand photographs two thousand are forgotten. Each comes back changed: encoded again, scaled,
cropped. The others, and as many as there are, stand for unrelated data that come in. The scanned digits are
too small for a perceptual hash; with one they would be told apart as badly as is written beside it.
"""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from benchmarks.timing import provenance
from tasks.data.digits import read_scans
from unlearn_core.fingerprints import LEAST_SIDE, NEAR_BITS, perceptual_hash, pixel_digest

RESULT = Path(__file__).parent / "results" / "tombstones.json"
FORGOTTEN, INCOMING = 2_000, 10_000
BITS = (4, 6, 8, 10, 12)


def jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    """Return what encodes a picture again."""

    def change(image: Image.Image) -> Image.Image:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=quality)
        return Image.open(io.BytesIO(stream.getvalue()))

    return change


def scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    """Return what scales a picture."""
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def cropped(share: float) -> Callable[[Image.Image], Image.Image]:
    """Return what cuts a share of the width or height off every side."""

    def change(image: Image.Image) -> Image.Image:
        x, y = round(image.width * share), round(image.height * share)
        return image.crop((x, y, image.width - x, image.height - y))

    return change


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again as PNG": lambda image: image.copy(),
    "JPEG, quality 95": jpeg(95),
    "JPEG, quality 60": jpeg(60),
    "JPEG, quality 30": jpeg(30),
    "scaled by 0.9": scaled(0.9),
    "scaled by 2": scaled(2),
    "cropped by 3 % on each side": cropped(0.03125),
    "cropped by 6 % on each side": cropped(0.0625),
}


def hashes_of(images: list[Image.Image], least_side: int) -> NDArray[np.uint64]:
    """Return the perceptual hashes of some images."""
    return np.array([perceptual_hash(image, least_side=least_side) for image in images], dtype=np.uint64)


def nearest(rows: NDArray[np.uint64], forgotten: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return, for each row, of how many bits it differs from the forgotten picture that is nearest."""
    return np.array([int(np.bitwise_count(row ^ forgotten).min()) for row in rows])


def by_bits(found: NDArray[np.int64], *, share: bool) -> dict[str, float]:
    """Return how many lie within each number of bits, as a count or as a share."""
    return {str(bits): float((found <= bits).mean() if share else (found <= bits).sum()) for bits in BITS}


def measure(images: list[Image.Image], *, least_side: int = LEAST_SIDE) -> dict[str, object]:
    """Measure misses and false alarms on one kind of images; the first ones are forgotten."""
    mine, others = images[: min(FORGOTTEN, len(images) // 2)], images[min(FORGOTTEN, len(images) // 2) :]
    forgotten, known = hashes_of(mine, least_side), {pixel_digest(image) for image in mine}
    missed, exact = {}, {}
    for name, change in CHANGES.items():
        back = [change(image) for image in mine]
        apart = np.bitwise_count(hashes_of(back, least_side) ^ forgotten)
        missed[name] = {bits: round(1 - share, 4) for bits, share in by_bits(apart, share=True).items()}
        exact[name] = sum(pixel_digest(image) in known for image in back)
    alarms = nearest(hashes_of(others, least_side), forgotten)
    return {
        "forgotten": len(mine),
        "incoming": len(others),
        "refused_as_the_same": exact,
        "missed_share": missed,
        "false_alarms": by_bits(alarms, share=False),
        "same_pixels_among_incoming": sum(pixel_digest(image) in known for image in others),
    }


def main(folder: Path) -> None:
    """Measure photographs and digits, and write the result."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".jpg", ".png"})
    drawn = np.random.default_rng(0).permutation(len(files))[: FORGOTTEN + INCOMING]
    photographs = [Image.open(files[place]).convert("RGB") for place in drawn]
    scans, _ = read_scans()
    digits = [Image.fromarray(np.round(scan * 255 / 16).astype(np.uint8)) for scan in scans]
    result = {
        **provenance("cpu", "make bench-tombstones"),
        "pillow": PIL.__version__,
        "near_bits": NEAR_BITS,
        "least_side": LEAST_SIDE,
        "photographs": measure(photographs),
        "digits_if_they_had_a_perceptual_hash": measure(digits, least_side=1),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
