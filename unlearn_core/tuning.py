"""How well a candidate does on held-out data, for the searches of the methods.

The published criterion is the highest ``retain accuracy · (1 - forget accuracy)`` (Kodge et al., arXiv
2312.00761, section 4.2). Some dozen held-out images of a class cannot show the last per cent of it: all
of them may be classified as something else, and the next image not. So for choosing, a held-out image
counts as forgotten only if another class leads by a clear margin.
"""

from dataclasses import dataclass

import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.modes import mode

MARGIN = 1.0
"""By how much, in logits, another class must lead before an image counts as clearly forgotten."""


@dataclass(frozen=True)
class Standing:
    """Where a candidate stands on held-out data.

    Attributes:
        forget_accuracy: Share of held-out samples of the forgotten classes still recognised.
        retain_accuracy: Share of the other held-out samples recognised.
        within_reach: Share of the former whose true class is within ``MARGIN`` of the lead; never below
            ``forget_accuracy``.
    """

    forget_accuracy: float
    retain_accuracy: float
    within_reach: float

    @property
    def score(self) -> float:
        """What is maximised: the published criterion with the margin on its forget side."""
        return self.retain_accuracy * (1 - self.within_reach)

    def values(self) -> dict[str, float]:
        """Return what is told of a step."""
        return {"forget_accuracy": self.forget_accuracy, "retain_accuracy": self.retain_accuracy}


def standing(model: nn.Module, forget: Samples, retain: Samples | None, *, batch_size: int = 512) -> Standing:
    """Measure a candidate on held-out data, leaving its modes as they were.

    Args:
        model: The candidate.
        forget: Held-out samples of the forgotten classes; not empty.
        retain: Held-out samples of everything else; not empty. Without any, all counts as retained.
        batch_size: Samples per forward pass.

    Returns:
        Where it stands.
    """
    return Standing(
        forget_accuracy=accuracy(model, forget, batch_size=batch_size),
        retain_accuracy=1.0 if retain is None else accuracy(model, retain, batch_size=batch_size),
        within_reach=accuracy(model, forget, batch_size=batch_size, margin=MARGIN),
    )


def accuracy(model: nn.Module, samples: Samples, *, batch_size: int = 512, margin: float = 0.0) -> float:
    """Return the share of samples whose own class leads, or trails the lead by at most ``margin`` logits.

    Args:
        model: A classifier; evaluated in eval mode, and left in its own.
        samples: Not empty.
        batch_size: Samples per forward pass.
        margin: How far behind a class still counts.

    Returns:
        A share in [0, 1].
    """
    recognised = 0
    with mode(model, "eval"), torch.no_grad():
        for batch in samples.batches(batch_size):
            logits = model(batch.inputs)
            own = logits.gather(1, batch.labels[:, None]).squeeze(1)
            recognised += int((own >= logits.amax(1) - margin).sum())
    return recognised / len(samples)
