"""Rows as the byte strings by which they are known wherever they lie."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

import torch

from unlearn_core.byte_strings import ByteStrings, Outline, OutlinedStrings
from unlearn_core.data import open_image, pixels_of, unit
from unlearn_core.errors import UsageError
from unlearn_core.records.traces import TraceKind

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

CONTROL = -2
"""Stands for the row of a needle that is of a record that was not deleted."""


@dataclass(frozen=True)
class SoughtRow:
    """A row to look for.

    Attributes:
        names: Its ids, and its person's.
        pseudonyms: Theirs.
        image: The encoded image.
        shape: ``[channels, height, width]`` of the images of its data set.
    """

    names: tuple[str, ...]
    pseudonyms: tuple[str, ...]
    image: bytes
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class Needle:
    """One byte string, what it is, and of which row.

    Attributes:
        string: The byte string.
        kind: What it is.
        row: Of which row.
        again: Whether it is but another form of one that is looked for.
    """

    string: bytes
    kind: TraceKind
    row: int
    again: bool = False


@dataclass(frozen=True)
class Sought:
    """Everything that is looked for.

    Attributes:
        rows: The rows.
        names: Ids that are looked for whether or not a row has them.
        pseudonyms: Theirs.
    """

    rows: tuple[SoughtRow, ...]
    names: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()

    @cached_property
    def needles(self) -> tuple[Needle, ...]:
        """The byte strings; each is given once, for the first row that it is of."""
        every = [needle for one in self.names for needle in _named(one, -1)]
        every += [Needle(one.encode(), "pseudonym", -1) for one in self.pseudonyms]
        every += [needle for index, row in enumerate(self.rows) for needle in _needles(index, row)]
        return tuple({needle.string: needle for needle in reversed(every)}.values())[::-1]

    @cached_property
    def strings(self) -> ByteStrings:
        """The same, ready to be looked for; names are found as whole words."""
        words = {index for index, needle in enumerate(self.needles) if needle.kind == "id"}
        return ByteStrings((needle.string for needle in self.needles), words=words)

    @property
    def rows_sought(self) -> int:
        """How many rows are looked for."""
        return len(self.rows)

    @property
    def unsearchable(self) -> int:
        """How many byte strings are too short or too uniform to be looked for, without their other forms."""
        return sum(not self.needles[index].again for index in self.strings.unsearchable)

    def outlines(self, key: bytes) -> Iterator[tuple[TraceKind, Outline]]:
        """Yield what is kept of the byte strings to look for them without the rows."""
        for needle in self.needles:
            if (found := Outline.of(needle.string, key)) is not None:
                yield needle.kind, found


@dataclass(frozen=True)
class SoughtOutlines:
    """The same once the rows are gone: outlines of the byte strings.

    Attributes:
        given: The outlines, each with what it is of.
        key: The key of their marks.
        rows_sought: How many rows they are of.
        unsearchable: How many byte strings have none.
        control: The outlines of a record that was not deleted: a search that works finds it.
    """

    given: tuple[tuple[TraceKind, Outline], ...]
    key: bytes
    rows_sought: int
    unsearchable: int
    control: tuple[tuple[TraceKind, Outline], ...] = ()

    @cached_property
    def needles(self) -> tuple[Needle, ...]:
        """What each outline is of; of which row is not known any more."""
        sought = [Needle(b"", kind, -1) for kind, _ in self.given]
        return (*sought, *(Needle(b"", kind, CONTROL) for kind, _ in self.control))

    @cached_property
    def strings(self) -> OutlinedStrings:
        """The outlines, ready to be looked for; names are found as whole words."""
        words = {index for index, (kind, _) in enumerate(self.given) if kind == "id"}
        outlines = [one for _, one in (*self.given, *self.control)]
        return OutlinedStrings(outlines, self.key, words=words)


def _needles(index: int, row: SoughtRow) -> Iterator[Needle]:
    """Yield the byte strings of one row."""
    yield from (needle for one in row.names for needle in _named(one, index))
    yield from (Needle(one.encode(), "pseudonym", index) for one in row.pseudonyms)
    digest = hashlib.sha256(row.image)
    yield Needle(digest.hexdigest().encode(), "digest", index)
    yield Needle(digest.digest(), "digest", index)
    yield Needle(row.image, "image", index)
    for one in _in_base64(row.image):
        yield Needle(one, "image", index)
        yield Needle(one.translate(_URL_SAFE), "image", index, again=True)
        yield Needle(one.replace(b"/", b"\\/"), "image", index, again=True)
    yield from (Needle(one, "pixels", index) for one in _pixels(row))


def _named(name: str, row: int) -> Iterator[Needle]:
    """Yield an id as it is, and as programs write it: escaped, in an address, in another encoding."""
    yield Needle(name.encode(), "id", row)
    escaped = json.dumps(name)[1:-1]
    upper = re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda found: found[0].upper(), escaped)
    in_json = {text for one in (name, escaped, upper) for text in (one, one.replace("/", "\\/"))}
    texts = {*in_json, quote(name), quote(name, safe=""), name.encode("unicode_escape").decode()}
    forms = {text.encode() for text in texts} | {name.encode("utf-16-le"), name.encode("utf-16-be")}
    with suppress(UnicodeEncodeError):
        forms.add(name.encode("latin-1"))
    yield from (Needle(one, "id", row, again=True) for one in sorted(forms - {name.encode()}))


def _in_base64(content: bytes) -> Iterator[bytes]:
    """Yield what is inside any base64 text of a content, wherever in the text it begins."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + content)
        # The first and the last letters depend on what stands beside the content.
        yield text[4 if before else 0 : -4]


def _pixels(row: SoughtRow) -> Iterator[bytes]:
    """Yield an image's pixels in the forms in which programs keep them."""
    try:
        image = open_image(row.image)
    except UsageError:
        return
    channels, height, width = row.shape
    pixels = pixels_of(image, channels, (height, width))
    yield image.tobytes()
    yield pixels.tobytes()
    yield pixels.transpose(1, 2, 0).tobytes()
    yield unit(torch.from_numpy(pixels.copy())).numpy().tobytes()
