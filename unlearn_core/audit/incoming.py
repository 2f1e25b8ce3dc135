"""Tables from users as text: CSV, or for deletion requests JSON with the same columns.

Problems are reported by line and column. A cell is never repeated in a message: it may name a person. A table
that can be read in two ways is refused, since the wrong reading may give a row to another person.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from unlearn_core.errors import UsageError

REQUIRED = ("id", "kind", "name")
_OPTIONAL = ("basis", "received")
_BLANKS = {" ", "\t", "\r", "\n"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN = 20


@dataclass(frozen=True)
class Row:
    """One row of a table: of requests, one name of one request.

    Attributes:
        line: Where the row starts in its file, from 1 on.
        cells: Text by column; an optional column that the file leaves out is empty.
    """

    line: int
    cells: Mapping[str, str]


def decoded(raw: bytes) -> str:
    """Decode a text file, which may start with a byte order mark.

    Args:
        raw: The file.

    Returns:
        Its text.

    Raises:
        UsageError: If it is not text in UTF-8; the message names the line.
    """
    try:
        text = raw.decode("utf-8-sig")
        if (end := text.find("\0")) < 0:
            return text
        before, came = text[:end].encode(), "holds a NUL byte"
    except UnicodeDecodeError as error:
        before, came = error.object[: error.start], "is not UTF-8 text"
    line = len((before + b"x").splitlines())
    raise UsageError(
        f"line {line} {came}; expected UTF-8: save the file again as such (CSV UTF-8 in a spreadsheet)"
    )


def parse_csv(
    text: str,
    *,
    required: Sequence[str] = REQUIRED,
    optional: Sequence[str] = _OPTIONAL,
    others: bool = False,
) -> Iterator[Row | str]:
    """Read a CSV file strictly; the columns are a request file's unless others are given.

    Args:
        text: The file.
        required: The columns that it must have.
        optional: The columns that it may have.
        others: Whether it may have more columns, which are left out.

    Yields:
        The rows, and a problem in words for each line that is not one.
    """
    wanted = (*required, *optional)
    if separator := _other_separator(text.partition("\n")[0], wanted):
        expected = columns_in_words(required, optional)
        yield (
            f"line 1: the columns are separated by {separator}; expected {expected}, separated by commas: "
            "save the file again so"
        )
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        header = next(reader, cast("list[str]", []))
        if problem := _header_problem(header, required, optional, others=others):
            yield f"line 1: {problem}"
            return
        while True:
            line = reader.line_num + 1
            if (cells := next(reader, None)) is None:
                return
            if len(cells) == len(header):
                found = dict(zip(header, cells, strict=True))
                yield Row(line, {name: found.get(name, "") for name in wanted})
            elif cells:
                yield f"line {line}: got {len(cells)} cells, expected {len(header)} as in line 1"
    except csv.Error as error:
        yield f"line {line}: not CSV: {error}; is a quotation mark missing here, or not doubled in a cell?"


def _header_problem(
    header: Sequence[str], required: Sequence[str], optional: Sequence[str], *, others: bool
) -> str | None:
    """Say what is wrong with the names of columns, which are not repeated: they may be a first row."""
    wanted = [*required, *optional]
    unknown = [str(place) for place, name in enumerate(header, 1) if name not in wanted and not others]
    missing = [name for name in required if name not in header]
    known = [name for name in header if name in wanted or not others]
    wrong = [
        *([f"no column {', '.join(missing)}"] if missing else []),
        *([f"an unknown name for column {', '.join(unknown)}"] if unknown else []),
        *(["a name given twice"] if len(set(known)) < len(known) else []),
    ]
    expected = f"{columns_in_words(required, optional)}, separated by commas"
    return f"the header has {' and '.join(wrong)}; expected {expected}" if wrong else None


def _other_separator(header: str, wanted: Sequence[str]) -> str | None:
    """Name what separates known columns in place of commas."""
    for separator, name in _SEPARATORS.items():
        if sum(cell.strip(' "\r') in wanted for cell in header.split(separator)) > 1:
            return name
    return None


def columns_in_words(required: Sequence[str], optional: Sequence[str]) -> str:
    """Return the names of columns in words."""
    if optional:
        return f"{', '.join(required)}, and perhaps {', '.join(optional)}"
    return " and ".join(required)


COLUMNS = columns_in_words(REQUIRED, _OPTIONAL)


def cell_problem(cell: str) -> str | None:
    """Say what is wrong with a cell that may be mistaken for another, or for two; it is not quoted."""
    if cell != cell.strip():
        return f"white space around {size_of(cell)}; expected none"
    if _CONTROL.search(cell):
        return f"a line break or another control character in {size_of(cell)}; expected none"
    return None


def size_of(cell: str) -> str:
    """Describe a cell without quoting it."""
    return f"a text of {len(cell)} characters" if cell else "nothing"


def first_problems(problems: Sequence[str]) -> list[str]:
    """Return the first problems, and how many more there are."""
    more = len(problems) - SHOWN
    return [*problems[:SHOWN], *([f"and {more} more problems"] if more > 0 else [])]


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
