"""Rows of deletion requests as files hold them: CSV, or JSON with the same columns.

What is wrong is said by line and column. A cell is never repeated in a message: it may name a person.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearn_core.errors import RequestError, SetupError

REQUIRED = ("id", "kind", "name")
_OPTIONAL = ("basis", "received")
_COLUMNS = f"{', '.join(REQUIRED)}, and perhaps {', '.join(_OPTIONAL)}"
SHOWN = 20
BLANKS = {" ", "\t", "\r", "\n"}


@dataclass(frozen=True)
class Row:
    """One name of one request.

    Attributes:
        line: Where the row starts in its file, from 1 on.
        cells: Text by column; a column that the file leaves out is empty.
    """

    line: int
    cells: Mapping[str, str]


def refuse(path: Path, problems: list[str]) -> None:
    """Refuse a file, if anything is wrong with it.

    Args:
        path: The file.
        problems: What is wrong, by line.

    Raises:
        RequestError: If there are problems.
    """
    if problems:
        more = len(problems) - SHOWN
        listed = [*problems[:SHOWN], *([f"and {more} problems more"] if more > 0 else [])]
        raise RequestError(f"{path.name} was not imported, no row of it:\n  " + "\n  ".join(listed))


def read_request_rows(path: Path) -> tuple[Row, ...]:
    """Read a file's rows.

    Args:
        path: A ``.csv`` or a ``.json`` file in UTF-8.

    Returns:
        At least one row, in the file's order, with text in every cell and nothing checked beyond.

    Raises:
        RequestError: If it is not such a file; the message tells the lines.
        SetupError: If it cannot be read.
    """
    readers = {".csv": _csv_rows, ".json": _json_rows}
    if (reader := readers.get(path.suffix.lower())) is None:
        raise RequestError(f"{path.name} is neither a .csv nor a .json file")
    found = list(reader(_read_text(path)))
    rows = tuple(one for one in found if isinstance(one, Row))
    problems = [one for one in found if isinstance(one, str)]
    if not found:
        problems.append(f"there is no request in it; expected rows of {_COLUMNS}")
    refuse(path, problems)
    return rows


def _read_text(path: Path) -> str:
    """Read a text file, whose first character may mark its byte order."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RequestError(f"{path.name} was not imported: line {line} is not text in UTF-8") from None


def _csv_rows(text: str) -> Iterator[Row | str]:
    """Yield a CSV file's rows, and what is wrong with others."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, [])
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
                yield f"line {line}: {len(cells)} cells came, {len(header)} were expected, as in line 1"
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
    return f"the header has {' and '.join(wrong)}; expected {_COLUMNS}" if wrong else None


def _json_rows(text: str) -> Iterator[Row | str]:
    """Yield the rows of a list of objects, and what is wrong with others."""
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
    """Return where the next character stands that is not white space."""
    while text[place : place + 1] in BLANKS:
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
        return f"a {type(value).__name__} came where an object was expected, with {_COLUMNS}"
    unknown = len(value.keys() - {*REQUIRED, *_OPTIONAL})
    missing = [name for name in REQUIRED if name not in value]
    other = [name for name in (*REQUIRED, *_OPTIONAL) if not isinstance(value.get(name, ""), str)]
    wrong = [
        *([f"{unknown} unknown keys"] if unknown else []),
        *([f"no {', '.join(missing)}"] if missing else []),
        *([f"something other than text as {', '.join(other)}"] if other else []),
    ]
    return f"the object has {' and '.join(wrong)}; expected {_COLUMNS}, all text" if wrong else None
