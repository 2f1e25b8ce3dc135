"""What an unfinished import remembers of its finished shards; kept beside them, and nowhere else."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256

ImageKind = Literal["orientation", "transparency", "cmyk"]
"""Images of which something is followed, dropped or converted."""


class Problem(Record):
    """An image that could not be read, and why."""

    sample_id: str
    reason: str


class ShardCard(Record):
    """One finished shard: what it was made of, and what its images are like.

    ``stamp`` is over the rows' settings, sizes and times, ``file`` over the shard's bytes (None if no image
    of it could be read). ``sizes`` counts images by ``HEIGHTxWIDTH``; ``sums`` and ``squares`` are of the
    training rows' ``pixels``, channel by channel, as bytes. ``looks`` are digests of each stored image's
    pixels, in order, as a model sees them, ``shapes`` their difference hashes, empty of small ones, and
    ``fingerprints`` those of the images as they are; ``kinds`` counts the images that a rule applies to, by
    ``ImageKind``.
    """

    schema_version: Literal["lethe.shard/4"] = "lethe.shard/4"
    stamp: Sha256
    file: Sha256 | None
    colour: int
    sizes: dict[str, int]
    pixels: int
    sums: tuple[int, ...]
    squares: tuple[int, ...]
    problems: tuple[Problem, ...]
    fingerprints: tuple[str, ...]
    looks: tuple[str, ...]
    shapes: tuple[str, ...]
    kinds: dict[ImageKind, int]
