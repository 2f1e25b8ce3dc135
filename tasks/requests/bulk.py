"""Files of deletion requests: every row checked, ids turned into pseudonyms on reading, all or nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from tasks.requests.ledger.changing import Draft
from tasks.requests.request_file import is_text, make_request, make_scope, pseudonyms
from tasks.requests.rows import read_request_rows, refuse
from unlearn_core.audit.deadlines import parse_received
from unlearn_core.audit.incoming import Row, cell_problem, size_of
from unlearn_core.errors import RequestError
from unlearn_core.kinds import Basis
from unlearn_core.names import one_form
from unlearn_core.records.base import UtcTime
from unlearn_core.records.request import RequestId
from unlearn_core.records.scope import Scope, classes_in

_KINDS: dict[Literal["class", "sample", "subject"], str] = {
    "class": "classes",
    "sample": "samples",
    "subject": "subjects",
}
BASES = get_args(Basis)
REQUEST_ID = TypeAdapter(RequestId)
_PSEUDONYM = re.compile(r"hmac-sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Filed:
    """A request that a file asks for.

    Attributes:
        draft: The request.
        lines: For each name in its scope, the line that asks for it.
    """

    draft: Draft
    lines: Mapping[str, int]

    def by_line(self, message: str) -> str:
        """Return a message with each pseudonym replaced by the line of the file that it came from."""
        lines = {one: self.lines[one] for one in self.lines.keys() - classes_in(self.draft.request.scope)}
        told = {name: f"the one of line {line}" for name, line in lines.items()}
        return f"{self.draft.where}{_PSEUDONYM.sub(lambda one: told.get(one[0], one[0]), message)}"


def read_requests(path: Path, *, model: str, now: UtcTime) -> tuple[Filed, ...]:
    """Read a file of requests.

    Args:
        path: A CSV file, or a JSON list of objects, with ``id``, ``kind``, ``name`` and optionally ``basis``
            and ``received``; several rows with one id are one request for several names.
        model: The registered model that they are for.
        now: The present; nothing was received after it.

    Returns:
        The requests, in the order of their first lines.

    Raises:
        RequestError: If any row is wrong; all are listed by line and column, and no cell is quoted.
    """
    rows = read_request_rows(path)
    refuse(path, [problem for row in rows for problem in _problems(row, now)])
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.cells["id"], []).append(row)
    refuse(path, [problem for group in groups.values() for problem in _disagreements(group)])
    return tuple(_filed(group, model, now) for group in groups.values())


def _problems(row: Row, now: UtcTime) -> Iterator[str]:
    """Yield what is wrong with a row's cells."""
    checks = {
        "id": (_is_request_id, "lower-case letters, digits, dots, dashes and underscores, at most 63"),
        "kind": (_KINDS.__contains__, "class, sample or subject"),
        "name": (is_text, "non-empty text"),
        "basis": (("", *BASES).__contains__, f"{' or '.join(BASES)}, or nothing"),
    }
    for column, (fits, expected) in checks.items():
        cell = row.cells[column]
        if problem := cell_problem(cell):
            yield f"line {row.line}, column {column}: {problem}"
        elif not fits(cell):
            yield f"line {row.line}, column {column}: got {size_of(cell)}; expected {expected}"
    if received := row.cells["received"]:
        try:
            parse_received(received, now)
        except RequestError as error:
            yield f"line {row.line}, column received: {error}"


def _is_request_id(cell: str) -> bool:
    try:
        REQUEST_ID.validate_python(cell)
    except ValidationError:
        return False
    return True


def _disagreements(group: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with rows that disagree with their request's first."""
    first = group[0]
    for row in group[1:]:
        for column in ("basis", "received"):
            if row.cells[column] != first.cells[column]:
                yield (
                    f"line {row.line}, column {column}: differs from line {first.line} of the same request; "
                    "expected one basis and time of receipt for each"
                )


def _filed(group: Sequence[Row], model: str, now: UtcTime) -> Filed:
    """Make a request from its rows, which are all valid."""
    first = group[0].cells
    lines = [str(row.line) for row in group]
    draft = Draft(
        make_request(first["id"], _scope_of(group), model=model),
        model,
        basis=next((basis for basis in BASES if basis == first["basis"]), "gdpr"),
        received=parse_received(first["received"], now) if first["received"] else None,
        where=f"line{'s' if lines[1:] else ''} {', '.join(lines[:3])}{' …' if lines[3:] else ''}: ",
    )
    return Filed(draft, _lines(group))


def _lines(group: Sequence[Row]) -> dict[str, int]:
    """Return the line of each name of a request, as its scope holds the name."""
    lines: dict[str, int] = {}
    for kind in _KINDS:
        if rows := [row for row in group if row.cells["kind"] == kind]:
            names = [row.cells["name"] for row in rows]
            held = map(one_form, names) if kind == "class" else pseudonyms(kind, names)
            lines.update(zip(held, (row.line for row in rows), strict=True))
    return lines


def _scope_of(group: Sequence[Row]) -> Scope:
    """Return the scope that some rows name; ids become pseudonyms here."""
    named = {
        option: tuple(row.cells["name"] for row in group if row.cells["kind"] == kind)
        for kind, option in _KINDS.items()
    }
    return make_scope(**named)
