"""Which waiting requests are served next: rules over what stands in the ledger.

A rule is handed all requests that are received or running, the one that is due first in front, and returns
those to serve together. It is asked inside the transaction that claims them, so what it saw is still true.
"""

from collections.abc import Callable, Sequence

from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId

Choose = Callable[[Sequence[Entry]], Sequence[Entry]]


def due_first(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Choose the request that is due first, of those whose model nobody works at."""
    return _waiting(entries)[:1]


def turn_of(request: RequestId, *, ahead: bool = False) -> Choose:
    """Return the rule that brings a request nearer: what is due before it on its model, then itself.

    Args:
        request: The request's id.
        ahead: Serve it before what is due earlier.

    Returns:
        The rule. It chooses nothing while somebody works at the model, and once the request does not wait.
    """

    def choose(entries: Sequence[Entry]) -> Sequence[Entry]:
        waiting = _waiting(entries)
        wanted = next((entry for entry in waiting if entry.id == request), None)
        if wanted is None or ahead:
            return _with_its_group(wanted, waiting)
        first = next(entry for entry in waiting if entry.submission.model == wanted.submission.model)
        return _with_its_group(first, waiting)

    return choose


def in_groups(*, most: int, model: str | None = None) -> Choose:
    """Return the rule that takes what is due first, and what can be served in one run with it.

    Requests can be served together if they are for one model and name the same kind of thing.

    Args:
        most: How many requests there are in a group at most.
        model: Only requests for this model.

    Returns:
        The rule.
    """

    def choose(entries: Sequence[Entry]) -> Sequence[Entry]:
        waiting = [entry for entry in _waiting(entries) if model in {None, entry.submission.model}]
        if not waiting or waiting[0].leader is not None:
            return _with_its_group(next(iter(waiting), None), waiting)
        kind = _kind_of(waiting[0])
        return [entry for entry in waiting if entry.leader is None and _kind_of(entry) == kind][:most]

    return choose


def _waiting(entries: Sequence[Entry]) -> list[Entry]:
    """Return the requests that nobody works at, nor at their model."""
    busy = {entry.submission.model for entry in entries if entry.state == "running"}
    return [e for e in entries if e.state == "received" and e.submission.model not in busy]


def _with_its_group(entry: Entry | None, waiting: Sequence[Entry]) -> Sequence[Entry]:
    """Return a request with those that an interrupted run had served together with it, its leader first."""
    if entry is None or entry.leader is None:
        return [] if entry is None else [entry]
    group = [other for other in waiting if other.leader == entry.leader]
    return sorted(group, key=lambda other: other.id != entry.leader)


def _kind_of(entry: Entry) -> tuple[str, str]:
    return entry.submission.model, entry.submission.request.scope.kind
