"""What a store is: a place whose objects can all be listed and read."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

Content = bytes | memoryview


@dataclass(frozen=True)
class StoredObject:
    """An object of a store.

    Attributes:
        address: Where it is in its store.
        size: Its bytes.
        read: Returns its content.
        folders: What it lies in: the files of a data set share one.
        derived: Whether everything here is computed from data: outputs of models, and measurements of them.
        erase: Erases it; None where nothing can be erased.
        closed: Why it cannot be read, and what to do about it; empty if it can be.
    """

    address: str
    size: int
    read: Callable[[], Content]
    folders: frozenset[str] = frozenset()
    derived: bool = False
    erase: Callable[[], object] | None = None
    closed: str = ""

    def without_content(self) -> "StoredObject":
        """Return the object without what it holds, which may be as large as its store."""
        return replace(self, read=bytes, erase=None)


class SearchableStore(Protocol):
    """A place that may hold traces.

    Attributes:
        name: Its name.
        place: Where it is, in words.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def place(self) -> str: ...  # noqa: D102

    def location(self) -> str:
        """Return where it is: a path without links, or the address of a bucket or a database."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object, in a fixed order."""
        ...

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Do what is left once objects were erased.

        Args:
            erased: Their addresses; folders that are empty now go too.
            databases: The addresses of databases to compact.
        """
        ...
