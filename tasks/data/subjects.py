"""Whose the images of a folder are: a CSV file with the columns ``path`` and ``subject``.

A person whose row is misread is not forgotten, so a table that is not plain is refused. Messages name lines,
and nothing that the table holds.
"""

from collections.abc import Mapping
from pathlib import Path

from tasks.checkout.regular import read_regular
from unlearn_core.audit.incoming import (
    Row,
    cell_problem,
    columns_in_words,
    decoded,
    first_problems,
    parse_csv,
)
from unlearn_core.errors import UsageError
from unlearn_core.names import one_form

_COLUMNS = ("path", "subject")
_MOST_BYTES = 512 * 2**20
_BYTES_AN_IMAGE = 16 * 2**10
"""No line is as long; a table of few images is read into little memory."""


def read_subjects(path: Path, known: set[str]) -> tuple[dict[str, str], list[str]]:
    """Read whom each image belongs to.

    Args:
        path: The table.
        known: The paths of the images, below their folder, in Unicode's composed form.

    Returns:
        Subjects by the paths of their images, and what is wrong with the table, by line.
    """
    try:
        if not path.is_file():
            return {}, [f"{path.name} is not a file"]
        most = min(_MOST_BYTES, 2**20 + _BYTES_AN_IMAGE * len(known))
        raw = read_regular(path, most + 1)
        if len(raw) > most:
            return {}, [
                f"{path.name} has more than {most >> 20} MiB for {len(known)} images; "
                "expected one line per image"
            ]
        text = decoded(raw)
    except OSError as error:
        return {}, [f"{path.name} cannot be read: {error.strerror}"]
    except UsageError as error:
        return {}, [f"{path.name}, {error}"]
    if not text.strip():
        return {}, [f"{path.name} is empty; expected the columns {columns_in_words(_COLUMNS, ())}"]
    subjects: dict[str, str] = {}
    problems: list[str] = []
    for row in parse_csv(text, required=_COLUMNS, optional=(), others=True):
        if isinstance(row, str):
            problems.append(f"{path.name}, {row}")
        elif problem := _problem(row, path.name, known, subjects):
            problems.append(problem)
        else:
            subjects[one_form(row.cells["path"])] = row.cells["subject"]
    return subjects, first_problems(problems)


def _problem(row: Row, table: str, known: set[str], subjects: Mapping[str, str]) -> str | None:
    """Say what is wrong with a row, given the owners in the rows before it."""
    for column in _COLUMNS:
        if problem := cell_problem(row.cells[column]):
            return f"{table}, line {row.line}, column {column}: {problem}"
    image, subject = one_form(row.cells["path"]), row.cells["subject"]
    if image not in known:
        return f"line {row.line} of {table} names no image below the folder"
    if subjects.get(image, subject) != subject:
        return f"line {row.line} of {table} gives an image to a second person"
    return None
