"""Who and what is in a data set: counted, listed, and found by id, by person, by file or by digest.

What is found holds ids of samples and persons. It is for the screen of whoever asks, and for no log.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.checkout.files import file_digest
from tasks.checkout.log import is_for_people
from tasks.data.datasets import rows_digest
from unlearn_core.errors import RequestError
from unlearn_core.kinds import Split
from unlearn_core.names import one_form
from unlearn_core.records.contents import ClassContents, DataContents, FoundRow, PersonContents
from unlearn_core.records.data import SPLITS
from unlearn_core.records.earlier import EarlierRequest
from unlearn_core.selection import ASKED_SPLITS, Manifest
from unlearn_core.spelling import did_you_mean

_SHORTEST_DIGEST = 6


def contents_of(manifest: Manifest, earlier: Sequence[EarlierRequest] = ()) -> DataContents:
    """Count what is in a data set.

    Args:
        manifest: Its rows.
        earlier: The requests that it was retained for.

    Returns:
        The counts.
    """
    splits = [_splits(manifest, manifest.labels == label) for label in range(len(manifest.classes))]
    owned = manifest.subject_ids != ""
    return DataContents(
        rows=len(manifest),
        rows_digest=rows_digest(manifest),
        classes=tuple(
            ClassContents(
                name=name,
                splits=splits[label],
                forgotten_by=tuple(one.request for one in earlier if label in one.classes),
            )
            for label, name in enumerate(manifest.classes)
        ),
        persons=len(np.unique(manifest.subject_ids[owned])),
        rows_of_persons=int(owned.sum()),
        without_held_out=tuple(
            name
            for name, counts in zip(manifest.classes, splits, strict=True)
            if counts.get("train") and not any(counts.get(split) for split in ASKED_SPLITS)
        ),
    )


def persons_in(manifest: Manifest) -> tuple[PersonContents, ...]:
    """Count the rows of each person, by id."""
    persons = sorted({str(one) for one in manifest.subject_ids.tolist() if one})
    return tuple(
        PersonContents(person=one, splits=_splits(manifest, manifest.subject_ids == one)) for one in persons
    )


def find_rows(
    manifest: Manifest, wanted: str | None, *, label: str | None = None, split: Split | None = None
) -> tuple[FoundRow, ...]:
    """Find rows of a data set.

    Args:
        manifest: Its rows.
        wanted: A sample's id or a part of it, a person's id, the path of a file with the same bytes, or the
            start of a digest; anything if None.
        label: Only rows of this class.
        split: Only rows of this split.

    Returns:
        The rows in the order of the data set.

    Raises:
        RequestError: If nothing is found; for a person who reads the log, the message has the nearest id.
    """
    rows = np.ones(len(manifest), dtype=bool) if wanted is None else _matching(manifest, wanted)
    if label is not None:
        forms = np.array([one_form(name) for name in manifest.classes])
        rows &= forms[manifest.labels] == one_form(label)
    if split is not None:
        rows &= manifest.splits == split
    if wanted is not None and not rows.any():
        raise RequestError(
            f"nothing in the data set is {_in_words(manifest, wanted)}expected the id of a sample or of a "
            "person, a file, or the start of a digest; `lethe data` shows what there is"
        )
    return tuple(_row(manifest, row) for row in np.flatnonzero(rows).tolist())


def _in_words(manifest: Manifest, wanted: str) -> str:
    """Name what was looked for, and the nearest id, unless that goes into a log that is kept."""
    if not is_for_people():
        return "what was looked for; "
    ids = {*manifest.sample_ids.tolist(), *manifest.subject_ids.tolist()} - {""}
    return f"{wanted}; {did_you_mean(wanted, ids)}"


def _matching(manifest: Manifest, wanted: str) -> NDArray[np.bool_]:
    """Return the rows that somebody may mean: exact ids before a digest, and that before a part of an id."""
    form = one_form(wanted)
    for column in (manifest.sample_ids, manifest.subject_ids):
        if (exact := np.isin(column, [wanted, form])).any():
            return exact
    digest = _digest_of(wanted).removeprefix("sha256:")
    if len(digest) >= _SHORTEST_DIGEST:
        same = np.strings.startswith(manifest.sha256, f"sha256:{digest}")
        if same.any():
            return same
    return np.strings.find(manifest.sample_ids, form) >= 0


def _digest_of(wanted: str) -> str:
    """Return the digest of a file, or what may be one itself."""
    try:
        return file_digest(Path(wanted))
    except (OSError, ValueError):
        return wanted.lower()


def _splits(manifest: Manifest, rows: NDArray[np.bool_]) -> dict[str, int]:
    """Count rows by split, those of every data set first."""
    counts: Counter[str] = Counter(manifest.splits[rows].tolist())
    return {**dict.fromkeys(SPLITS, 0), **counts}


def _row(manifest: Manifest, row: int) -> FoundRow:
    return FoundRow.model_validate(
        {
            "sample": str(manifest.sample_ids[row]),
            "label": manifest.classes[manifest.labels[row]],
            "split": str(manifest.splits[row]),
            "person": str(manifest.subject_ids[row]) or None,
            "content": str(manifest.sha256[row]),
        }
    )
