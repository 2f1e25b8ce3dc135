"""Base64 that is broken into lines, as in mail and in YAML, made one line again."""

import re
from collections.abc import Iterator

from tasks.traces.stored import Content

_LETTERS = rb"[A-Za-z0-9+/_\-]"
_INDENT = rb"[ \t>]*+"
_SHORTEST, _LONGEST = 16, 1024
"""How long a line is."""

_BROKEN = (
    # A real line break: inside of the lines a slash may be escaped.
    (
        re.compile(
            rb"\n%b[A-Za-z0-9+/_\-\\]{%d,}+(?:\r?\n%b[A-Za-z0-9+/_\-\\]++)++=*+"
            % (_INDENT, _SHORTEST, _INDENT)
        ),
        b"\n",
    ),
    # One that is escaped.
    (re.compile(rb"\\n%b{%d,}+(?:(?:\\r)?\\n%b++)++=*+" % (_LETTERS, _SHORTEST, _LETTERS)), b"\\n"),
)
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def without_line_breaks(content: Content) -> bytes:
    """Return every text of a content that may be Base64 of many lines, each as one line.

    Args:
        content: Any bytes.

    Returns:
        The texts with nothing between their lines, and a zero byte between two of them; in the alphabet of
        standard Base64.
    """
    return b"\0".join(_joined(text) for text in _broken(content))


def _broken(content: Content) -> Iterator[bytes]:
    """Yield the texts, each with what stands before it on its first line."""
    for pattern, line_break in _BROKEN:
        for found in pattern.finditer(content):
            before = bytes(content[max(found.start() - _LONGEST, 0) : found.start()])
            yield before.rpartition(line_break)[2] + bytes(content[found.start() : found.end()])


def _joined(text: bytes) -> bytes:
    for line_break in (b"\\r", b"\\n"):
        text = text.replace(line_break, b"")
    return text.translate(_TO_STANDARD, delete=b"\r\n \t>\\")
