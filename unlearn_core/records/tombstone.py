"""Tombstones: what is kept of forgotten pictures, so that they are known if they come back."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from unlearn_core.records.base import HexDigest, Record, Sha256, UtcTime
from unlearn_core.records.request import RequestId

Sealed = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""Bytes that only the pseudonym key opens, as base64."""


class Tombstones(Record):
    """Those of one deletion, of a request or of a group.

    ``data`` and ``retained`` are the data sets before and after it. ``marks`` are keyed digests of the
    pictures' pixels, in order, and ``looks`` the perceptual hashes in the same order, sealed together. After
    ``expires`` nothing of it holds.
    """

    schema_version: Literal["lethe.tombstones/1"] = "lethe.tombstones/1"
    request: RequestId
    data: Sha256
    retained: Sha256
    made: UtcTime
    expires: UtcTime | None
    marks: tuple[HexDigest, ...] = Field(min_length=1)
    looks: Sealed


class OtherPicture(Record):
    """A person's decision that a picture, by its keyed mark, only looks like a forgotten one."""

    mark: HexDigest
    by: str
    at: UtcTime


class OtherPictures(Record):
    """All such decisions of a project, in the order of the marks."""

    schema_version: Literal["lethe.other-pictures/1"] = "lethe.other-pictures/1"
    pictures: tuple[OtherPicture, ...] = ()
