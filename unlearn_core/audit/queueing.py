"""Which waiting requests are served next: rules over the ledger's entries.

A rule is given all requests that are received or running, earliest due first, and returns those to serve
together. It runs inside the transaction that claims them, so what it saw is still true.
"""

from collections.abc import Callable, Sequence

from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId

Choose = Callable[[Sequence[Entry]], Sequence[Entry]]


def due_first(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Choose the request that is due first, among those whose model nobody is working on."""
    return _first_of(_ready(entries))


def turn_of(request: RequestId, *, ahead: bool = False) -> Choose:
    """Return the rule that brings a request nearer: what is due before it on its model, then itself.

    Args:
        request: The request's id.
        ahead: Serve it before what is due earlier.

    Returns:
        The rule. It chooses nothing while somebody is working on the model, or once the request is no longer
        waiting.
    """

    def choose(entries: Sequence[Entry]) -> Sequence[Entry]:
        wanted = next((entry for entry in entries if entry.id == request), None)
        if wanted is None:
            return ()
        ready = [entry for entry in _ready(entries) if entry.submission.model == wanted.submission.model]
        return [wanted] if ahead and wanted in ready and wanted.leader is None else _first_of(ready)

    return choose


def in_groups(*, most: int, model: str | None = None) -> Choose:
    """Return the rule that takes what is due first, and what can be served in one run with it.

    Requests can be served together if they are for one model and name the same kind of thing.

    Args:
        most: The most requests in a group.
        model: Only requests for this model.

    Returns:
        The rule.
    """

    def choose(entries: Sequence[Entry]) -> Sequence[Entry]:
        ready = [entry for entry in _ready(entries) if model in {None, entry.submission.model}]
        if not ready or ready[0].leader is not None:
            return _first_of(ready)
        return [entry for entry in ready if _kind_of(entry) == _kind_of(ready[0])][:most]

    return choose


def _ready(entries: Sequence[Entry]) -> list[Entry]:
    """Return what may be served: nobody is working on its model, and nothing begun is unfinished there.

    A run that was interrupted may have promoted its model already, and only its own requests can finish it.
    """
    busy = {entry.submission.model for entry in entries if entry.state == "running"}
    waiting = [e for e in entries if e.state == "received" and e.submission.model not in busy]
    begun = {entry.submission.model for entry in waiting if entry.leader is not None}
    return [e for e in waiting if e.leader is not None or e.submission.model not in begun]


def _first_of(ready: Sequence[Entry]) -> Sequence[Entry]:
    """Return what is due first; if it was begun already, with all that was served in one run with it."""
    if not ready or ready[0].leader is None:
        return ready[:1]
    group = [entry for entry in ready if entry.leader == ready[0].leader]
    return sorted(group, key=lambda entry: entry.id != entry.leader)


def _kind_of(entry: Entry) -> tuple[str, str]:
    return entry.submission.model, entry.submission.request.scope.kind
