"""The ledger's database, where it is not a file of the project."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from sqlalchemy import URL, MetaData, select

from tasks.requests.ledger.database import open_engine
from tasks.traces.stored import StoredObject
from tasks.traces.unpacked import value_as_bytes


@dataclass(frozen=True)
class Database:
    """The tables of a database.

    Attributes:
        url: Its address.
    """

    url: URL
    name: str = "ledger"
    place: str = "the tables of the ledger's database"

    def location(self) -> str:
        """Return its address, whoever uses it."""
        backend, name = self.url.get_backend_name(), self.url.database or ""
        return f"{backend} {self.url.host}:{self.url.port} {os.path.realpath(name)}"

    def objects(self) -> Iterator[StoredObject]:
        """Yield each table: a line per row, its values apart; bytes as they are, all else as text."""
        tables = MetaData()
        with open_engine(self.url).connect() as connection:
            tables.reflect(connection)
            for table in tables.sorted_tables:
                content = b"\n".join(map(_line, connection.execute(select(table))))
                yield StoredObject(table.name, len(content), partial(bytes, content))

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Nothing is left to do."""


def _line(row: Iterable[object]) -> bytes:
    return b"\0".join(map(value_as_bytes, row))
