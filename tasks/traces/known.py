"""The cards and the rows that lie in the stores: the data sets that hold the rows, and all models."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.traces.stored import Content, SearchableStore, StoredObject
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.artifact import CheckpointCard, MomentsCard
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import DatasetCard

_LARGEST_CARD = 2**24
_CARDS: dict[bytes, type[Record]] = {
    b'"lethe.dataset/1"': DatasetCard,
    b'"lethe.checkpoint/1"': CheckpointCard,
    b'"lethe.moments/1"': MomentsCard,
}
_COLUMNS = frozenset({"sample_id", "label", "split", "subject_id", "sha256", "image"})


@dataclass(frozen=True)
class ShardRow:
    """A row of a data set, as a shard has it.

    Attributes:
        sample_id: Its id.
        subject_id: Its person's id; empty if it belongs to nobody.
        label: The index of its class.
        split: The split that it is in.
    """

    sample_id: str
    subject_id: str
    label: int
    split: str


@dataclass
class KnownCards:
    """What lies in the stores.

    Attributes:
        data: The cards of data sets.
        models: The cards of models, by the digest of their weights.
        moments: The cards of second moments.
        folders: The folders in which the card of a data set lies, by its digest.
        shards: The shards of data sets, each with its store's name.
    """

    data: dict[Sha256, DatasetCard] = field(default_factory=dict[Sha256, DatasetCard])
    models: dict[Sha256, CheckpointCard] = field(default_factory=dict[Sha256, CheckpointCard])
    moments: list[MomentsCard] = field(default_factory=list[MomentsCard])
    folders: dict[Sha256, set[tuple[str, str]]] = field(default_factory=dict[Sha256, set[tuple[str, str]]])
    shards: list[tuple[str, StoredObject]] = field(default_factory=list[tuple[str, StoredObject]])

    def cards_beside(self, store: str, one: StoredObject) -> Iterator[DatasetCard]:
        """Yield the cards of the data sets that an object belongs to."""
        for digest, folders in self.folders.items():
            if any((store, folder) in folders for folder in one.folders):
                yield self.data[digest]


def what_is_known(stores: Iterable[SearchableStore]) -> KnownCards:
    """Read every card in some stores, and note where shards lie.

    Args:
        stores: The stores.

    Returns:
        What was found; the same card in many places is one.
    """
    known = KnownCards()
    for store in stores:
        for one in store.objects():
            content = one.read() if one.size else b""
            if content[:4] == b"PAR1" and _is_shard(content):
                known.shards.append((store.name, one))
            elif one.size <= _LARGEST_CARD and content[:1] == b"{":
                _note(known, store.name, one, _card(bytes(content)))
    return known


def rows_in(one: StoredObject, wanted: Callable[[ShardRow], bool]) -> Iterator[tuple[ShardRow, bytes]]:
    """Yield the rows of a shard that are wanted, each with its encoded image."""
    content = pa.py_buffer(one.read())
    named = pq.read_table(pa.BufferReader(content), columns=["sample_id", "subject_id", "label", "split"])
    rows = [
        ShardRow(entry["sample_id"], entry["subject_id"] or "", entry["label"], entry["split"])
        for entry in named.to_pylist()
    ]
    if found := [index for index, row in enumerate(rows) if wanted(row)]:
        images = pq.read_table(pa.BufferReader(content), columns=["image"])["image"].take(pa.array(found))
        yield from zip((rows[index] for index in found), images.to_pylist(), strict=True)


def _is_shard(content: Content) -> bool:
    """Tell whether a Parquet file has the columns of a data set."""
    with suppress(pa.ArrowException, OSError):
        return set(pq.read_schema(pa.BufferReader(pa.py_buffer(content))).names) >= _COLUMNS
    return False


def _card(content: bytes) -> Record | None:
    """Read a card; None if it is none."""
    for mark, kind in _CARDS.items():
        if mark in content:
            with suppress(ConfigurationError):
                return kind.parse(content)
    return None


def _note(known: KnownCards, store: str, one: StoredObject, card: Record | None) -> None:
    """Add a card to what is known."""
    match card:
        case DatasetCard():
            known.data[card.rows_digest] = card
            folders = ((store, folder) for folder in one.folders)
            known.folders.setdefault(card.rows_digest, set()).update(folders)
        case CheckpointCard():
            known.models[card.weights] = card
        case MomentsCard() if card not in known.moments:
            known.moments.append(card)
        case _:
            pass
