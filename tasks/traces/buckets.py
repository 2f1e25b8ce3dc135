"""Buckets in S3, with every version of every object."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tasks.storage.object_store import ObjectStore
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

    def objects(self) -> Iterator[StoredObject]:
        """Yield every version of every object."""
        for one in self.store.versions():
            address = one.key if one.is_latest else f"{one.key} (version {one.version})"
            read = partial(self.store.read_version, one)
            yield StoredObject(address, one.size, read, frozenset((one.key.rpartition("/")[0],)))
