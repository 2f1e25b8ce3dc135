"""Copies of forgotten pictures that a deletion would leave in the data, told with what takes them in."""

import shlex
from collections.abc import Callable, Iterable
from typing import NoReturn

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.checkout.log import is_for_people, tell
from tasks.data.alike import FoundPicture, decided, list_found
from tasks.keys.folder import load_pseudonym_key
from tasks.keys.marks import marks_of
from tasks.keys.signing import pseudonymise
from unlearn_core.errors import RequestError
from unlearn_core.fingerprints import near_pairs
from unlearn_core.records.request import ClassScope, DeletionRequest
from unlearn_core.selection import Manifest, Selection, rows_named

_SHOWN = 20


def refuse_copies(
    checkout: Checkout, request: DeletionRequest, manifest: Manifest, copies: Iterable[tuple[int, int]]
) -> NoReturn:
    """Refuse a request that would leave the same pictures behind.

    Args:
        checkout: The checkout, in which a table is written.
        request: The request.
        manifest: The rows.
        copies: For each copy its row, and that of a forgotten picture.

    Raises:
        RequestError: Always; it names them to a person. A log that is kept has pseudonyms, the table names.
    """
    names = manifest.sample_ids
    found = [
        FoundPicture(
            str(names[copy]), f"the same picture as {names[one]}, which is to be forgotten", request.id, None
        )
        for copy, one in copies
    ]
    table = list_found(checkout, found)
    said = f"{len(found)} exact duplicate(s) of forgotten images would be left behind; {table} names each"
    raise RequestError(f"{said}:\n{_listed(found)}\n{_way_out(request, found)}") from None


def refuse_alike(
    checkout: Checkout,
    request: DeletionRequest,
    manifest: Manifest,
    selection: Selection,
    pseudonym: Callable[[str], str],
) -> None:
    """Refuse to leave pictures behind that look like forgotten ones, until a person has decided about each.

    A class is forgotten as a whole, and other classes may well have pictures like its own: there they are
    only told.

    Args:
        checkout: The checkout, in which a table is written.
        request: The request.
        manifest: The rows.
        selection: What the request means on them.
        pseudonym: What made the scope's pseudonyms.

    Raises:
        RequestError: If there are any that nobody decided about.
    """
    if manifest.looks is None or manifest.pixels is None:
        return
    gone = selection.forget if selection.classes else rows_named(request.scope, manifest, pseudonym)
    mine, rest = np.flatnonzero(gone), np.flatnonzero(selection.keep & ~gone)
    pairs = {
        rest[there]: (mine[here], bits)
        for here, there, bits in near_pairs(manifest.looks[mine], manifest.looks[rest])
    }
    if not pairs:
        return
    rows = np.array(sorted(pairs))
    marks = dict(zip(rows.tolist(), marks_of(load_pseudonym_key(), manifest.pixels[rows]), strict=True))
    settled, names = decided(checkout), manifest.sample_ids
    found = [
        FoundPicture(
            str(names[row]), f"looks like {names[one]}: {bits} of 64 bits differ", request.id, marks[int(row)]
        )
        for row, (one, bits) in sorted(pairs.items())
        if marks[int(row)] not in settled
    ]
    if not found:
        return
    table = list_found(checkout, found)
    said = f"{len(found)} picture(s) that stay look like what is to be forgotten; {table} names each"
    if isinstance(request.scope, ClassScope):
        tell(f"· {said}")
        return
    raise RequestError(
        f"{said}:\n{_listed(found)}\n{_way_out(request, found)}; or, if they are other pictures, decide so: "
        f"lethe tombstone keep {_samples(found)}"
    )


def _listed(found: list[FoundPicture]) -> str:
    """Name what was found to a person; a log gets pseudonyms."""
    if is_for_people():
        lines = [f"  {one.sample}: {one.reason}" for one in found[:_SHOWN]]
    else:
        key = load_pseudonym_key()
        lines = [f"  {pseudonymise(key, 'sample', one.sample)}" for one in found[:_SHOWN]]
    return "\n".join([*lines, *(["  …"] if len(found) > _SHOWN else [])])


def _way_out(request: DeletionRequest, found: list[FoundPicture]) -> str:
    """Say which command takes the copies in."""
    if isinstance(request.scope, ClassScope):
        return "put them into the class in the source, or remove them there, and import again"
    return (
        f"take them in, with all else that the request names: lethe delete {request.id} … {_samples(found)}"
    )


def _samples(found: list[FoundPicture]) -> str:
    """Return the options that name some samples; a log gets none of their names."""
    if not is_for_people():
        return "--sample ID …"
    options = " ".join(f"--sample {shlex.quote(one.sample)}" for one in found[:_SHOWN])
    return f"{options} …" if len(found) > _SHOWN else options
