"""A receipt: what shows a person that a record of theirs was trained on, and is no longer."""

from typing import Literal

from pydantic import Field

from unlearn_core.records.base import HexDigest, Record, Sha256
from unlearn_core.records.request import RequestId


class TreeHead(Record):
    """A Merkle tree over a list, without the list."""

    size: int = Field(ge=1)
    root: Sha256


class ManifestTrees(Record):
    """The training rows before a deletion and after it, as sorted Merkle trees over keyed pseudonyms."""

    before: TreeHead
    after: TreeHead


class Place(Record):
    """Where a leaf stands in a tree, and the hashes beside the way from there to the root, from below."""

    index: int = Field(ge=0)
    path: tuple[HexDigest, ...] = Field(max_length=64)


class Neighbour(Place):
    """A leaf that stands next to where another one would."""

    leaf: HexDigest


class ErasedRow(Record):
    """One row that was in the tree before, and is not in the tree after.

    ``secret`` opens the row's own leaf and no other: with it anybody can tell that the leaf is that of this
    ``sample``, with the content ``image``. ``left`` or ``right`` is None where the row would stand at an end.
    """

    sample: str = Field(min_length=1)
    image: Sha256
    secret: HexDigest
    before: Place
    left: Neighbour | None
    right: Neighbour | None


class Receipt(Record):
    """Rows that a request had forgotten; it is checked against the request's certificate.

    ``schema_version`` has no default: bytes without it are refused.
    """

    schema_version: Literal["lethe.receipt/1"]
    request: RequestId
    rows: tuple[ErasedRow, ...] = Field(min_length=1)
