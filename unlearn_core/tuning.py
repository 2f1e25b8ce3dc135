"""How well a candidate does on held-out data, for the searches of the methods.

The published criterion is the highest ``retain accuracy · (1 - forget accuracy)`` (Kodge et al., arXiv
2312.00761, section 4). A few dozen held-out images of a class cannot resolve its last per cent: all of them
may be misclassified, and the next image not. So for choosing, an image counts as forgotten only if another
class leads its own by a clear margin, and as retained in full only if its own class leads by as much.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.modes import mode

MARGIN = 0.5
"""By how much, in logits, one class must lead another to lead clearly, when candidates are compared."""


@dataclass(frozen=True)
class CandidateScores:
    """A candidate's scores on held-out data.

    Attributes:
        forget_accuracy: Share of samples of the forgotten classes still recognised.
        retain_accuracy: Share of the other samples recognised.
        within_reach: Share of the former whose own class does not trail clearly; never below
            ``forget_accuracy``.
        retain_clearly: Share of the latter whose own class leads clearly; never above ``retain_accuracy``.
    """

    forget_accuracy: float
    retain_accuracy: float
    within_reach: float
    retain_clearly: float

    @property
    def score(self) -> float:
        """What is maximised: the published criterion, with margins on both sides."""
        return (self.retain_accuracy + self.retain_clearly) / 2 * (1 - self.within_reach)

    def values(self) -> dict[str, float]:
        """Return the values to report with a step."""
        return {"forget_accuracy": self.forget_accuracy, "retain_accuracy": self.retain_accuracy}


def measure_candidate(
    model: nn.Module, forget: Samples, retain: Samples | None, *, margin: float = MARGIN
) -> CandidateScores:
    """Measure a candidate, leaving its modes as they were.

    Args:
        model: The candidate.
        forget: Samples of the forgotten classes; not empty.
        retain: Samples of everything else; not empty. With None, all counts as retained.
        margin: What counts as a clear lead, in logits.

    Returns:
        Its scores.
    """
    forget_leads = leads(model, forget)
    retain_leads = forget_leads.new_ones(1) * margin if retain is None else leads(model, retain)
    return CandidateScores(
        forget_accuracy=_share(forget_leads >= 0),
        retain_accuracy=_share(retain_leads >= 0),
        within_reach=_share(forget_leads >= -margin),
        retain_clearly=_share(retain_leads >= margin),
    )


def accuracy(model: nn.Module, samples: Samples) -> float:
    """Return the share of samples whose own class leads; see ``leads``."""
    return _share(leads(model, samples) >= 0)


def confidence(model: nn.Module, samples: Samples, *, batch_size: int = 512) -> float:
    """Return the mean probability that a model gives to each sample's own class, in eval mode."""
    shares = answers(model, samples, batch_size=batch_size).softmax(1)
    return float(shares.gather(1, samples.labels[:, None]).mean())


def answers(model: nn.Module, samples: Samples, *, batch_size: int = 256) -> Tensor:
    """Return a model's logits on samples in their order, in eval mode, ``[samples, classes]``."""
    with mode(model, "eval"), torch.no_grad():
        return torch.cat([model(batch.inputs).float() for batch in samples.batches(batch_size)])


def leads(model: nn.Module, samples: Samples, *, batch_size: int = 512) -> Tensor:
    """Return by how many logits each sample's own class leads the best other one, ``[samples]``.

    Args:
        model: A classifier of two classes or more; evaluated in eval mode, and left in its own modes.
        samples: What to classify; not empty.
        batch_size: Samples per forward pass.

    Returns:
        The leads; negative where another class is ahead.
    """
    found = []
    with mode(model, "eval"), torch.no_grad():
        for batch in samples.batches(batch_size):
            logits = model(batch.inputs)
            own = batch.labels[:, None]
            others = logits.scatter(1, own, -torch.inf).amax(1)
            found.append(logits.gather(1, own).squeeze(1) - others)
    return torch.cat(found)


def _share(hits: Tensor) -> float:
    return int(hits.sum()) / len(hits)
