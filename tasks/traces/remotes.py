"""DVC's default remote, if it is not Lethe's own bucket."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tasks.storage.versioning import opened
from tasks.traces.stored import StoredObject


@dataclass(frozen=True)
class Remote:
    """A remote of DVC's.

    Attributes:
        root: The checkout.
        remote: The remote's name in DVC's settings.
    """

    root: Path
    remote: str
    name: str = "dvc remote"
    place: str = "DVC's default remote"

    def location(self) -> str:
        """Return its address."""
        with opened(self.root) as repo:
            store: Any = repo.cloud.get_remote_odb(self.remote)
            if store.fs.protocol == "local":
                return os.path.realpath(store.path)
            endpoint = repo.config["remote"][self.remote].get("endpointurl", "")
            return f"{endpoint} {store.fs.unstrip_protocol(store.path)}"

    def objects(self) -> Iterator[StoredObject]:
        """Yield every file in it."""
        with opened(self.root) as repo:
            store: Any = repo.cloud.get_remote_odb(self.remote)
            for path in sorted(store.fs.find(store.path)):
                within = store.fs.parts(path)[len(store.fs.parts(store.path)) :]
                read = partial(_read, store.fs, path)
                yield StoredObject(
                    address="/".join(within),
                    size=store.fs.size(path),
                    read=read,
                    folders=frozenset(("/".join(within[:-1]),)),
                    erase=partial(store.fs.remove, path),
                )

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Nothing is left to do."""


def _read(fs: Any, path: str) -> bytes:
    with fs.open(path, "rb") as stream:
        return stream.read()
