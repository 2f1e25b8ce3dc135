"""What is odd about the rows of an import. Nothing of it is refused, but a deletion may meet it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.data.likeness import near_pairs
from unlearn_core.records.data import CANARY_SPLIT
from unlearn_core.records.importing import ImageKind
from unlearn_core.selection import ASKED_SPLITS, Manifest

_BECOMES: dict[ImageKind, str] = {
    "orientation": "carry an orientation tag, which is {orientation}",
    "transparency": "have transparency, which is dropped: the colour below it stays",
    "cmyk": "are CMYK, converted without a colour profile",
}
"""What becomes of images of a kind."""
_NONE = "a class without a held-out image"

Remark = tuple[str, str]
"""A sample's id or a class's name, and what is odd about it."""


def remarks_on(
    manifest: Manifest,
    looks: Sequence[str],
    shapes: Sequence[str],
    kinds: Counter[ImageKind],
    *,
    orientation: str,
) -> tuple[list[str], list[Remark]]:
    """Look for classes that a deletion cannot measure, and for copies where there should be none.

    Args:
        manifest: The imported rows.
        looks: ``[rows]`` digests of the images' pixels, as a model sees them.
        shapes: ``[rows]`` difference hashes of the images.
        kinds: How many images each rule for conversion applies to.
        orientation: What becomes of the tag: ``follow`` or ``ignore``.

    Returns:
        Lines for people, without the name of a sample, and what names them.
    """
    done = {"orientation": "followed" if orientation == "follow" else "not followed"}
    lines = [f"{count} image(s) {_BECOMES[kind].format(**done)}" for kind, count in sorted(kinds.items())]
    small, copies = list(_small_classes(manifest)), list(_copies(manifest, looks))
    none = sum(remark == _NONE for _, remark in small)
    if none:
        lines.append(
            f"{none} class(es) have no held-out image: what is forgotten of them cannot be measured, so only "
            "a retrained model will be accepted"
        )
    if rest := len({name for name, _ in small}) - none:
        lines.append(f"{rest} other class(es) have a single training image, or none in audit or test")
    if copies:
        lines.append(f"{len(copies)} image(s) are the same, pixel by pixel, as one elsewhere in the data")
    if near := list(_near_copies(manifest, looks, shapes)):
        lines.append(
            f"{len(near)} image(s) look nearly the same as one of another class, split or person: drawings "
            "on an even ground may only be alike"
        )
    return lines, [*small, *copies, *near]


def _small_classes(manifest: Manifest) -> Iterator[Remark]:
    """Yield the classes that have too few images to be forgotten and measured."""
    for label, name in enumerate(manifest.classes):
        splits = Counter(manifest.splits[manifest.labels == label].tolist())
        missing = [split for split in ASKED_SPLITS if not splits[split]]
        if not splits.keys() - {"train", CANARY_SPLIT}:
            yield name, _NONE
        elif missing:
            yield name, f"a class without an image in {' and '.join(missing)}"
        if splits["train"] == 1:
            yield name, "a class with one training image"


def _copies(manifest: Manifest, looks: Sequence[str]) -> Iterator[Remark]:
    """Yield the images that there are twice, and what the two do not share."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, look in enumerate(looks):
        groups[look].append(row)
    for rows in groups.values():
        first = str(manifest.sample_ids[rows[0]])
        for row in rows[1:]:
            apart = _apart(manifest, row, rows[0])
            other = f", of another {apart}" if apart else ""
            yield str(manifest.sample_ids[row]), f"the same picture as {first}{other}"


def _near_copies(manifest: Manifest, looks: Sequence[str], shapes: Sequence[str]) -> Iterator[Remark]:
    """Yield the images that look nearly the same as one of another class, split or person."""
    told = set[int]()
    for one, other in near_pairs(shapes):
        apart = _apart(manifest, other, one)
        if other not in told and looks[one] != looks[other] and apart:
            told.add(other)
            yield (
                str(manifest.sample_ids[other]),
                (f"nearly the same picture as {manifest.sample_ids[one]}, of another {apart}"),
            )


def _apart(manifest: Manifest, one: int, other: int) -> str:
    """Say what two images do not share."""
    columns: dict[str, NDArray[np.generic]] = {
        "class": manifest.labels,
        "split": manifest.splits,
        "person": manifest.subject_ids,
    }
    return " and ".join(what for what, column in columns.items() if column[one] != column[other])
