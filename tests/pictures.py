"""Folders of small images, as a user has them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CLASSES = ("ant", "bee", "cow")


def picture(label: int, number: int, *, size: tuple[int, int] = (8, 8), grey: bool = True) -> Image.Image:
    """Return noise with a bright bar where the class says; no two numbers give the same image."""
    random = np.random.default_rng((label, number))
    pixels = random.integers(0, 90, (*size, 1 if grey else 3), dtype=np.uint8)
    pixels[2 * label : 2 * label + 2] += 150
    return Image.fromarray(pixels[:, :, 0] if grey else pixels)


def photo(seed: int) -> Image.Image:
    """Return soft patches of colour, 32 by 32, with enough in them for a perceptual hash."""
    coarse = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((32, 32), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return an image's file."""
    stream = io.BytesIO()
    image.save(stream, format=kind, **options)
    return stream.getvalue()


def jpeg(image: Image.Image, quality: int) -> bytes:
    """Return an image's file as JPEG."""
    return encoded(image, "JPEG", quality=quality)


def save(path: Path, image: Image.Image) -> None:
    """Write an image where there may be no folder yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def folder_of_pictures(
    root: Path, *, train: int = 20, test: int = 12, classes: tuple[str, ...] = CLASSES, suffix: str = ".png"
) -> Path:
    """Make ``train/CLASS`` and ``test/CLASS`` with so many images of each class."""
    for part, count, start in (("train", train, 0), ("test", test, 1000)):
        for label, name in enumerate(classes):
            for number in range(start, start + count):
                save(root / part / name / f"{number:04d}{suffix}", picture(label, number))
    return root


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return an image's pixels."""
    return np.asarray(image)
