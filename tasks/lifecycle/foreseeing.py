"""What a deletion will do, told before it starts: from settings, cards and what earlier deletions took."""

from collections.abc import Iterator
from statistics import median

import numpy as np

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import CARD, read_checkpoint_card
from tasks.computing.configured import methods_for
from tasks.computing.costs import read_time
from tasks.data.datasets import rows_digest
from tasks.lifecycle.releases import read_release
from tasks.measuring.calibrated import lapsed, read_calibration, unlike_any
from tasks.references.plan import Sides, plan_sides
from tasks.report.numbers import duration
from tasks.requests.request_file import check_request, preview_manifest, read_request
from tasks.storage.staleness import stale_stages
from unlearn_core.audit.acceptance import spent
from unlearn_core.errors import ConfigurationError, RequestError
from unlearn_core.kinds import RequestKind, scope_kind
from unlearn_core.method import Need
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.evaluation import TimeSpent
from unlearn_core.records.foresight import Foresight
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.status import StaleStage
from unlearn_core.routing import Route, only_last_resort, route
from unlearn_core.selection import Manifest, Selection, retained_rows, without_samples

_BEFORE = ("dataset", "parent", "moments")
"""The stages that a deletion runs before the request is looked at."""


def foresee(checkout: Checkout, request: DeletionRequest) -> Foresight:
    """Tell what a deletion will do; nothing is changed.

    Args:
        checkout: The checkout.
        request: The request, or a group of them; a misfit is refused as by ``check_request``.

    Returns:
        What can be told.
    """
    manifest = preview_manifest(checkout)
    selection = check_request(checkout, request, manifest=manifest)
    parent, policy = _parent(checkout), checkout.params.policy
    planned, certain = _route(checkout, request, manifest, selection, parent)
    trainings = _trainings(checkout, request.scope.kind, manifest, selection, parent)
    runs = list(_earlier_runs(checkout, request))
    small = max((band.least_samples for band in policy.samples), default=0)
    few = not selection.classes and int(selection.forget.sum()) < small
    retraining = [certain] if certain else list(_likely(runs, few=few))
    retraining += _calibrated(checkout, request.scope.kind, manifest, selection, parent)
    stale = stale_stages(checkout.root)
    return Foresight(
        request=request.id,
        rows=int(selection.forget.sum()),
        stages=tuple(StaleStage(stage=name, why=stale[name]) for name in _BEFORE if name in stale),
        methods=tuple(method.name for method in planned.methods),
        left_out=planned.left_out,
        trainings=trainings,
        seconds=_seconds([one for one, _ in runs], trainings),
        based_on=len(runs),
        retraining=tuple(retraining),
        advice=tuple(_advice(planned, certain=certain, few=few)),
    )


def foresight_lines(found: Foresight) -> list[str]:
    """Return what a deletion will do as lines for a terminal or a log."""
    takes = "unknown: no deletion of this kind has run here"
    if found.seconds is not None:
        takes = f"{duration(found.seconds)}, going by {found.based_on} earlier"
    trainings = "unknown" if found.trainings is None else str(found.trainings)
    return [
        f"forgets      {found.rows} training row(s)",
        *(f"first        {one.stage}: {one.why}" for one in found.stages),
        f"tries        {', then '.join(found.methods) or 'nothing'}, until one is accepted",
        f"trains       {trainings} model(s) to compare with",
        f"takes about  {takes}",
        *(f"note         {one}" for one in found.retraining),
        *(f"instead      {one}" for one in found.advice),
    ]


def _parent(checkout: Checkout) -> CheckpointCard | None:
    """Return the card of the parent, or None before it was made."""
    return read_checkpoint_card(checkout.parent) if (checkout.parent / CARD).is_file() else None


def _route(
    checkout: Checkout,
    request: DeletionRequest,
    manifest: Manifest,
    selection: Selection,
    parent: CheckpointCard | None,
) -> tuple[Route, str | None]:
    """Route the request as the ladder will, and say why only retraining is left, if it is."""
    params, scope = checkout.params, scope_kind(request.scope.kind)
    recipe = getattr(params.parent, "recipe", None) if parent is None else parent.recipe
    architecture = (
        getattr(params.parent, "architecture", None) if parent is None else parent.architecture.name
    )
    states = bool(getattr(params.parent, "keep", ()))
    missing = (set() if recipe else {Need.ORIGIN}) | (set() if states else {Need.STATES})
    available = frozenset(Need) - missing
    methods = methods_for(checkout, architecture or "")
    planned = route(params.policy.ladder.of(scope), methods, scope=scope, available=available)
    deletions = 1 if parent is None else parent.deletions + 1
    why = spent(params.policy.drift, deletions) or _unmeasurable(checkout, manifest, selection)
    return (planned, None) if why is None else (only_last_resort(planned, why), why)


def _unmeasurable(checkout: Checkout, manifest: Manifest, selection: Selection) -> str | None:
    """Say which samples there are none of to judge the claim *behaves* on, if the policy asks for them."""
    policy = checkout.params.policy
    bands = policy.classes if selection.classes else policy.samples
    asked = {band.measurement for band in bands if band.claim == "behaves"}
    for part in without_samples(manifest, selection):
        attacks = part == "audit" and any(name.startswith("mia.") for name in asked)
        if attacks or any(name.endswith(f".{part}.forget") for name in asked):
            return (
                f"what is forgotten has no sample of its kind in the {part} split to measure on, so only a "
                "retrained model will be accepted"
            )
    return None


def _trainings(
    checkout: Checkout,
    kind: RequestKind,
    manifest: Manifest,
    selection: Selection,
    parent: CheckpointCard | None,
) -> int | None:
    """Count the models to compare with that have to be trained; None if it is unknown how."""
    policy = checkout.params.policy
    if _lapsed(checkout, kind, manifest, selection, parent) is None or policy.retrained != "build":
        return 0
    if parent is None:
        return max(policy.references, policy.shadows) + policy.shadows
    kept = retained_rows(manifest, selection)
    trained = manifest.splits == "train"
    sides = Sides(
        rows_digest(manifest), int(trained.sum()), rows_digest(kept), int((kept.splits == "train").sum())
    )
    asked = {"count": policy.references, "shadows": policy.shadows}
    try:
        return len(plan_sides(checkout, checkout.params.run, sides, **asked).missing)
    except ConfigurationError:
        return None


def _lapsed(
    checkout: Checkout,
    kind: RequestKind,
    manifest: Manifest,
    selection: Selection,
    parent: CheckpointCard | None,
) -> str | None:
    """Say why no calibration judges the request; None if one does, as far as cards can tell."""
    policy = checkout.params.policy
    if (found := read_calibration(checkout, policy)) is None:
        return "the policy names none"
    rows = np.flatnonzero(selection.forget).tolist()
    why = lapsed(found, policy, parent, kind=kind, rows=len(rows))
    return why or unlike_any(manifest, kind, selection.classes, rows)


def _calibrated(
    checkout: Checkout,
    kind: RequestKind,
    manifest: Manifest,
    selection: Selection,
    parent: CheckpointCard | None,
) -> Iterator[str]:
    """Say why the calibration that the policy names does not hold for the request, if so."""
    if (policy := checkout.params.policy).calibration is None:
        return
    if (why := _lapsed(checkout, kind, manifest, selection, parent)) is not None:
        yield f"the calibration does not hold for it: {why} (policy.otherwise: {policy.otherwise})"
    elif (found := read_calibration(checkout, policy)) is not None and not found.has_power(kind):
        yield (
            f"the calibration has no power over requests of {kind}: the originals that it was made with are "
            "inside of its bands, too, so the gate will hardly be able to tell"
        )


def _earlier_runs(checkout: Checkout, request: DeletionRequest) -> Iterator[tuple[TimeSpent, str]]:
    """Yield the time and the accepted method of each deletion here of the same kind of scope."""
    for path in sorted(checkout.time_spent("any").parent.glob("*.json")):
        if not checkout.request(path.stem).is_file():
            continue
        try:
            served = read_request(checkout, path.stem)
        except RequestError:
            continue  # `lethe status` names it; what else is known is still told
        alike = scope_kind(served.scope.kind) == scope_kind(request.scope.kind)
        spent_here, one = read_time(checkout, served.id), served.singles[0].id
        if alike and spent_here is not None and checkout.released(one).is_file():
            yield spent_here, read_release(checkout, one).outcome.method


def _seconds(runs: list[TimeSpent], trainings: int | None) -> float | None:
    """Estimate the seconds from earlier runs, with as many trainings as are needed now."""
    if not runs or trainings is None:
        return None
    each = [one.retraining for one in runs if one.retraining is not None]
    if trainings and not each:
        return None
    return median(one.total - one.training for one in runs) + (trainings * median(each) if trainings else 0.0)


def _likely(runs: list[tuple[TimeSpent, str]], *, few: bool) -> Iterator[str]:
    """Say why a deletion is likely to end in a retraining."""
    retrained = sum(method == LAST_RESORT for _, method in runs)
    if runs and retrained * 2 > len(runs):
        yield f"{retrained} of {len(runs)} earlier deletions of this kind here ended in a retraining"
    if few:
        yield (
            "so few samples are hard to tell from never-seen ones even in the original; where the gate "
            "cannot tell, the policy decides (when_inconclusive), and by default Lethe retrains"
        )


def _advice(planned: Route, *, certain: str | None, few: bool) -> Iterator[str]:
    """Say what else could be done."""
    if all(method.name != LAST_RESORT for method in planned.methods):
        yield "retraining is not possible here: adopt the model with --recipe, and it is the last resort"
    if certain is not None and "split to measure on" in certain:
        yield "hold out images of the class, import again and train, and other methods can be judged"
    if few:
        yield "requests that wait can be served together by one run: `lethe pending`"
