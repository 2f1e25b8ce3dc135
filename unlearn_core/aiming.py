"""How far a candidate is from where the gate wants it, in widths of the gate's bands, on tuning data.

The gate asks how close a model is to retrained ones; accuracies alone do not say that. Where a retrained
model is at hand that will not be among the judges, a search aims at it: the worst distance over all bands
counts, as it does for the gate. Each is in units of the band's width, so that 1 is the edge of the band.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from unlearn_core.records.aim import Aim, Quantity, Target
from unlearn_core.records.base import Sha256
from unlearn_core.records.policy import Band

NEAR = 0.5
"""Within half a band a candidate is near enough: the gate measures other samples, and other models."""
NEARER = 0.05
"""By how many widths of a band a further step must come closer to be worth it."""
SHARPEST = 1e-6
"""The least width of a band: one without any would make every distance infinite."""

Standing = dict[tuple[Quantity, str], float]
"""A model's quantities by name and side."""

_PREFIXES: dict[str, Quantity] = {
    "accuracy": "accuracy",
    "confidence.true_class": "confidence",
    "confidence.entropy": "entropy",
    "loss": "loss",
}


@dataclass(frozen=True)
class Distance:
    """How far a candidate is from its targets, in widths of the bands.

    Attributes:
        under: How far it is on the side of having forgotten too little, by its answers for forgotten data.
        over: How far it is on the side of having forgotten too hard, or lost too much.
        worst: The largest distance on either side.
    """

    under: float
    over: float
    worst: float

    @property
    def score(self) -> float:
        """From 1 at the targets towards 0; a half at the edge of the worst band."""
        return 1 / (1 + self.worst)


def standing(logits: Tensor, labels: Tensor, side: str) -> Standing:
    """Return a model's quantities on samples.

    Args:
        logits: ``[samples, classes]``.
        labels: ``[samples]``.
        side: What the samples are: ``forget`` or ``retain``.

    Returns:
        Each quantity's mean over the samples.
    """
    log_p = torch.log_softmax(logits.double(), 1)
    p = log_p.exp()
    return {
        ("accuracy", side): float((logits.argmax(1) == labels).double().mean()),
        ("confidence", side): float(p.gather(1, labels[:, None]).mean()),
        ("entropy", side): float(-(p * log_p).sum(1).mean()),
        ("loss", side): float(F.nll_loss(log_p, labels)),
    }


def aim_at(retrained: Standing, bands: Iterable[Band], *, reference: Sha256) -> Aim | None:
    """Turn the gate's bands into targets on tuning data.

    Args:
        retrained: Where a retrained model stands.
        bands: The policy's for the scope. Those of the claim *behaves* count that are about a quantity here;
            of several about the same one, on different views, the narrowest.
        reference: The digest of the retrained model's weights.

    Returns:
        The targets, in a fixed order; None if no band is about a quantity that is measured on tuning data.
    """
    chosen: dict[tuple[Quantity, str], Band] = {}
    for band in bands:
        place = _place(band.measurement)
        if band.claim != "behaves" or place is None or place not in retrained:
            continue
        if place not in chosen or band.below + band.above < chosen[place].below + chosen[place].above:
            chosen[place] = band
    if not chosen:
        return None
    return Aim(
        reference=reference,
        targets=tuple(_target(place, chosen[place], retrained) for place in sorted(chosen)),
    )


def _place(measurement: str) -> tuple[Quantity, str] | None:
    """Return what a measurement, such as ``loss.train.forget``, is about and on which side."""
    name, _, side = measurement.rpartition(".")
    quantity = _PREFIXES.get(name.rpartition(".")[0])
    return None if quantity is None else (quantity, side)


def _target(place: tuple[Quantity, str], band: Band, retrained: Standing) -> Target:
    return Target(
        quantity=place[0],
        side="forget" if place[1] == "forget" else "retain",
        value=retrained[place],
        below=band.below,
        above=band.above,
        below_means=band.below_means,
        above_means=band.above_means,
    )


def distance(aim: Aim, candidate: Standing) -> Distance:
    """Return how far a candidate is from its targets.

    Args:
        aim: The targets.
        candidate: Where it stands; targets about a side that was not measured do not count.

    Returns:
        The worst distances; 0 at all targets.
    """
    under, over, worst = 0.0, 0.0, 0.0
    for target in aim.targets:
        value = candidate.get((target.quantity, target.side))
        if value is None:
            continue
        off = value - target.value
        width, means = (target.above, target.above_means) if off > 0 else (target.below, target.below_means)
        far = abs(off) / max(width, SHARPEST)
        worst = max(worst, far)
        if means == "over_forgotten":
            over = max(over, far)
        elif target.side == "forget":
            under = max(under, far)
    return Distance(under, over, worst)
