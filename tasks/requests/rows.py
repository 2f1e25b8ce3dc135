"""Files of deletion requests, CSV or JSON: read as text, and refused as a whole if any row is wrong."""

from pathlib import Path

from tasks.checkout.regular import read_regular
from unlearn_core.audit.incoming import COLUMNS, Row, decoded, first_problems, parse_csv, parse_json
from unlearn_core.errors import RequestError, SetupError, UsageError

_MOST_BYTES = 16 * 2**20
"""Of a file: room for well over a hundred thousand rows."""


def refuse(path: Path, problems: list[str]) -> None:
    """Refuse a file if anything is wrong with it.

    Args:
        path: The file.
        problems: What is wrong, by line.

    Raises:
        RequestError: If there are problems.
    """
    if problems:
        listed = "\n  ".join(first_problems(problems))
        raise RequestError(f"{path.name} was not imported, none of its rows:\n  {listed}")


def read_request_rows(path: Path) -> tuple[Row, ...]:
    """Read a file's rows.

    Args:
        path: A ``.csv`` or a ``.json`` file in UTF-8.

    Returns:
        At least one row, in the file's order, with text in every cell and no further checks.

    Raises:
        RequestError: If it is not such a file; the message names the lines.
        SetupError: If it cannot be read.
    """
    readers = {".csv": parse_csv, ".json": parse_json}
    if (reader := readers.get(path.suffix.lower())) is None:
        raise RequestError(f"{path.name} is neither a .csv nor a .json file")
    found = list(reader(_read_text(path)))
    rows = tuple(one for one in found if isinstance(one, Row))
    problems = [one for one in found if isinstance(one, str)]
    if not found:
        problems.append(f"it holds no request; expected rows of {COLUMNS}")
    refuse(path, problems)
    return rows


def _read_text(path: Path) -> str:
    try:
        raw = read_regular(path, _MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise UsageError(f"it has more than {_MOST_BYTES >> 20} MiB; import several smaller files")
        return decoded(raw)
    except OSError as error:
        raise SetupError(f"cannot read {path}: {error.strerror}") from error
    except UsageError as error:
        raise RequestError(f"{path.name} was not imported: {error}") from None
