"""Folders of images as a source: ``train/CLASS`` beside ``test/CLASS``, or ``CLASS`` alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tasks.checkout.log import tell
from tasks.checkout.regular import open_regular
from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from tasks.data.subjects import read_subjects
from tasks.data.walking import Walk
from unlearn_core.errors import ConfigurationError, SetupError, UsageError
from unlearn_core.names import one_form, told_apart
from unlearn_core.records.params import ImageFolderSource

TRAIN, HELD_OUT = "train", ("test", "val", "valid", "validation")


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

    Hidden files, files without an image's suffix, and what lies in ``SYSTEM_FOLDERS`` are left out.

    Args:
        root: What the paths in the settings are relative to.
        params: The folder, and how to read it.

    Returns:
        The rows in the order of their paths; their ids are these paths below the folder.

    Raises:
        SetupError: If there is no such folder.
        ConfigurationError: If the folders are not classes, or one has no images; every problem is listed.
    """
    # Error messages are stored, and a full path may name a person: they get only the folder's name.
    base = root / params.path
    if not base.is_dir():
        raise SetupError(f"dataset.path: {base.name} is not a folder; name the one that holds the images")
    walk = Walk(base)
    parts, problems = _parts(walk)
    there = {part: walk.folders(part) for part in parts}
    classes, wrong = _classes(base, there, params.classes)
    problems += wrong
    found = walk.images(f"{part}{name}" for part, names in there.items() for name in names)
    names = [one_form(name) for name, _, _ in found]
    problems += _empty(names, parts[0], classes) if not problems else []
    subjects, wrong = {}, list[str]()
    if params.subjects is not None:
        subjects, wrong = read_subjects(root / params.subjects, set(names))
    if problems := problems + [f"subjects: {problem}" for problem in wrong]:
        raise ConfigurationError("\n  ".join([f"{base.name} cannot be imported:", *problems]))
    for line in walk.told():
        tell(f"  {line}")
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
        read=lambda row: _read(base, found[row][0]),
        open=lambda row: _opened(base, found[row][0]),
        left_out=tuple(sorted(walk.left_out)),
    )


def _read(base: Path, name: str) -> bytes:
    with _opened(base, name) as stream:
        return stream.read()


def _opened(base: Path, name: str) -> BinaryIO:
    """Open an image, unless it is a link to a file elsewhere."""
    path = base / name
    if path.is_symlink() and not _is_inside(path, base):
        raise UsageError("a link that leads out of the folder")
    return open_regular(path)


def _is_inside(path: Path, base: Path) -> bool:
    return path.resolve().is_relative_to(base.resolve())


def _parts(walk: Walk) -> tuple[list[str], list[str]]:
    """Return the prefixes of the parts, the one to train on first, and what is wrong with the folders."""
    folders = walk.folders("")
    held_out = [name for name in HELD_OUT if name in folders]
    if TRAIN not in folders or not (held_out or folders == [TRAIN]):
        return [""], []
    if not held_out:
        return [f"{TRAIN}/"], ["train is without test or val; add one, or set the path to train to split it"]
    others = sorted({*folders} - {TRAIN, *held_out})
    problems = [f"beside {TRAIN} and {held_out[0]} there is {told_apart(others)}"] if others else []
    return [f"{name}/" for name in (TRAIN, *held_out)], problems


def _classes(
    base: Path, there: Mapping[str, list[str]], ordered: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes, i.e. the folders of the first part, and what is wrong with the folders of each."""
    first = next(iter(there))
    trained = [one_form(name) for name in there[first]]
    classes = tuple(one_form(name) for name in ordered or trained)
    problems = [f"{len(trained)} class folder(s) in {first or 'it'}; at least two are needed"]
    problems = problems if len(trained) < 2 else []
    for part, names in there.items():
        where = part or "it"
        if unknown := [name for name in names if one_form(name) not in classes]:
            problems.append(
                f"{where} has the folder(s) {told_apart(unknown, among=classes)}, which are not classes"
            )
        if same := _same(names):
            problems.append(
                f"{where} has folders of one name but for capitals or Unicode: {told_apart(same)}"
            )
        if links := [name for name in names if not _is_inside(base / part / name, base)]:
            problems.append(
                f"{where} has links to folders elsewhere: {told_apart(links)}; put the images there"
            )
    if missing := sorted({*classes} - {*trained}):
        problems.append(
            f"{first or 'it'} has no folder for the class(es) {told_apart(missing, among=trained)}"
        )
    return classes, problems


def _same(names: list[str]) -> list[str]:
    """Return the names that another one equals but for capitals or Unicode's form."""
    forms = [one_form(name).casefold() for name in names]
    return [name for name, form in zip(names, forms, strict=True) if forms.count(form) > 1]


def _empty(names: list[str], part: str, classes: tuple[str, ...]) -> list[str]:
    """Name the classes without an image to train on, and count file names that are not text, or one name."""
    full = {name[len(part) :].split("/", 1)[0] for name in names if name.startswith(part)}
    empty = [name for name in classes if name not in full]
    problems = [f"class {told_apart([name])} has no images in {part or 'it'}" for name in empty]
    if strange := sum(not _is_text(name) for name in names):
        problems.append(f"{strange} file name(s) are not UTF-8; rename them")
    if twice := len(names) - len(set(names)):
        problems.append(f"{twice} file name(s) differ from another only in their Unicode form; rename them")
    return problems


def _is_text(name: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
