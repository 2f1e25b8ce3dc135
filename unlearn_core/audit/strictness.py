"""Where a policy asks for less than another one, so that a reader need not compare the two band by band."""

from collections.abc import Iterator

from unlearn_core.kinds import ScopeKind
from unlearn_core.records.policy import Band, Policy

_MORE = {
    "reference": ("none", "cached", "calibrated", "build"),
    "when_inconclusive": ("accept_with_note", "retrain"),
    "when_not_removed": ("accept_with_note", "retrain"),
}
"""The values of settings in words, from the one that asks for least."""


def weaker(policy: Policy, than: Policy, scope: ScopeKind) -> tuple[str, ...]:
    """Say where a policy asks for less than another.

    Args:
        policy: The policy in question.
        than: What it is held against, e.g. the one that Lethe ships.
        scope: Which bands are compared.

    Returns:
        A sentence for each setting and band that is wider, or missing; empty if it asks for as much.
    """
    return (*_settings(policy, than), *_drift(policy, than), *_bands(policy, than, scope))


def _settings(policy: Policy, than: Policy) -> Iterator[str]:
    for name, order in _MORE.items():
        one, other = getattr(policy, name), getattr(than, name)
        if order.index(one) < order.index(other):
            yield f"{name} is {one}, not {other}"
    order, otherwise = _MORE["reference"], policy.retrained
    if policy.reference == "calibrated" and order.index(otherwise) < order.index(than.retrained):
        yield f"otherwise is {otherwise}, not {than.retrained}"
    for name in ("references", "shadows"):
        if getattr(policy, name) < getattr(than, name):
            yield f"{name} is {getattr(policy, name)}, not {getattr(than, name)}"
    for name in ("alpha", "max_unsupported_share", "relapse"):
        if getattr(policy, name) > getattr(than, name):
            yield f"{name} is {getattr(policy, name):g}, not {getattr(than, name):g}"


def _drift(policy: Policy, than: Policy) -> Iterator[str]:
    for name, most in dict(than.drift).items():
        found = getattr(policy.drift, name)
        if most is not None and (found is None or found > most):
            yield f"drift.{name} is {_bound(found)}, not {most:g}"


def _bands(policy: Policy, than: Policy, scope: ScopeKind) -> Iterator[str]:
    kinds = ("classes",) if scope == "classes" else ("samples", "canaries")
    for kind in kinds:
        found = {(band.claim, band.measurement): band for band in getattr(policy, kind)}
        for band in getattr(than, kind):
            if (own := found.get((band.claim, band.measurement))) is None:
                yield f"{band.measurement} has no band ({band.claim})"
            elif wider := [*_wider(own, band)]:
                yield f"{band.measurement}: {', '.join(wider)}"


def _wider(own: Band, band: Band) -> Iterator[str]:
    for side in ("below", "above", "least_samples"):
        if (found := getattr(own, side)) > (most := getattr(band, side)):
            yield f"{side} is {found:g}, not {most:g}"
    if band.lowest is not None and (own.lowest is None or own.lowest < band.lowest):
        yield f"lowest is {_bound(own.lowest)}, not {band.lowest:g}"
    if band.highest is not None and (own.highest is None or own.highest > band.highest):
        yield f"highest is {_bound(own.highest)}, not {band.highest:g}"


def _bound(value: float | None) -> str:
    return "absent" if value is None else f"{value:g}"
