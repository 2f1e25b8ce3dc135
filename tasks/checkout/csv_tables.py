"""Tables as CSV, for people who open them in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""How a cell begins that a spreadsheet takes for a formula, or that ``as_csv`` could have made of one."""


def as_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table as CSV, with a header and one newline after each line.

    Returns:
        The table. A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    stream, lines = io.StringIO(), list[str]()
    # A cell with a carriage return is put in quotes only if a line may end with one.
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in [header, *rows]:
        writer.writerow(map(_inert, row))
        lines.append(stream.getvalue().removesuffix("\r\n"))
        stream.seek(stream.truncate(0))
    return "".join(f"{line}\n" for line in lines)


def rows_of_csv(text: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table that ``as_csv`` wrote, by column, as they were given."""
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield {name: cell.removeprefix("'") if _FORMULA.match(cell) else cell for name, cell in row.items()}


def _inert(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if not isinstance(cell, str) or not _FORMULA.match(cell):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
