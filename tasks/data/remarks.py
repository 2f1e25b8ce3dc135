"""What is odd about the rows of an import. Nothing of it is refused, but a deletion may meet it."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

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
    manifest: Manifest, kinds: Counter[ImageKind], *, orientation: str
) -> tuple[list[str], list[Remark]]:
    """Look for classes that a deletion cannot measure, and for copies where there should be none.

    Args:
        manifest: The imported rows.
        kinds: How many images each rule for conversion applies to.
        orientation: What becomes of the tag: ``follow`` or ``ignore``.

    Returns:
        Lines for people, without the name of a sample, and what names them.
    """
    done = {"orientation": "followed" if orientation == "follow" else "not followed"}
    lines = [f"{count} image(s) {_BECOMES[kind].format(**done)}" for kind, count in sorted(kinds.items())]
    small, copies = list(_small_classes(manifest)), list(_copies(manifest))
    none = sum(remark == _NONE for _, remark in small)
    if none:
        lines.append(f"{none} class(es) have no held-out image: what is forgotten of them cannot be measured")
    if rest := len({name for name, _ in small}) - none:
        lines.append(f"{rest} other class(es) have a single training image, or none in audit or test")
    if copies:
        lines.append(f"{len(copies)} image(s) are the same, pixel by pixel, as one elsewhere in the data")
    return lines, [*small, *copies]


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


def _copies(manifest: Manifest) -> Iterator[Remark]:
    """Yield the images that there are twice, and what the two do not share."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(manifest.contents.tolist()):
        groups[content].append(row)
    columns: dict[str, NDArray[np.generic]] = {
        "class": manifest.labels,
        "split": manifest.splits,
        "person": manifest.subject_ids,
    }
    for rows in groups.values():
        first = str(manifest.sample_ids[rows[0]])
        for row in rows[1:]:
            apart = [what for what, column in columns.items() if column[row] != column[rows[0]]]
            other = f", of another {' and '.join(apart)}" if apart else ""
            yield str(manifest.sample_ids[row]), f"the same picture as {first}{other}"
