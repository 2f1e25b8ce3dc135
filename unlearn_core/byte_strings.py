"""Many byte strings, looked for in any content at once.

One window of eight bytes stands for each string. All windows of a content are compared with all of them by
whole arrays; only where one is met is the string itself compared, so nothing else is ever found.
"""

from collections.abc import Container, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

WINDOW = 8
VARIED = 4
"""How many of a window's bytes must differ: a run of zeros is in every file."""

_BLOCK = 2**20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: it mixes all bits into the highest
_SLOTS = 16


class ByteStrings:
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
        self.given, self._words = tuple(given), words
        places = [_most_varied(one) for one in self.given]
        self.unsearchable = tuple(index for index, place in enumerate(places) if place is None)
        chosen = [(index, place) for index, place in enumerate(places) if place is not None]
        windows = (self.given[index][place : place + WINDOW] for index, place in chosen)
        as_numbers = np.frombuffer(b"".join(windows), dtype=np.uint64)
        self._chosen: dict[int, list[tuple[int, int]]] = {}
        for window, one in zip(as_numbers.tolist(), chosen, strict=True):
            self._chosen.setdefault(window, []).append(one)
        self._windows = np.unique(as_numbers)
        self._met = np.zeros(2**_SLOTS, dtype=np.bool_)
        self._met[_slots(self._windows)] = True

    def found_in(self, content: bytes | memoryview, *, apart: bool = True) -> frozenset[int]:
        """Return which of the strings a content holds.

        Args:
            content: Any bytes, in memory or mapped into it.
            apart: Whether values stand apart in it; where they follow on one another, as in the pages of a
                database, names are found whatever stands beside them.

        Returns:
            Their indices in ``given``.
        """
        if not self._chosen:
            return frozenset()
        found, view = set[int](), memoryview(content).cast("B")
        for place, window in self._windows_met(np.frombuffer(view, dtype=np.uint8)):
            for index, offset in self._chosen[window]:
                start, end = place - offset, place - offset + len(self.given[index])
                if start < 0 or index in found or view[start:end] != self.given[index]:
                    continue
                if not (apart and index in self._words and _goes_on(view, start, end)):
                    found.add(index)
        return frozenset(found)

    def _windows_met(self, content: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        """Yield where one of the windows stands, and which."""
        for start in range(0, len(content), _BLOCK):
            block = content[start : start + _BLOCK + WINDOW - 1]
            for shift in range(min(WINDOW, max(len(block) - WINDOW + 1, 0))):
                whole = (len(block) - shift) // WINDOW * WINDOW
                windows = block[shift : shift + whole].view(np.uint64)
                likely = np.flatnonzero(self._met[_slots(windows)])
                nearest = np.searchsorted(self._windows[:-1], windows[likely])
                for one in likely[self._windows[nearest] == windows[likely]].tolist():
                    yield start + shift + one * WINDOW, int(windows[one])


def _goes_on(view: memoryview, start: int, end: int) -> bool:
    """Tell whether a letter or a digit stands before or after a part."""
    return bytes(view[max(start - 1, 0) : start]).isalnum() or bytes(view[end : end + 1]).isalnum()


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
