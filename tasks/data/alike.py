"""Pictures that were found where they should not be: a table that names them, and what a person decided."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.csv_tables import as_csv, rows_of_csv
from tasks.checkout.environment import actor, now
from tasks.checkout.files import read_record, write_atomically, write_record
from unlearn_core.errors import RequestError, SetupError
from unlearn_core.names import one_form
from unlearn_core.records.base import HexDigest
from unlearn_core.records.tombstone import OtherPicture, OtherPictures

_TABLE = "pictures-found.csv"
_COLUMNS = ("sample_id", "reason", "request", "mark")


@dataclass(frozen=True)
class FoundPicture:
    """A picture that stands in the way.

    Attributes:
        sample: Its id.
        reason: What it is, or looks like.
        request: Whose forgotten picture that is.
        mark: Its keyed mark, if a person can decide that it is another picture; None if it is the same one.
    """

    sample: str
    reason: str
    request: str
    mark: HexDigest | None


def list_found(checkout: Checkout, found: Iterable[FoundPicture]) -> Path:
    """Write the table of what was found last, and return its path in the checkout."""
    rows = ((one.sample, one.reason, one.request, one.mark or "") for one in found)
    write_atomically(checkout.lethe / _TABLE, as_csv(_COLUMNS, rows).encode())
    return (checkout.lethe / _TABLE).relative_to(checkout.root)


def decided(checkout: Checkout) -> set[HexDigest]:
    """Return the marks of the pictures that a person called others."""
    return {one.mark for one in _kept(checkout).pictures}


def keep_pictures(checkout: Checkout, samples: Collection[str], *, everything: bool = False) -> int:
    """Decide that pictures of the last table only look like forgotten ones.

    Args:
        checkout: The checkout, of which the caller has sole use.
        samples: Their ids.
        everything: All of them that can be decided about.

    Returns:
        How many were decided about.

    Raises:
        SetupError: If there is no table.
        RequestError: If samples and everything are named, or neither, or a sample is not in the table, or is
            the same picture as a forgotten one; nothing is changed.
    """
    if bool(samples) == everything:
        raise RequestError("name pictures with --sample, or decide about all with --all")
    path = checkout.lethe / _TABLE
    if not path.is_file():
        raise SetupError("nothing was found that looks like a forgotten picture; there is nothing to decide")
    found = {row["sample_id"]: row["mark"] for row in rows_of_csv(path.read_bytes().decode())}
    named = {one for one, mark in found.items() if mark} if everything else set(map(one_form, samples))
    if wrong := sorted(one for one in named if not found.get(one)):
        raise RequestError(
            f"{len(wrong)} of the samples named are not among the pictures that only look alike; "
            f"{path.relative_to(checkout.root)} lists those with a mark, and the same picture cannot be kept"
        )
    by, at = actor(), now()
    pictures = {one.mark: one for one in _kept(checkout).pictures}
    pictures |= {found[one]: OtherPicture(mark=found[one], by=by, at=at) for one in sorted(named)}
    kept = OtherPictures(pictures=tuple(pictures[mark] for mark in sorted(pictures)))
    write_record(checkout.other_pictures, kept)
    return len(named)


def _kept(checkout: Checkout) -> OtherPictures:
    path = checkout.other_pictures
    return read_record(path, OtherPictures) if path.is_file() else OtherPictures()
