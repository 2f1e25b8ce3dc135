"""Tombstones: forgotten pictures do not come back unnoticed.

They are written when a deletion is accepted, beside the request, under the checkout's lock, and read whenever
data come in. The same pixels are refused; what looks like them is listed until a person has decided.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.files import read_record, write_record
from tasks.checkout.log import tell
from tasks.checkout.terms import TombstoneSettings
from tasks.data.alike import FoundPicture, decided, list_found
from tasks.data.datasets import rows_digest
from tasks.keys.folder import load_pseudonym_key
from tasks.keys.marks import marks_of, open_looks, seal_looks
from tasks.keys.ring import pseudonym_keys
from unlearn_core.audit.deadlines import later
from unlearn_core.errors import ForgottenError, SetupError
from unlearn_core.fingerprints import near_hashes
from unlearn_core.records.base import UtcTime
from unlearn_core.records.request import RequestId
from unlearn_core.records.tombstone import Tombstones
from unlearn_core.selection import Manifest

SUFFIX = ".tombstones"
_DAY_S = 86_400


def write_tombstones(checkout: Checkout, request_id: RequestId, before: Manifest, after: Manifest) -> None:
    """Write the tombstones of what a deletion removed; those that are there stay as they are.

    Args:
        checkout: The checkout.
        request_id: The request, or the group.
        before: The rows of the data set, with fingerprints.
        after: The retained rows, with fingerprints.
    """
    path = checkout.tombstones(request_id)
    gone = ~np.isin(before.sample_ids, after.sample_ids) & ~np.isin(before.contents, after.contents)
    if path.is_file() or not gone.any() or before.pixels is None or before.looks is None:
        return
    key, made = load_pseudonym_key(), now()
    looks = dict(zip(marks_of(key, before.pixels[gone]), before.looks[gone].tolist(), strict=True))
    marks = tuple(sorted(looks))
    hashes = np.array([looks[mark] for mark in marks], dtype=np.uint64)
    stone = Tombstones(
        request=request_id,
        data=rows_digest(before),
        retained=rows_digest(after),
        made=made,
        expires=_expiry(made),
        marks=marks,
        looks=seal_looks(key, hashes, about=request_id.encode()),
    )
    write_record(path, stone)


def current_tombstones(checkout: Checkout) -> list[Tombstones]:
    """Return the tombstones that hold; expired ones are removed. The caller has sole use of the checkout."""
    held, folder = list[Tombstones](), checkout.tombstones("any").parent
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        one = read_record(path, Tombstones)
        if one.expires is not None and one.expires <= now():
            remove_tombstones(checkout, one.request)
            tell(f"· the tombstones of request {one.request} expired and were removed")
        else:
            held.append(one)
    for pointer in sorted(folder.glob(f"*{SUFFIX}.dvc")):
        if not pointer.with_suffix("").is_file():
            tell(
                f"· {pointer.stem} is not here, so what it forgot is not looked for; run `dvc pull {pointer}`"
            )
    return held


def remove_tombstones(checkout: Checkout, request_id: RequestId) -> None:
    """Remove the tombstones of a request, and what pins them.

    Raises:
        SetupError: If there are none.
    """
    path = checkout.tombstones(request_id)
    if not path.is_file():
        raise SetupError(f"there are no tombstones of request {request_id!r} ({path})")
    path.unlink()
    Path(f"{path}.dvc").unlink(missing_ok=True)


def refuse_forgotten(checkout: Checkout, rows: Callable[[], Manifest], *, alike: bool = True) -> None:
    """Refuse data that hold what an earlier deletion had forgotten.

    The data set that a request began from is no reason to refuse the request itself, as long as nothing was
    begun from its result.

    Args:
        checkout: The checkout.
        rows: Returns the rows with fingerprints; called only if there are tombstones.
        alike: Whether to look for pictures that only look like forgotten ones as well.

    Raises:
        ForgottenError: If a picture is the same, or looks like one and nobody has decided; a table names all.
    """
    if not (stones := current_tombstones(checkout)):
        return
    manifest = rows()
    digest = rows_digest(manifest)
    stones = [one for one in stones if not _is_its_own(checkout, one, digest)]
    found = [*_same(manifest, stones), *(_alike(checkout, manifest, stones) if alike else ())]
    if not found:
        return
    table = list_found(checkout, found)
    same = sum(one.mark is None for one in found)
    requests = sorted({one.request for one in found})
    shown = ", ".join(requests[:5]) + (" …" if len(requests) > 5 else "")
    raise ForgottenError(
        f"{same} picture(s) are the same as what request(s) {shown} had forgotten, and {len(found) - same} "
        f"look like it; {table} names each. Remove them from the data; or, if one only looks alike, "
        "`lethe tombstone keep --sample ID`; or, if the request does not stand any more, "
        f"`lethe tombstone lift {requests[0]}`"
    )


def _is_its_own(checkout: Checkout, stone: Tombstones, digest: str) -> bool:
    """Tell whether a data set is what the present deletion, whose tombstones these are, began from."""
    present = checkout.params.request == stone.request and digest == stone.data
    return present and not checkout.generation("data", stone.retained).is_dir()


def _same(manifest: Manifest, stones: list[Tombstones]) -> Iterator[FoundPicture]:
    """Yield the rows whose pixels are those of a forgotten picture."""
    request = {mark: one.request for one in stones for mark in one.marks}
    assert manifest.pixels is not None
    marked = (enumerate(marks_of(key, manifest.pixels)) for key in pseudonym_keys())
    for row, mark in chain.from_iterable(marked):
        if mark in request:
            reason = f"the same picture as one that request {request[mark]} had forgotten"
            yield FoundPicture(str(manifest.sample_ids[row]), reason, request[mark], None)


def _alike(checkout: Checkout, manifest: Manifest, stones: list[Tombstones]) -> Iterator[FoundPicture]:
    """Yield the rows that look like a forgotten picture, unless a person decided that they are others."""
    keys, settled, seen = pseudonym_keys(), decided(checkout), set[int]()
    assert manifest.pixels is not None
    assert manifest.looks is not None
    for stone in stones:
        key, looks = _opened(stone, keys)
        for row, _, bits in near_hashes(manifest.looks, looks):
            (mark,) = marks_of(key, manifest.pixels[row : row + 1])
            if mark in settled or mark in stone.marks or row in seen:
                continue
            seen.add(row)
            reason = f"looks like one that request {stone.request} had forgotten: {bits} of 64 bits differ"
            yield FoundPicture(str(manifest.sample_ids[row]), reason, stone.request, mark)


def _opened(stone: Tombstones, keys: Sequence[bytes]) -> tuple[bytes, NDArray[np.uint64]]:
    """Open the perceptual hashes of a deletion, with whichever key sealed them; return that key, too."""
    about = stone.request.encode()
    for key in keys[:-1]:
        with suppress(SetupError):
            return key, open_looks(key, stone.looks, about=about)
    return keys[-1], open_looks(keys[-1], stone.looks, about=about)


def _expiry(made: UtcTime) -> UtcTime | None:
    """Return when tombstones that are made now expire."""
    days = TombstoneSettings.read().days
    return None if days is None else later(made, days * _DAY_S)
