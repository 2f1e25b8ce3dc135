"""How well a candidate does on held-out data, for the searches of the methods.

The published criterion is the highest ``retain accuracy · (1 - forget accuracy)`` (Kodge et al., arXiv
2312.00761, section 4). A few dozen held-out images of a class cannot resolve its last per cent: all of them
may be misclassified, and the next image not. So for choosing, an image counts as forgotten only if another
class leads its own by a clear margin, and as retained in full only if its own class leads by as much.

Where a retrained model's place on the same data is known, candidates are scored by the worst distance from it
instead (``aiming``).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.aiming import Distance, Quantities, distance, quantities_of
from unlearn_core.data import Samples
from unlearn_core.modes import mode
from unlearn_core.ranks import gathered, own_part
from unlearn_core.records.aim import Aim

MARGIN = 0.5
"""By how much, in logits, one class must lead another to lead clearly, when candidates are compared."""
_AT_ONCE = 512
"""Samples per forward pass."""

Said = dict[str, tuple[Tensor, Tensor]]
"""A model's logits and the labels, by side: ``forget`` and ``retain``."""


@dataclass(frozen=True)
class CandidateScores:
    """A candidate's scores on held-out data.

    Attributes:
        forget_accuracy: Share of samples of the forgotten classes still recognised.
        retain_accuracy: Share of the other samples recognised.
        within_reach: Share of the former whose own class does not trail clearly; never below
            ``forget_accuracy``.
        retain_clearly: Share of the latter whose own class leads clearly; never above ``retain_accuracy``.
        off: How far the candidate is from the aim; None without one.
    """

    forget_accuracy: float
    retain_accuracy: float
    within_reach: float
    retain_clearly: float
    off: Distance | None = None

    @property
    def score(self) -> float:
        """What is maximised, from 0 to 1: nearness to the aim, or the published criterion with margins."""
        if self.off is not None:
            return self.off.score
        return (self.retain_accuracy + self.retain_clearly) / 2 * (1 - self.within_reach)

    def values(self) -> dict[str, float]:
        """Return the values to report with a step."""
        found = {"forget_accuracy": self.forget_accuracy, "retain_accuracy": self.retain_accuracy}
        return found if self.off is None else found | {"distance": self.off.worst}


def measure_candidate(
    model: nn.Module,
    forget: Samples,
    retain: Samples | None,
    *,
    margin: float = MARGIN,
    aim: Aim | None = None,
) -> CandidateScores:
    """Measure a candidate, leaving its modes as they were.

    Args:
        model: The candidate.
        forget: Samples of the forgotten classes; not empty.
        retain: Samples of everything else; not empty. With None, all counts as retained.
        margin: What counts as a clear lead, in logits.
        aim: Where a retrained model stands on such data.

    Returns:
        Its scores.
    """
    said = _said(model, forget, retain)
    forget_leads = _leads_of(*said["forget"])
    retain_leads = _leads_of(*said["retain"]) if "retain" in said else forget_leads.new_ones(1) * margin
    return CandidateScores(
        forget_accuracy=_share(forget_leads >= 0),
        retain_accuracy=_share(retain_leads >= 0),
        within_reach=_share(forget_leads >= -margin),
        retain_clearly=_share(retain_leads >= margin),
        off=None if aim is None else distance(aim, _standing_of(said)),
    )


def stands_at(model: nn.Module, forget: Samples | None, retain: Samples) -> Quantities:
    """Return where a model stands; without forgotten samples only on the retained side."""
    return _standing_of(_said(model, forget, retain))


def _said(model: nn.Module, forget: Samples | None, retain: Samples | None) -> Said:
    """Run a model once on each side that there is."""
    sides = {"forget": forget, "retain": retain}
    return {
        side: (answers(model, samples, batch_size=_AT_ONCE), samples.labels)
        for side, samples in sides.items()
        if samples is not None
    }


def _standing_of(said: Said) -> Quantities:
    """Return the quantities of logits and labels by side."""
    found: Quantities = {}
    for side, (logits, labels) in said.items():
        found |= quantities_of(logits, labels, side)
    return found


@dataclass(frozen=True)
class HeldOutScores:
    """What methods that train on retained data are judged by.

    Attributes:
        retain_accuracy: Share of retained samples recognised.
        confidence: Mean probability of their own class.
        forget_accuracy: Share of forgotten samples still recognised; 0 where none are held out.
        far: The worst distance from the aim, in widths of a band; None without one.
    """

    retain_accuracy: float
    confidence: float
    forget_accuracy: float
    far: float | None = None

    def values(self) -> dict[str, float]:
        """Return the values to report with a step."""
        return {name: value for name, value in vars(self).items() if value is not None}


def measure_held_out(
    model: nn.Module, forget: Samples | None, retain: Samples, aim: Aim | None
) -> HeldOutScores:
    """Measure a candidate on held-out data alone, leaving its modes as they were.

    Args:
        model: The candidate.
        forget: Samples of the forgotten classes, if there are any.
        retain: Samples of everything else; not empty.
        aim: Where a retrained model stands on such data.

    Returns:
        Its scores.
    """
    said = _said(model, forget, retain)
    return HeldOutScores(
        retain_accuracy=_share(_leads_of(*said["retain"]) >= 0),
        confidence=_confidence_of(*said["retain"]),
        forget_accuracy=_share(_leads_of(*said["forget"]) >= 0) if "forget" in said else 0.0,
        far=None if aim is None else distance(aim, _standing_of(said)).worst,
    )


def accuracy(model: nn.Module, samples: Samples) -> float:
    """Return the share of samples whose own class leads; see ``leads``."""
    return _share(leads(model, samples) >= 0)


def confidence(model: nn.Module, samples: Samples, *, batch_size: int = _AT_ONCE) -> float:
    """Return the mean probability that a model gives to each sample's own class, in eval mode."""
    return _confidence_of(answers(model, samples, batch_size=batch_size), samples.labels)


def _confidence_of(logits: Tensor, labels: Tensor) -> float:
    return float(logits.softmax(1).gather(1, labels[:, None]).mean())


def answers(model: nn.Module, samples: Samples, *, batch_size: int = 256) -> Tensor:
    """Return a model's logits on samples in their order, in eval mode, ``[samples, classes]``."""
    with mode(model, "eval"), torch.no_grad():
        part = own_part(samples, batch_size)
        logits = torch.cat([model(batch.inputs).float() for batch in part.batches(batch_size)])
        return gathered(logits, len(samples), batch_size)


def leads(model: nn.Module, samples: Samples, *, batch_size: int = _AT_ONCE) -> Tensor:
    """Return by how many logits each sample's own class leads the best other one, ``[samples]``.

    Args:
        model: A classifier of two classes or more; evaluated in eval mode, and left in its own modes.
        samples: What to classify; not empty.
        batch_size: Samples per forward pass.

    Returns:
        The leads; negative where another class is ahead.
    """
    return _leads_of(answers(model, samples, batch_size=batch_size), samples.labels)


def _leads_of(logits: Tensor, labels: Tensor) -> Tensor:
    own = labels[:, None]
    others = logits.scatter(1, own, -torch.inf).amax(1)
    return logits.gather(1, own).squeeze(1) - others


def _share(hits: Tensor) -> float:
    return int(hits.sum()) / len(hits)
