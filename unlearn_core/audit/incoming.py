"""Rows of deletion requests as files hold them: CSV, or JSON with the same columns.

Problems are reported by line and column. A cell is never repeated in a message: it may name a person.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

REQUIRED = ("id", "kind", "name")
_OPTIONAL = ("basis", "received")
COLUMNS = f"{', '.join(REQUIRED)}, and perhaps {', '.join(_OPTIONAL)}"
_BLANKS = {" ", "\t", "\r", "\n"}


@dataclass(frozen=True)
class Row:
    """One name of one request.

    Attributes:
        line: Where the row starts in its file, from 1 on.
        cells: Text by column; a column that the file leaves out is empty.
    """

    line: int
    cells: Mapping[str, str]


def parse_csv(text: str) -> Iterator[Row | str]:
    """Yield the rows of a CSV file, and a problem in words for each line that is not one."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, cast("list[str]", []))
        if problem := _header_problem(header):
            yield f"line 1: {problem}"
            return
        while True:
            line = reader.line_num + 1
            if (cells := next(reader, None)) is None:
                return
            if len(cells) == len(header):
                yield Row(line, {**dict.fromkeys(_OPTIONAL, ""), **dict(zip(header, cells, strict=True))})
            elif cells:
                yield f"line {line}: got {len(cells)} cells, expected {len(header)} as in line 1"
    except csv.Error as error:
        yield f"line {line}: not CSV: {error}"


def _header_problem(header: list[str]) -> str | None:
    """Say what is wrong with the names of columns, which are not repeated: they may be a first row."""
    unknown = [str(place) for place, name in enumerate(header, 1) if name not in {*REQUIRED, *_OPTIONAL}]
    missing = [name for name in REQUIRED if name not in header]
    wrong = [
        *([f"no column {', '.join(missing)}"] if missing else []),
        *([f"an unknown name for column {', '.join(unknown)}"] if unknown else []),
        *(["a name given twice"] if len(set(header)) < len(header) else []),
    ]
    return f"the header has {' and '.join(wrong)}; expected {COLUMNS}" if wrong else None


def parse_json(text: str) -> Iterator[Row | str]:
    """Yield the rows of a JSON list of objects, and a problem in words for each that is not one."""
    line, counted = 1, 0
    try:
        for place, value in _listed(text):
            line, counted = line + text.count("\n", counted, place), place
            if problem := _object_problem(value):
                yield f"line {line}: {problem}"
            else:
                yield Row(line, {**dict.fromkeys(_OPTIONAL, ""), **value})
    except json.JSONDecodeError as error:
        yield f"line {error.lineno}: not a JSON list of objects: {error.msg}"
    except (ValueError, RecursionError):
        yield f"line {line} or after: a key is given twice, or a value is something other than text"


def _listed(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of a JSON list, and where in the text each one starts."""
    decoder = json.JSONDecoder(object_pairs_hook=_each_once)
    place = _after_blanks(text, 0)
    separator = "["
    while True:
        if text[place : place + 1] != separator:
            raise json.JSONDecodeError(f"expected {separator!r}", text, place)
        place = _after_blanks(text, place + 1)
        if separator == "[" and text[place : place + 1] == "]":
            break
        value, end = decoder.raw_decode(text, place)
        yield place, value
        place, separator = _after_blanks(text, end), ","
        if text[place : place + 1] == "]":
            break
    if (end := _after_blanks(text, place + 1)) != len(text):
        raise json.JSONDecodeError("expected nothing after the list", text, end)


def _after_blanks(text: str, place: int) -> int:
    """Return the position of the next character that is not white space."""
    while text[place : place + 1] in _BLANKS:
        place += 1
    return place


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, in which no key is given twice."""
    if len(made := dict(pairs)) < len(pairs):
        raise ValueError
    return made


def _object_problem(value: Any) -> str | None:
    """Say what is wrong with a value of the list."""
    if not isinstance(value, dict):
        return f"got {type(value).__name__}, expected an object with {COLUMNS}"
    value = cast("dict[str, Any]", value)
    unknown = len(value.keys() - {*REQUIRED, *_OPTIONAL})
    missing = [name for name in REQUIRED if name not in value]
    other = [name for name in (*REQUIRED, *_OPTIONAL) if not isinstance(value.get(name, ""), str)]
    wrong = [
        *([f"{unknown} unknown keys"] if unknown else []),
        *([f"no {', '.join(missing)}"] if missing else []),
        *([f"something other than text as {', '.join(other)}"] if other else []),
    ]
    return f"the object has {' and '.join(wrong)}; expected {COLUMNS}, all text" if wrong else None
