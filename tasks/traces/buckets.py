"""Buckets in S3, with every version of every object."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from tasks.storage.object_store import ObjectStore
from tasks.storage.object_versions import UNVERSIONED
from tasks.traces.stored import StoredObject


@dataclass(frozen=True)
class Bucket:
    """A bucket, below Lethe's prefix.

    Attributes:
        store: The bucket.
        name: The store's name.
        place: Where it is, in words.
    """

    store: ObjectStore
    name: str
    place: str

    def location(self) -> str:
        """Return its address."""
        return f"{self.store.endpoint or 'aws'} {self.store.address('')}"

    def objects(self) -> Iterator[StoredObject]:
        """Yield every version of every object."""
        for one in self.store.versions():
            yield StoredObject(
                # A version keeps its address whatever becomes of the others.
                address=one.key if one.version == UNVERSIONED else f"{one.key} (version {one.version})",
                size=one.size,
                read=partial(self.store.read_version, one),
                folders=frozenset((one.key.rpartition("/")[0],)),
                erase=partial(self.store.erase_version, one),
            )

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Nothing is left to do."""
