"""Where traces of some rows were found: what an object holds of them, and which models learned them."""

from typing import Annotated, Literal

from pydantic import Field

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import DatasetCard

TraceKind = Literal["image", "pixels", "id", "pseudonym", "digest", "model", "uncertain", "derived"]
Knows = Literal["learned", "made_from", "uncertain"]
TRACE_WORDS: dict[TraceKind, str] = {
    "image": "the image's file",
    "pixels": "its decoded pixels",
    "id": "an id",
    "pseudonym": "a pseudonym",
    "digest": "the digest of its file",
    "model": "a model that learned from it",
    "uncertain": "a model whose data is not at hand",
    "derived": "perhaps computed from it",
}
"""What an object can hold of a row, in words."""


class Trace(Record):
    """An object that holds something of the rows.

    Attributes:
        store: Where it is, by the store's name.
        address: Its address in the store.
        size: Its bytes.
        kinds: What it holds, in the order of ``TRACE_WORDS``.
        rows: Of how many of the rows it holds an image, pixels or a name.
    """

    store: str
    address: str
    size: int = Field(ge=0)
    kinds: tuple[TraceKind, ...]
    rows: int = Field(ge=0)


class SearchedStore(Record):
    """A store that was searched.

    Attributes:
        name: Its name.
        place: Where it is, in words.
        objects: How many objects were read.
        size: How many bytes that was.
    """

    name: str
    place: str
    objects: int = Field(ge=0)
    size: int = Field(ge=0)


class TracedModel(Record):
    """A model that learned the rows, may have, or was made from one that did.

    Attributes:
        weights: The digest of its file.
        method: How it was made.
        data: The data set that it was made with.
        knows: ``learned`` if that data set holds the rows; ``made_from`` if it does not, but a model that
            learned them was its start; ``uncertain`` if that data set is not at hand.
    """

    weights: Sha256
    method: str
    data: Sha256
    knows: Knows


class AskedOfRows(Record):
    """A class by its name, a sample or a person by pseudonym."""

    kind: Literal["class", "sample", "subject"]
    name: str


class AskedOfDigest(Record):
    """A data set or a model, by its digest."""

    kind: Literal["dataset", "model"]
    name: Sha256


class Lineage(Record):
    """What became of some rows: the data sets, the models, and every object that holds something of them.

    Attributes:
        asked: What was asked for.
        rows: How many rows that is, in all data sets at hand.
        data: The data sets that hold them, known by their cards.
        models: The models that learned them, or were made from one that did.
        traces: What was found, in the order of the stores.
        searched: The stores.
        unsearchable: How many byte strings could not be looked for: ids of fewer than eight bytes, and
            images of nearly one colour.
        beyond: What was not searched, and why.
    """

    schema_version: Literal["lethe.lineage/1"] = "lethe.lineage/1"
    asked: Annotated[AskedOfRows | AskedOfDigest, Field(discriminator="kind")]
    rows: int = Field(ge=0)
    data: tuple[DatasetCard, ...]
    models: tuple[TracedModel, ...]
    traces: tuple[Trace, ...]
    searched: tuple[SearchedStore, ...]
    unsearchable: int = Field(ge=0)
    beyond: tuple[str, ...]
