"""Many byte strings, looked for in any content at once.

One window of eight bytes stands for each string. All windows of a content are compared with all of them by
whole arrays; only where one is met is the string itself compared, so nothing else is ever found. Of a string
that must not be kept an *outline* is: the window, the length, and a keyed digest to compare with.
"""

import hashlib
import hmac
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

WINDOW = 8
VARIED = 4
"""How many of a window's bytes must differ: a run of zeros is in every file."""

_BLOCK = 2**20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: it mixes all bits into the highest
_SLOTS = 16
_SHORT = 256
"""Up to how many bytes windows are looked up one by one: that is faster than to begin with whole arrays."""

_ESCAPE = re.compile(rb"(?:\\[abfnrtv0]|(?:%|\\x)[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})\Z")
_LONGEST_ESCAPE = 6


@dataclass(frozen=True)
class Outline:
    """What is kept of a byte string that is to be found without it.

    Attributes:
        window: The eight bytes that stand for it.
        place: Where they begin in it.
        length: Its length.
        mark: A keyed digest of it.
    """

    window: bytes
    place: int
    length: int
    mark: bytes

    @classmethod
    def of(cls, one: bytes, key: bytes) -> "Outline | None":
        """Return the outline of a byte string; None if it is too short or too uniform to be looked for."""
        if (place := _most_varied(one)) is None:
            return None
        return cls(one[place : place + WINDOW], place, len(one), mark_of(one, key))


def mark_of(part: bytes | memoryview, key: bytes) -> bytes:
    """Return the keyed digest by which a byte string is known again."""
    return hmac.digest(key, part, hashlib.sha256)[:16]


class _Windows:
    """Windows that are looked for together; what derives from it knows whose they are."""

    def __init__(self, chosen: Iterable[tuple[bytes, int, int, int]], words: Container[int]) -> None:
        """Take the windows: each with the index of its string, its place there, and the string's length."""
        self._words = words
        self._chosen: dict[int, list[tuple[int, int, int]]] = {}
        for window, *one in chosen:
            self._chosen.setdefault(int.from_bytes(window, "little"), []).append((one[0], one[1], one[2]))
        self._windows = np.array(sorted(self._chosen), dtype=np.uint64)
        self._met = np.zeros(2**_SLOTS, dtype=np.bool_)
        self._met[_slots(self._windows)] = True

    def found_in(self, content: bytes | memoryview, *, apart: bool = True) -> frozenset[int]:
        """Return which of the strings a content holds.

        Args:
            content: Any bytes, in memory or mapped into it.
            apart: Whether values stand apart in it; where they follow on one another, as in the pages of a
                database, names are found whatever stands beside them.

        Returns:
            Their indices in the order in which they were given.
        """
        if not self._chosen:
            return frozenset()
        found, view = set[int](), memoryview(content).cast("B")
        for place, window in self._windows_met(np.frombuffer(view, dtype=np.uint8)):
            for index, offset, length in self._chosen[window]:
                start, end = place - offset, place - offset + length
                if start < 0 or end > len(view) or index in found or not self._is(index, view[start:end]):
                    continue
                if not (apart and index in self._words and _goes_on(view, start, end)):
                    found.add(index)
        return frozenset(found)

    def _is(self, index: int, part: memoryview) -> bool:
        """Tell whether a part of a content is the string with an index."""
        raise NotImplementedError

    def _windows_met(self, content: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        """Yield where one of the windows stands, and which."""
        if len(content) <= _SHORT:
            short = content.tobytes()
            every = (
                int.from_bytes(short[at : at + WINDOW], "little") for at in range(len(short) - WINDOW + 1)
            )
            yield from ((at, window) for at, window in enumerate(every) if window in self._chosen)
            return
        for start in range(0, len(content), _BLOCK):
            block = content[start : start + _BLOCK + WINDOW - 1]
            for shift in range(min(WINDOW, max(len(block) - WINDOW + 1, 0))):
                whole = (len(block) - shift) // WINDOW * WINDOW
                windows = block[shift : shift + whole].view(np.uint64)
                likely = np.flatnonzero(self._met[_slots(windows)])
                nearest = np.searchsorted(self._windows[:-1], windows[likely])
                for one in likely[self._windows[nearest] == windows[likely]].tolist():
                    yield start + shift + one * WINDOW, int(windows[one])


class ByteStrings(_Windows):
    """Byte strings that are looked for together.

    Attributes:
        given: The strings, in the order in which they were given.
        unsearchable: The indices of those that are too short or too uniform to be looked for.
    """

    def __init__(self, given: Iterable[bytes], *, words: Container[int] = ()) -> None:
        """Choose a window of each string: the first of those with the most different bytes.

        Args:
            given: The strings.
            words: The indices of those that are names: no letter or digit may stand beside them, so that
                ``cat/1`` is not found in ``cat/10``.
        """
        self.given = tuple(given)
        places = [_most_varied(one) for one in self.given]
        self.unsearchable = tuple(index for index, place in enumerate(places) if place is None)
        chosen = ((index, place) for index, place in enumerate(places) if place is not None)
        super().__init__(starmap(self._window, chosen), words)

    def _window(self, index: int, place: int) -> tuple[bytes, int, int, int]:
        one = self.given[index]
        return one[place : place + WINDOW], index, place, len(one)

    def _is(self, index: int, part: memoryview) -> bool:
        return part == self.given[index]


class OutlinedStrings(_Windows):
    """Byte strings of which only outlines are kept, looked for together."""

    def __init__(self, outlines: Sequence[Outline], key: bytes, *, words: Container[int] = ()) -> None:
        """Take the outlines.

        Args:
            outlines: The outlines.
            key: The key of their marks.
            words: As for ``ByteStrings``.
        """
        self._outlines, self._key = outlines, key
        places = ((one.window, index, one.place, one.length) for index, one in enumerate(outlines))
        super().__init__(places, words)

    def _is(self, index: int, part: memoryview) -> bool:
        return hmac.compare_digest(mark_of(part, self._key), self._outlines[index].mark)


def _goes_on(view: memoryview, start: int, end: int) -> bool:
    """Tell whether a letter or a digit stands before or after a part, which may be in UTF-16."""
    width = 2 if 0 in view[start:end] else 1
    before, after = bytes(view[max(start - _LONGEST_ESCAPE, 0) : start]), bytes(view[end : end + width])
    # The letter that ends an escape, a line break's or a space's in an address, stands for something else.
    if width == 1 and _ESCAPE.search(before):
        before = b""
    return any(bytes((one,)).isalnum() for one in before[-width:] + after)


def _slots(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a small number for each window, the same for the same."""
    return windows * _SPREAD >> np.uint64(64 - _SLOTS)


def _most_varied(one: bytes) -> int | None:
    """Return where the most varied window of a string begins, or None if it has none to be known by."""
    if len(one) < WINDOW:
        return None
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(np.frombuffer(one, np.uint8), WINDOW), axis=1)
    different = (np.diff(windows, axis=1) != 0).sum(axis=1) + 1
    place = int(different.argmax())
    return place if different[place] >= VARIED else None
