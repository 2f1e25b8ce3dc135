"""Pseudo-requests: what might have been asked to be forgotten, drawn as real requests come.

A class takes a training of its own. Persons, and random groups of samples, share one: it leaves several
disjoint ones out, and serves each as its own pseudo-request. They are few enough together for the model
without all of them to be much like the one without a single one.
"""

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import RequestError
from unlearn_core.kinds import CalibrationKind
from unlearn_core.selection import Manifest

MOST_AT_ONCE = 0.05
"""The largest share of the training rows that one training leaves out, unless it is a class."""

SIZES = (1, 3, 10, 30, 100, 300, 1000)
"""How many samples a random group has."""

_Rows = tuple[int, ...]


@dataclass(frozen=True)
class DrawnTraining:
    """One training, and the groups of rows that it leaves out.

    Attributes:
        kind: What kind of requests the groups stand for.
        groups: Row numbers, ascending; disjoint.
        fold: Which of the trainings it is.
    """

    kind: CalibrationKind
    groups: tuple[_Rows, ...]
    fold: int

    @property
    def rows(self) -> _Rows:
        """All rows that are left out."""
        return tuple(sorted(row for group in self.groups for row in group))


def draw_trainings(
    manifest: Manifest, kind: CalibrationKind, count: int, *, seed: int
) -> tuple[DrawnTraining, ...]:
    """Draw pseudo-requests of one kind.

    Args:
        manifest: The data set.
        kind: What they name.
        count: How many there are to be; of classes, no more than the data set has. The same class with
            another seed would not be another one, so none is trained twice.
        seed: For the draw.

    Returns:
        The trainings.

    Raises:
        RequestError: If the data set has too few rows or persons that can be forgotten by themselves.
    """
    rng = np.random.default_rng(seed)
    if kind == "classes":
        return _classes(manifest, count, rng)
    return _persons(manifest, count, rng) if kind == "subjects" else _samples(manifest, count, rng)


def _classes(manifest: Manifest, count: int, rng: np.random.Generator) -> tuple[DrawnTraining, ...]:
    train = manifest.splits == "train"
    present = rng.permutation(np.unique(manifest.labels[train]))
    if len(present) < 2:
        raise RequestError("there is one class alone; without it nothing would be left to train on")
    return tuple(
        DrawnTraining("classes", (_numbers(train & (manifest.labels == label)),), fold=fold)
        for fold, label in enumerate(present[:count])
    )


def _persons(manifest: Manifest, count: int, rng: np.random.Generator) -> tuple[DrawnTraining, ...]:
    """Draw persons, each with all of their rows."""
    single = _without_copies(manifest)
    train = manifest.splits == "train"
    names, rows = np.unique(manifest.subject_ids, return_inverse=True)
    shared = set(names[np.unique(rows[~(single & train)])].tolist())
    able = [name for name in names.tolist() if name and name != CANARY_SUBJECT and name not in shared]
    chosen = rng.permutation(np.array(able, dtype=object))[:count]
    if len(chosen) < count:
        raise RequestError(f"{count} persons were asked for; {len(chosen)} can be forgotten by themselves")
    groups = [_numbers(manifest.subject_ids == name) for name in chosen]
    return _packed("subjects", groups, _most(train))


def _samples(manifest: Manifest, count: int, rng: np.random.Generator) -> tuple[DrawnTraining, ...]:
    """Draw random groups of samples; no person is in two groups of one training."""
    train = manifest.splits == "train"
    most = _most(train)
    sizes = [size for size, all_ in zip(SIZES, accumulate(SIZES), strict=True) if all_ <= most]
    able = np.flatnonzero(_without_copies(manifest) & train & (manifest.subject_ids != CANARY_SUBJECT))
    drawn = []
    for fold in range(math.ceil(count / len(sizes))):
        rows, groups = rng.permutation(able).tolist(), []
        for size in sizes[: count - fold * len(sizes)]:
            group, rows = _first(manifest, rows, size)
            groups.append(group)
        drawn.append(DrawnTraining("samples", tuple(groups), fold=fold))
    return tuple(drawn)


def _first(manifest: Manifest, rows: list[int], size: int) -> tuple[_Rows, list[int]]:
    """Take the first rows, and return those that are left to others: of other persons."""
    group = rows[:size]
    if len(group) < size:
        raise RequestError(f"there are too few training rows without a copy for a group of {size}")
    persons = {manifest.subject_ids[row] for row in group} - {""}
    return tuple(sorted(group)), [row for row in rows[size:] if manifest.subject_ids[row] not in persons]


def _packed(kind: CalibrationKind, groups: list[_Rows], most: int) -> tuple[DrawnTraining, ...]:
    """Put groups into as few trainings as their sizes allow, in order; one alone may be larger."""
    shared: list[list[_Rows]] = []
    for group in groups:
        if not shared or sum(map(len, shared[-1])) + len(group) > most:
            shared.append([])
        shared[-1].append(group)
    return tuple(DrawnTraining(kind, tuple(some), fold=fold) for fold, some in enumerate(shared))


def _most(train: NDArray[np.bool_]) -> int:
    return max(1, int(MOST_AT_ONCE * train.sum()))


def _without_copies(manifest: Manifest) -> NDArray[np.bool_]:
    """Return which rows show a picture that no other row shows."""
    _, place, count = np.unique(manifest.contents, return_inverse=True, return_counts=True)
    return count[place] == 1


def _numbers(mask: NDArray[np.bool_]) -> _Rows:
    return tuple(int(row) for row in np.flatnonzero(mask))
