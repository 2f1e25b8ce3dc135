"""Rows to import: what every source of images gives to the import, and how rows are dealt to splits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from unlearn_core.errors import ConfigurationError
from unlearn_core.names import one_form, told_apart
from unlearn_core.records.params import DealtSource


@dataclass(frozen=True)
class Incoming:
    """The rows of a source, in storage order, and a way to read each one's image.

    Attributes:
        sample_ids: ``[rows]``, unique.
        labels: ``[rows]``, indices into ``classes``.
        splits: ``[rows]``, each one of ``records.data.SPLITS``.
        subject_ids: ``[rows]``, empty where a row belongs to nobody.
        sizes: ``[rows]``, the bytes of each image, 0 if unknown.
        stamps: ``[rows]``, a number that changes when the image does.
        classes: The classes' names.
        read: Returns the encoded image of a row; fast in the rows' order. It may raise ``OSError``.
        open: Opens the encoded image of a row, of which only the header will be read; by default what
            ``read`` returns.
        left_out: What else the source holds and is no row: its id, or what it is, and why.
    """

    sample_ids: list[str]
    labels: NDArray[np.int64]
    splits: NDArray[np.object_]
    subject_ids: list[str]
    sizes: NDArray[np.int64]
    stamps: NDArray[np.int64]
    classes: tuple[str, ...]
    read: Callable[[int], bytes]
    open: Callable[[int], BinaryIO] | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.sample_ids)


def in_one_form(incoming: Incoming) -> Incoming:
    """Return rows with all names in Unicode's composed form, whichever system wrote them.

    Args:
        incoming: The rows.

    Returns:
        The same rows.

    Raises:
        ConfigurationError: If two classes or two ids are one in that form.
    """
    classes = tuple(map(one_form, incoming.classes))
    ids = list(map(one_form, incoming.sample_ids))
    if len(set(classes)) < len(classes):
        raise ConfigurationError(f"two classes are one but for Unicode: {told_apart(incoming.classes)}")
    if twice := len(ids) - len(set(ids)):
        raise ConfigurationError(f"{twice} sample id(s) differ from another only in their Unicode form")
    subjects = list(map(one_form, incoming.subject_ids))
    return replace(incoming, classes=classes, sample_ids=ids, subject_ids=subjects)


def deal_splits(
    labels: NDArray[np.int64], held_out: NDArray[np.bool_], params: DealtSource
) -> NDArray[np.object_]:
    """Give every row to a split.

    Args:
        labels: ``[rows]``.
        held_out: ``[rows]`` mask of the rows that the source itself holds out; if none, all are dealt.
        params: Fractions and seed.

    Returns:
        ``[rows]`` names of splits.
    """
    random = np.random.default_rng(params.seed)
    fractions = fractions_of(params)
    if not held_out.any():
        return deal(labels, fractions, rest="train", random=random)
    whole = sum(fractions.values())
    splits = np.full(len(labels), "train", dtype=object)
    shares = {split: fractions[split] / whole for split in ("tuning", "audit")}
    splits[held_out] = deal(labels[held_out], shares, rest="test", random=random)
    return splits


def fractions_of(params: DealtSource) -> dict[str, float]:
    """Return the share of each held-out split."""
    return {"tuning": params.tuning, "audit": params.audit, "test": params.test}


def deal(
    labels: NDArray[np.int64], fractions: Mapping[str, float], *, rest: str, random: np.random.Generator
) -> NDArray[np.object_]:
    """Deal each class's rows, shuffled, to splits in the given fractions.

    Args:
        labels: ``[rows]``.
        fractions: By split.
        rest: The split of all other rows.
        random: The generator for the shuffle.

    Returns:
        ``[rows]`` names of splits.
    """
    splits = np.full(len(labels), rest, dtype=object)
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        start = 0
        for split, fraction in fractions.items():
            count = round(fraction * len(rows))
            splits[rows[start : start + count]] = split
            start += count
    return splits
