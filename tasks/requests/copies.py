"""Pictures that look like forgotten ones and would stay in the data, told with what takes them in."""

import shlex

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.checkout.log import is_for_people, tell
from tasks.data.alike import FoundPicture, decided, list_found
from tasks.keys.folder import load_pseudonym_key
from tasks.keys.marks import marks_of
from tasks.keys.signing import pseudonymise
from unlearn_core.errors import RequestError
from unlearn_core.fingerprints import near_hashes
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope
from unlearn_core.selection import Manifest, Pseudonymise, Selection, rows_named

_SHOWN = 20


def refuse_alike(
    checkout: Checkout,
    request: DeletionRequest,
    manifest: Manifest,
    selection: Selection,
    pseudonym: Pseudonymise,
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
    whole = isinstance(request.scope, ClassScope)
    gone = selection.forget if whole else rows_named(request.scope, manifest, pseudonym)
    mine, rest = np.flatnonzero(gone), np.flatnonzero(selection.keep & ~gone)
    pairs = {
        rest[there]: (mine[here], bits)
        for here, there, bits in near_hashes(manifest.looks[mine], manifest.looks[rest])
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
    if whole:
        tell(f"· {said}")
        return
    raise RequestError(
        f"{said}:\n{_listed(found)}\ntake them in too: lethe delete {request.id} … {_samples(found)}; or, "
        f"if they are other pictures, decide so: lethe tombstone keep {_samples(found)}"
    )


def _listed(found: list[FoundPicture]) -> str:
    """Name what was found to a person; a log gets pseudonyms."""
    if is_for_people():
        lines = [f"  {one.sample}: {one.reason}" for one in found[:_SHOWN]]
    else:
        key = load_pseudonym_key()
        lines = [f"  {pseudonymise(key, 'sample', one.sample)}" for one in found[:_SHOWN]]
    return "\n".join([*lines, *(["  …"] if len(found) > _SHOWN else [])])


def _samples(found: list[FoundPicture]) -> str:
    """Return the options that name some samples; a log gets none of their names."""
    if not is_for_people():
        return "--sample ID …"
    options = " ".join(f"--sample {shlex.quote(one.sample)}" for one in found[:_SHOWN])
    return f"{options} …" if len(found) > _SHOWN else options
