"""Rows of requests read back: those that were damaged are left out, and named."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from sqlalchemy import Row, Select

from tasks.checkout.log import warn
from tasks.requests.ledger.tables import RequestRow, entry_of
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import Sha256
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId

_Rows = TypeVar("_Rows", bound=tuple[Any, ...])

BY_DUE_DAY = (RequestRow.due, RequestRow.received, RequestRow.id)
"""The order in which requests are served: by due day, then by arrival."""


def readable(
    rows: Iterable[RequestRow | Row[Any]],
    damaged: MutableMapping[RequestId, str],
    submitted: Mapping[RequestId, Sha256] | None = None,
) -> Iterator[Entry]:
    """Read the requests of some rows.

    Args:
        rows: The rows.
        damaged: Receives what is wrong with each that cannot be read, by id.
        submitted: The digests of what was asked for, to compare with.

    Yields:
        The requests that can be read, in the rows' order.
    """
    for row in rows:
        try:
            entry = entry_of(row)
        except EvidenceError as error:
            damaged[row.id] = str(error)
            continue
        if submitted is None or submitted.get(row.id) == entry.submission.digest:
            yield entry
        else:
            damaged[row.id] = f"request {row.id!r} is not as it was entered: what was asked for has changed"


def readable_or_warn(rows: Iterable[RequestRow]) -> tuple[Entry, ...]:
    """Read the requests of some rows, and warn of those that cannot be read."""
    damaged = dict[RequestId, str]()
    entries = tuple(readable(rows, damaged))
    warn_of(damaged)
    return entries


def warn_of(damaged: Mapping[RequestId, str]) -> None:
    """Warn of requests that cannot be read."""
    for problem in damaged.values():
        warn(f"· left out: {problem}; `lethe request verify` names all that was changed")


def by_due_day(query: Select[_Rows]) -> Select[_Rows]:
    """Order requests by due day, then by arrival."""
    return query.order_by(*BY_DUE_DAY)
