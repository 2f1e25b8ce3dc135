"""Which images of the user's own are meant, as a section of ``params.yaml``."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.checkout.checkout import Checkout
from unlearn_core.errors import ConfigurationError, SetupError

TORCHVISION = "torchvision:"


@dataclass(frozen=True)
class ImagesAsked:
    """Images to train on, as they were typed.

    Attributes:
        data: A folder of class folders, Parquet, or ``torchvision:NAME``.
        subjects: The CSV file that says whose the images of a folder are, or None.
        name: What to call the data set, and the model that is trained on it.
        image_size: Scale the images to this many pixels; None if they are of one size.
        skip: Whether to skip images that cannot be read.
    """

    data: str
    subjects: str | None
    name: str
    image_size: int | None
    skip: bool


def ask_for_images(
    data: str | None, *, subjects: Path | None, name: str, image_size: int | None, skip: bool
) -> ImagesAsked | None:
    """Return the images that were asked for, if any were.

    Args:
        data: What was typed, as for ``ImagesAsked``.
        subjects: Likewise.
        name: Likewise.
        image_size: Likewise.
        skip: Likewise.

    Returns:
        The images; None if ``params.yaml`` names them.

    Raises:
        ConfigurationError: If something was said of images that were not named.
    """
    if data is not None:
        return ImagesAsked(data, None if subjects is None else str(subjects), name, image_size, skip)
    if subjects is not None or image_size is not None or skip:
        raise ConfigurationError(
            "--subjects, --image-size and --skip-bad-images are about images: name these with --data, or set "
            "the same in params.yaml"
        )
    return None


def images_section(checkout: Checkout, data: str, *, subjects: str | None, name: str) -> dict[str, Any]:
    """Return the section ``dataset`` for what was typed.

    Args:
        checkout: The checkout.
        data: A folder of class folders, Parquet, or ``torchvision:NAME``.
        subjects: The CSV file that says whose the images of a folder are, or None.
        name: What to call the data set.

    Returns:
        The section, not validated; paths that were typed relative stay relative, to the checkout.

    Raises:
        SetupError: If there is no such file or folder; both are named.
    """
    typed = {"--data": data, "--subjects": subjects}
    missing = [
        f"{option}: there is no {Path(path).name}"
        for option, path in typed.items()
        if path is not None and not path.startswith(TORCHVISION) and not Path(path).exists()
    ]
    if missing:
        raise SetupError("\n".join(missing))
    if data.startswith(TORCHVISION):
        section = {"source": "torchvision", "dataset": data.removeprefix(TORCHVISION), "name": name}
    else:
        tables = data.endswith(".parquet") or any(Path(data).glob("*.parquet"))
        section = {
            "source": "parquet" if tables else "imagefolder",
            "path": relative(checkout, data),
            "name": name,
        }
    return section | ({"subjects": relative(checkout, subjects)} if subjects else {})


def relative(checkout: Checkout, typed: str) -> str:
    """Return a path for the settings: what was typed relative stays relative, to the checkout."""
    return typed if Path(typed).is_absolute() else os.path.relpath(typed, checkout.root)
