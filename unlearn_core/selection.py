"""From a request's scope to rows: what is forgotten, and what is retained."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearn_core.errors import MisfitError, RequestError
from unlearn_core.kinds import Split
from unlearn_core.names import one_form, told_apart
from unlearn_core.records.data import FORGOTTEN_SPLIT
from unlearn_core.records.scope import ClassScope, SampleScope, Scope, SubjectScope, classes_in, parts_of
from unlearn_core.spelling import did_you_mean

ASKED_SPLITS: tuple[Split, ...] = ("audit", "test")
"""Whose rows of a forgotten class are kept; methods may read the tuning rows."""

Pseudonymise = Callable[[Literal["sample", "subject"], str], str]
"""A keyed hash of the kind of an id, and of the id."""


@dataclass(frozen=True)
class Manifest:
    """The rows of a data set without their images, in the order of their ids.

    Attributes:
        sample_ids: ``[rows]``, unique.
        labels: ``[rows]``, indices into ``classes``.
        splits: ``[rows]``, each a ``records.data.Split``.
        subject_ids: ``[rows]``, empty where a row belongs to nobody.
        sha256: ``[rows]``, the digest of each image's bytes.
        classes: The classes' names.
        pixels: ``[rows]``, the digest of each image's pixels, where it is known: copies are found by it
            whatever their files are like. None falls back on ``sha256``.
        looks: ``[rows]``, the perceptual hash of each image, where it is known.
    """

    sample_ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    splits: NDArray[np.str_]
    subject_ids: NDArray[np.str_]
    sha256: NDArray[np.str_]
    classes: tuple[str, ...]
    pixels: NDArray[np.str_] | None = None
    looks: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def contents(self) -> NDArray[np.str_]:
        """``[rows]``, equal for the same picture."""
        return self.sha256 if self.pixels is None else self.pixels


@dataclass(frozen=True)
class Selection:
    """What a scope means on one manifest.

    Attributes:
        forget: ``[rows]`` mask of the training rows to forget.
        retain: ``[rows]`` mask of the training rows to keep.
        keep: ``[rows]`` mask of what stays in the retained data set as it is: everything but the forgotten
            rows, the held-out rows of the same samples' or subjects' scope, and those of a class without
            training rows.
        asked: ``[rows]`` mask of the held-out rows of forgotten classes that the retained data set keeps
            apart, so that later models can be asked for these classes again.
        classes: The forgotten classes' indices; empty unless the scope is classes.
    """

    forget: NDArray[np.bool_]
    retain: NDArray[np.bool_]
    keep: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    classes: tuple[int, ...] = ()


def select(scope: Scope, manifest: Manifest, pseudonymise: Pseudonymise) -> Selection:
    """Find the rows that a scope means.

    Args:
        scope: Classes by name, samples and subjects by pseudonym.
        manifest: The data set that the model was trained on.
        pseudonymise: The keyed hash that made the scope's pseudonyms.

    Returns:
        The selection.

    Raises:
        RequestError: If the scope leaves nothing to retain.
        MisfitError: If the scope names something unknown, matches no training row, or leaves a copy of a
            forgotten image behind, or of one that a person holds out; the message names it.
    """
    train = manifest.splits == "train"
    matched, classes, of_classes = _match(scope, manifest, pseudonymise)
    forget, retain = matched & train, ~matched & train
    if not forget.any():
        raise MisfitError(f"the scope matches no training row{_where(manifest, matched)}", names=scope.names)
    if not retain.any():
        raise RequestError(
            "the scope covers all training rows; nothing would be left to retain. Retire the model instead"
        )
    present = np.isin(manifest.labels, np.unique(manifest.labels[retain]))
    # Nothing needs the rows that models are asked for again: a copy of a forgotten image goes with it.
    # The held-out rows of a forgotten class are dropped with its last training row; those of a person always.
    gone = forget if classes else matched
    named = forget | (matched & ~of_classes)
    copies = np.isin(manifest.contents, manifest.contents[named])
    asked_before = (manifest.splits == FORGOTTEN_SPLIT) & ~copies
    keep = ~gone & ((present & (manifest.splits != FORGOTTEN_SPLIT)) | train | asked_before)
    _refuse_duplicates(manifest, named, keep)
    asked = of_classes & np.isin(manifest.splits, ASKED_SPLITS) & ~copies
    return Selection(forget=forget, retain=retain, keep=keep, asked=asked, classes=classes)


def retained_rows(manifest: Manifest, selection: Selection) -> Manifest:
    """Return the rows of the retained data set.

    Args:
        manifest: The data set.
        selection: What is forgotten of it.

    Returns:
        What is kept, in order; the held-out rows of forgotten classes are in a split of their own.
    """
    rows = np.flatnonzero(selection.keep | selection.asked)
    columns = ("sample_ids", "labels", "splits", "subject_ids", "sha256")
    kept = {name: getattr(manifest, name)[rows] for name in columns}
    kept["splits"] = np.where(selection.asked[rows], FORGOTTEN_SPLIT, kept["splits"])
    return Manifest(**kept, classes=manifest.classes)


def without_samples(manifest: Manifest, selection: Selection) -> tuple[Split, ...]:
    """Return the splits in which nothing can be measured of what is forgotten.

    Args:
        manifest: The data set.
        selection: What is forgotten of it.

    Returns:
        In class scope those of audit and test in which a forgotten class has no row; otherwise audit, if it
        has no row of any forgotten sample's class.
    """
    held = {part: np.unique(manifest.labels[manifest.splits == part]) for part in ASKED_SPLITS}
    if selection.classes:
        return tuple(part for part in ASKED_SPLITS if not np.isin(selection.classes, held[part]).all())
    return () if np.isin(manifest.labels[selection.forget], held["audit"]).any() else ("audit",)


def names_training_rows(scope: Scope, manifest: Manifest, pseudonymise: Pseudonymise) -> bool:
    """Return whether a scope matches any training row at all; arguments as for ``select``."""
    return bool((rows_named(scope, manifest, pseudonymise) & (manifest.splits == "train")).any())


def rows_named(scope: Scope, manifest: Manifest, pseudonymise: Pseudonymise) -> NDArray[np.bool_]:
    """Return the ``[rows]`` mask of what a scope names, in whichever split; arguments as for ``select``."""
    matched, *_ = _match(scope, manifest, pseudonymise)
    return matched


def require_classes(named: tuple[str, ...], known: tuple[str, ...], *, quotes: bool = True) -> None:
    """Refuse names that are no classes of a data set.

    Args:
        named: The names.
        known: The data set's classes.
        quotes: Whether the message has what was named: a file may have a person's name there by mistake.

    Raises:
        MisfitError: If any is unknown; the message has the nearest class, and all of them.
    """
    forms = {one_form(name) for name in known}
    if unknown := sorted(name for name in named if one_form(name) not in forms):
        said, there = told_apart(unknown, among=known), told_apart(known, among=unknown)
        meant = did_you_mean(unknown[0], known)
        quoted, hint = f"unknown class: {said}", f"{meant}the data set has {there}"
        message = f"{quoted if quotes else 'unknown class'}; {hint}"
        raise MisfitError(message, names=tuple(unknown), as_typed=f"{quoted}; {hint}")


def _match(
    scope: Scope, manifest: Manifest, pseudonymise: Pseudonymise
) -> tuple[NDArray[np.bool_], tuple[int, ...], NDArray[np.bool_]]:
    """Return the matching rows, the classes where the scope is classes, and the rows that only these name."""
    named = classes_in(scope)
    require_classes(named, manifest.classes)
    labels = {one_form(name): label for label, name in enumerate(manifest.classes)}
    indices = tuple(sorted({labels[one_form(name)] for name in named}))
    of_classes, others = np.isin(manifest.labels, indices), np.zeros(len(manifest), dtype=bool)
    for part in parts_of(scope):
        if not isinstance(part, ClassScope):
            others |= _match_ids(part, manifest, pseudonymise)
    whole = indices if isinstance(scope, ClassScope) else ()
    return of_classes | others, whole, of_classes & ~others


def _match_ids(
    scope: SampleScope | SubjectScope, manifest: Manifest, pseudonymise: Pseudonymise
) -> NDArray[np.bool_]:
    """Return the mask of the rows that pseudonyms name."""
    column, wanted = (
        (manifest.sample_ids, scope.samples)
        if isinstance(scope, SampleScope)
        else (manifest.subject_ids, scope.subjects)
    )
    what = "sample" if isinstance(scope, SampleScope) else "subject"
    ids, inverse = np.unique(column, return_inverse=True)
    places = defaultdict[str, list[int]](list)
    for place, one in enumerate(ids.tolist()):
        # An id was not always stored, or named, in the one form.
        for form in {one, one_form(one)} - {""}:
            places[pseudonymise(what, form)].append(place)
    if unknown := sorted(set(wanted) - set(places)):
        raise MisfitError(
            f"unknown {what}: {', '.join(unknown)}; check the ids, and that the pseudonym key is the one "
            "that the request was made with",
            names=tuple(unknown),
            known=tuple(str(one) for one in ids.tolist() if one),
        )
    return np.isin(inverse, [place for one in wanted for place in places[one]])


def _refuse_duplicates(manifest: Manifest, named: NDArray[np.bool_], elsewhere: NDArray[np.bool_]) -> None:
    """Refuse a scope that would leave an exact copy of a forgotten image in the data."""
    copies = elsewhere & np.isin(manifest.contents, manifest.contents[named])
    if copies.any():
        digests = sorted({str(digest) for digest in manifest.sha256[copies]})
        raise MisfitError(
            f"{int(copies.sum())} exact duplicate(s) of forgotten images would be left behind, with content "
            f"{', '.join(digests[:5])}{' …' if len(digests) > 5 else ''}; add them to the scope: `lethe data "
            "CONTENT` says which samples they are",
            copies=tuple(str(one) for one in manifest.sample_ids[copies].tolist()),
        )


def _where(manifest: Manifest, matched: NDArray[np.bool_]) -> str:
    """Say why there is nothing to forget, and where the rows are that a scope names."""
    splits = np.unique(manifest.splits[matched]).tolist()
    if FORGOTTEN_SPLIT in splits:
        return "; it was forgotten earlier, and only held-out rows to ask models for it are left"
    if splits:
        return (
            f"; there is nothing to forget: the {int(matched.sum())} row(s) that it names are held out "
            f"({', '.join(splits)}), and no model learned from them"
        )
    return "; there is nothing to forget"
