"""Which waiting requests are served next: rules over the ledger's entries.

A rule is given requests that are received or running, earliest due first, and returns those to serve
together. It runs inside the transaction that claims them, so what it saw is still true. It gives the same
answer for all requests as for those of the one model that it chooses from, so a ledger need not read more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from unlearn_core.records.base import RegistryName
from unlearn_core.records.batch import Batch
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId

TOGETHER = 50
"""The most requests of a group, where nobody says otherwise."""


@dataclass(frozen=True)
class Rule:
    """Chooses what is due first among those whose model nobody is working on, and what can go with it.

    Attributes:
        most: The most requests to serve together; None for what the model's policy says.
        usual: The most where that policy says nothing.
        model: Only requests for this model.
        request: Only what brings this request nearer: what is due before it on its model, then itself.
        ahead: Serve that request before what is due earlier.
        patient: Leave out requests that still wait for others, except the one that was asked for.
    """

    most: int | None = None
    usual: int = TOGETHER
    model: RegistryName | None = None
    request: RequestId | None = None
    ahead: bool = False
    patient: bool = True

    @property
    def limit(self) -> int:
        """The most requests to serve together."""
        return self.usual if self.most is None else self.most

    def under(self, batch: Batch | None) -> "Rule":
        """Return the rule for a model with this policy for waiting."""
        if batch is None or self.most is not None or self.ahead:
            return self
        return replace(self, most=batch.at_most)

    def lets_go(self, entry: Entry) -> bool:
        """Tell whether a request may be the first of those that are served next."""
        return not self.patient or entry.waits_until is None or entry.id == self.request

    def __call__(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Choose.

        Args:
            entries: Requests that are received or running, earliest due first.

        Returns:
            Those to serve together, of one model and one kind; empty if there is nothing to do now.
        """
        ready = _ready(entries)
        model = self.model
        if self.request is not None:
            wanted = next((entry for entry in entries if entry.id == self.request), None)
            if wanted is None:
                return ()
            model = wanted.submission.model
            if self.ahead and wanted in ready and wanted.leader is None:
                return [wanted]
        ready = [entry for entry in ready if model in {None, entry.submission.model}]
        first = next((entry for entry in ready if self.lets_go(entry)), None)
        return [] if first is None else _with(first, ready, self.limit)


DUE_FIRST = Rule(most=1)
"""Chooses the request that is due first, among those whose model nobody is working on."""


def turn_of(request: RequestId, *, ahead: bool = False) -> Rule:
    """Return the rule that brings a request nearer: what is due before it on its model, then itself.

    Where the model's policy lets requests wait for one another, others go with it.

    Args:
        request: The request's id.
        ahead: Serve it alone, before what is due earlier.

    Returns:
        The rule. It chooses nothing while somebody is working on the model, or once the request is no longer
        waiting.
    """
    return Rule(usual=1, request=request, ahead=ahead)


def in_groups(*, most: int | None = None, model: RegistryName | None = None, patient: bool = True) -> Rule:
    """Return the rule that takes what is due first, and what can be served in one run with it.

    Requests can be served together if they are for one model and name the same kind of thing.

    Args:
        most: The most requests in a group; by default what the model's policy says.
        model: Only requests for this model.
        patient: Leave out requests that still wait for others.

    Returns:
        The rule.
    """
    return Rule(most=most, model=model, patient=patient)


def _ready(entries: Sequence[Entry]) -> list[Entry]:
    """Return what may be served: nobody is working on its model, and nothing begun is unfinished there.

    A run that was interrupted may have promoted its model already, and only its own requests can finish it.
    """
    busy = {entry.submission.model for entry in entries if entry.state == "running"}
    waiting = [e for e in entries if e.state == "received" and e.submission.model not in busy]
    begun = {entry.submission.model for entry in waiting if entry.leader is not None}
    return [e for e in waiting if e.leader is not None or e.submission.model not in begun]


def _with(first: Entry, ready: Sequence[Entry], most: int) -> list[Entry]:
    """Return a request with those that are served in one run with it.

    One that was begun goes with all that it was begun with. Others go with what is ready, and with what still
    waits: a run that takes place anyway is what it waits for.
    """
    if first.leader is not None:
        group = [entry for entry in ready if entry.leader == first.leader]
        return sorted(group, key=lambda entry: entry.id != entry.leader)
    rest = [entry for entry in ready if entry != first and kind_of(entry) == kind_of(first)]
    return [first, *rest][:most]


def kind_of(entry: Entry) -> tuple[RegistryName, str]:
    """Return what requests of one group have in common: the model, and the kind of thing that they name."""
    return entry.submission.model, entry.submission.request.scope.kind
