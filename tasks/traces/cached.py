"""DVC's caches and remotes: files named by their digest, and lists that say which of them are one folder."""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from tasks.traces.stored import SearchableStore, StoredObject


@dataclass(frozen=True)
class Cached:
    """A store in DVC's layout: its objects lie in the folders that its lists name.

    Attributes:
        inner: The store of its files.
    """

    inner: SearchableStore

    @property
    def name(self) -> str:
        """The store's name."""
        return self.inner.name

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return self.inner.place

    def location(self) -> str:
        """Return where the store of its files is."""
        return self.inner.location()

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object, with the lists that name it as its folders."""
        found = list(self.inner.objects())
        folders = _folders(found)
        for one in found:
            yield replace(one, folders=one.folders | folders[dvc_digest(one.address)])

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Do what is left once objects were erased."""
        self.inner.settle(erased, databases)


def _folders(found: Iterable[StoredObject]) -> dict[str, frozenset[str]]:
    """Return the lists that name each digest."""
    folders: dict[str, frozenset[str]] = defaultdict(frozenset)
    for one in found:
        if is_list(digest := dvc_digest(one.address)):
            # What is damaged lists nothing; its bytes are searched like any others.
            with suppress(ValueError, TypeError, KeyError):
                for entry in json.loads(bytes(one.read())):
                    folders[entry["md5"]] |= {digest}
    return folders


def is_list(digest: str) -> bool:
    """Tell whether a digest is of a list of a folder's files."""
    return digest.endswith(".dir")


def dvc_digest(address: str) -> str:
    """Return the digest in an address, of which the first two letters are a folder; empty without one."""
    found = re.search(r"\b([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\b", address)
    return "" if found is None else found[1] + found[2]
