"""What commands begin in MLflow and Prefect, noted in the checkout: what a killed one left can be closed.

A note is made before a run begins, so it is what the run can be searched by rather than its id. It stays
until a later command has looked: most runs have ended by themselves by then.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import Literal

from tasks.checkout.files import write_atomically

Service = Literal["mlflow", "prefect"]
Notes = dict[str, list[str]]

_LOCK = RLock()
_own: defaultdict[Path, Notes] = defaultdict(dict)


def note_begun(root: Path, service: Service, search: str) -> None:
    """Note that a run is about to begin; the caller works alone in the checkout.

    Args:
        root: The checkout.
        service: Where the run will be.
        search: What finds it there.
    """
    with _LOCK:
        own, noted = _own[root.resolve()], _read(root)
        if search not in own.get(service, ()):
            own.setdefault(service, []).append(search)
            _write(root, {**noted, service: [*noted.get(service, ()), search]})


def checkouts_noted() -> tuple[Path, ...]:
    """Return the checkouts in which this process has noted anything."""
    return tuple(_own)


def noted_here(root: Path, service: Service) -> tuple[str, ...]:
    """Return what this process has noted."""
    return tuple(_own[root.resolve()].get(service, ()))


def close_noted(root: Path, service: Service, close: Callable[[Sequence[str]], object]) -> None:
    """Close what earlier processes have noted, and forget it; what this one has begun goes on.

    Args:
        root: The checkout; the caller works alone in it, so those processes have ended.
        service: Where the runs are.
        close: Closes those that are found and still open.
    """
    with _LOCK:
        own = noted_here(root, service)
        if before := [one for one in _read(root).get(service, ()) if one not in own]:
            close(before)
            _write(root, {**_read(root), service: list(own)})


def _path(root: Path) -> Path:
    return root / ".lethe" / "begun.json"


def _read(root: Path) -> Notes:
    path = _path(root)
    return json.loads(path.read_bytes()) if path.is_file() else {}


def _write(root: Path, noted: Notes) -> None:
    write_atomically(_path(root), json.dumps(noted, indent=1).encode())
