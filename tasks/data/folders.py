"""Folders of images as a source: ``train/CLASS`` beside ``test/CLASS``, or ``CLASS`` alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tasks.checkout.log import tell
from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from tasks.data.subjects import read_subjects
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.params import ImageFolderSource

TRAIN, HELD_OUT = "train", ("test", "val", "valid", "validation")
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


class Folders(Images[ImageFolderSource]):
    """Folders of images."""

    settings = ImageFolderSource

    def listed(self, root: Path, params: ImageFolderSource) -> Incoming:
        """List the images; see ``list_folder``."""
        return list_folder(root, params)

    def origin(self, params: ImageFolderSource) -> str:
        """Return the folder."""
        return params.path


def list_folder(root: Path, params: ImageFolderSource) -> Incoming:
    """List the images of a folder; none is opened.

    Hidden files, and files without an image's suffix, are left out.

    Args:
        root: What the paths in the settings are relative to.
        params: The folder, and how to read it.

    Returns:
        The rows in the order of their ids, which are the paths below the folder.

    Raises:
        SetupError: If there is no such folder.
        ConfigurationError: If the folders are not classes, or one has no images; every problem is listed.
    """
    # Error messages are stored, and a full path may name a person: they get only the folder's name.
    base = root / params.path
    if not base.is_dir():
        raise SetupError(f"dataset.path: {base.name} is not a folder; name the one that holds the images")
    parts, problems = _parts(base)
    classes, wrong = _classes(base, parts, params.classes)
    problems += wrong
    found, others = _files(base, [f"{part}{name}" for part in parts for name in classes])
    problems += _empty(found, parts[0], classes) if not problems else []
    subjects, wrong = {}, list[str]()
    if params.subjects is not None:
        subjects, wrong = read_subjects(root / params.subjects, {name for name, _, _ in found})
    if problems := problems + [f"subjects: {problem}" for problem in wrong]:
        raise ConfigurationError("\n  ".join([f"{base.name} cannot be imported:", *problems]))
    if others:
        tell(f"  {others} file(s) in {base.name} without an image suffix are left out")
    names = [name for name, _, _ in found]
    start = [name.index("/") + 1 if parts[0] else 0 for name in names]
    index = {name: label for label, name in enumerate(classes)}
    labels = np.array(
        [index[name[at:].split("/", 1)[0]] for name, at in zip(names, start, strict=True)], dtype=np.int64
    )
    held_out = np.array([not name.startswith(parts[0]) for name in names], dtype=bool)
    return Incoming(
        sample_ids=names,
        labels=labels,
        splits=deal_splits(labels, held_out, params),
        subject_ids=[subjects.get(name, "") for name in names],
        sizes=np.array([size for _, size, _ in found], dtype=np.int64),
        stamps=np.array([stamp for _, _, stamp in found], dtype=np.int64),
        classes=classes,
        read=lambda row: (base / names[row]).read_bytes(),
    )


def _parts(base: Path) -> tuple[list[str], list[str]]:
    """Return the prefixes of the parts, the one to train on first, and what is wrong with the folders."""
    folders = _folders(base)
    held_out = [name for name in HELD_OUT if name in folders]
    if TRAIN not in folders or not (held_out or folders == [TRAIN]):
        return [""], []
    if not held_out:
        return [f"{TRAIN}/"], ["train is without test or val; add one, or set the path to train to split it"]
    others = sorted({*folders} - {TRAIN, *held_out})
    problems = [f"beside {TRAIN} and {held_out[0]} there is {', '.join(others)}"] if others else []
    return [f"{name}/" for name in (TRAIN, *held_out)], problems


def _folders(base: Path) -> list[str]:
    """Return the names of the folders in a folder, except hidden ones."""
    return sorted(path.name for path in base.iterdir() if path.is_dir() and not path.name.startswith("."))


def _classes(
    base: Path, parts: list[str], ordered: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes, i.e. the training part's folders, and what is wrong with them."""
    there = _folders(base / parts[0])
    classes = ordered or tuple(there)
    problems = [f"{len(there)} class folder(s) in {parts[0] or 'it'}; at least two are needed"]
    problems = problems if len(there) < 2 else []
    for part in parts:
        if unknown := sorted({*_folders(base / part)} - {*classes}):
            problems.append(f"{part or 'it'} has the folder(s) {', '.join(unknown)}, which are not classes")
    if missing := sorted({*classes} - {*there}):
        problems.append(f"{parts[0] or 'it'} has no folder for the class(es) {', '.join(missing)}")
    return classes, problems


def _files(base: Path, folders: list[str]) -> tuple[list[tuple[str, int, int]], int]:
    """Return every image's path, size and time, in the order of paths, and the number of other files."""
    entries = [entry for folder in folders for entry in _walk(base, folder)]
    images = [entry for entry in entries if Path(entry[0]).suffix.lower() in SUFFIXES]
    return sorted(images), len(entries) - len(images)


def _walk(base: Path, folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield every file below a folder that is not hidden."""
    if not (base / folder).is_dir():
        return
    with os.scandir(base / folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(base, f"{folder}/{entry.name}")
            elif entry.is_file():
                status = entry.stat()
                yield f"{folder}/{entry.name}", status.st_size, status.st_mtime_ns


def _empty(found: list[tuple[str, int, int]], part: str, classes: tuple[str, ...]) -> list[str]:
    """Name the classes without an image to train on, and report file names that are not text."""
    names = [name for name, _, _ in found]
    full = {name[len(part) :].split("/", 1)[0] for name in names if name.startswith(part)}
    problems = [f"class {name} has no images in {part or 'it'}" for name in classes if name not in full]
    if strange := sum(not _is_text(name) for name in names):
        problems.append(f"{strange} file name(s) are not UTF-8; rename them")
    return problems


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
