"""Whether a model keeps what earlier requests were promised: the rule, and the same rule over a certificate.

A deletion starts from a model that has forgotten before, and whatever it trains may bring that back. So each
candidate is asked again for the classes that its lineage has forgotten, on held-out rows that were kept
for this. A class *relapses* if the candidate knows it better than the retrained models do, by more than the
policy allows; without retrained models, better than its parent.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unlearn_core.records.certificate import DeletionCertificate, Judgement
from unlearn_core.records.earlier import AskedAgain, EarlierRequest, Knowledge
from unlearn_core.records.request import RequestId

Known = Mapping[RequestId, Knowledge]
"""What one model knows, by the earlier request."""

_NOTHING_KEPT = {
    "classes": "no held-out row of its classes is left",
    "samples": "nothing of the samples is kept to ask with",
    "subjects": "nothing of the person is kept to ask with",
    "mixed": "nothing of what was named is kept to ask with",
}


@dataclass(frozen=True)
class Earlier:
    """The requests that a model's lineage has served, and what others than a candidate know of them.

    Attributes:
        requests: The requests, oldest first.
        parent: What the candidate's parent knows.
        retrained: What each of the retrained models knows.
    """

    requests: tuple[EarlierRequest, ...] = ()
    parent: Known = field(default_factory=dict[RequestId, Knowledge])
    retrained: tuple[Known, ...] = ()

    @property
    def can_be_asked(self) -> bool:
        """Whether there is anything to ask a model."""
        return bool(self.parent)

    def ask(self, candidate: Known, *, band: float) -> tuple[AskedAgain, ...]:
        """Compare a candidate with the others, request by request.

        Args:
            candidate: What the candidate knows.
            band: How far it may lie above them.

        Returns:
            One entry per earlier request.
        """
        return tuple(self._ask(one, candidate, band) for one in self.requests)

    def _ask(self, request: EarlierRequest, candidate: Known, band: float) -> AskedAgain:
        name = request.request
        if name not in self.parent:
            return AskedAgain(request=name, outcome="not_asked", why=_NOTHING_KEPT[request.kind])
        parent, mine = self.parent[name], candidate[name]
        retrained = tuple(known[name] for known in self.retrained)
        relapsed = _knows_more(mine, retrained or (parent,), band)
        return AskedAgain(
            request=name,
            outcome="relapsed" if relapsed else "still_forgotten",
            parent=parent,
            candidate=mine,
            retrained=retrained,
        )


def _knows_more(mine: Knowledge, others: Sequence[Knowledge], band: float) -> bool:
    """Whether a model lies above the mean of others by more than the band, in accuracy or in confidence."""
    mean = Knowledge.mean_of(others)
    return mine.accuracy > mean.accuracy + band or mine.confidence > mean.confidence + band


def relapses(asked: Sequence[AskedAgain], *, band: float) -> str | None:
    """Say which earlier requests a model has brought back, or None.

    Args:
        asked: All of them, asked again.
        band: What the policy allows.

    Returns:
        Why the model may not be released, in plain words.
    """
    back = [f"request {one.request} has {one.in_words}" for one in asked if one.outcome == "relapsed"]
    return (
        f"What was forgotten earlier is back: {'; '.join(back)}; {band:g} above is allowed." if back else None
    )


def earlier_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find what contradicts itself in a certificate's earlier requests.

    Args:
        certificate: The certificate.

    Yields:
        A sentence per problem.
    """
    yield from asked_problems(certificate.earlier, certificate.request.id, certificate.judgement)
    for one in certificate.earlier:
        if one.outcome == "relapsed":
            yield f"earlier: {one.request} is back; only a model that keeps earlier promises is certified"


def asked_problems(asked: Sequence[AskedAgain], request: RequestId, judgement: Judgement) -> Iterator[str]:
    """Find what contradicts itself in the answers to earlier requests, whatever they say.

    Args:
        asked: The earlier requests, asked again.
        request: The request that they are earlier than.
        judgement: The models that were compared, and the policy.

    Yields:
        A sentence per problem.
    """
    counts = Counter((*(one.request for one in asked), request))
    yield from (f"earlier: {name} is listed {n} times" for name, n in counts.items() if n > 1)
    for one in asked:
        yield from _problems(judgement, one)


def _problems(judgement: Judgement, one: AskedAgain) -> Iterator[str]:
    known = [entry for entry in (one.parent, one.candidate, *one.retrained) if entry is not None]
    if one.outcome == "not_asked":
        if known or not one.why:
            yield f"earlier: {one.request} was not asked, so it has a reason and no numbers"
        return
    if one.parent is None or one.candidate is None or len(one.retrained) != len(judgement.references):
        yield f"earlier: {one.request} was not asked of every model that was compared"
        return
    if len({entry.rows for entry in known}) > 1:
        yield f"earlier: {one.request} was asked of each model with other rows"
    if judgement.policy is None:
        yield f"earlier: there is no policy to judge {one.request} by"
        return
    back = _knows_more(one.candidate, one.retrained or (one.parent,), judgement.policy.relapse)
    if (follows := "relapsed" if back else "still_forgotten") != one.outcome:
        yield f"earlier: {one.request} is called {one.outcome}; its numbers make it {follows}"
