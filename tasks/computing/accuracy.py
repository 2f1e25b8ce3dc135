"""How often a model is right over whole parts of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tasks.checkout.progress import progress
from tasks.computing.execution import computing
from unlearn_core.data import Samples
from unlearn_core.intervals import Estimate, proportion
from unlearn_core.modes import mode
from unlearn_core.progress import Step

_BATCH_SIZE = 256
HELD_OUT = ("tuning", "audit", "test")
"""The splits that a model never saw."""


@dataclass(frozen=True)
class Answers:
    """What a model answered: ``[rows]`` labels, and which of them it got ``right``."""

    labels: Tensor
    right: Tensor

    def accuracy(self) -> Estimate:
        """Return the share of right answers, with its 95 % interval."""
        return proportion(int(self.right.sum()), len(self.right))

    def of_class(self, label: int) -> "Answers":
        """Return the answers for the rows of one class."""
        rows = self.labels == label
        return Answers(self.labels[rows], self.right[rows])


def ask(model: nn.Module, parts: Sequence[Samples], *, threads: int) -> Answers:
    """Show images to a model.

    Args:
        model: The model.
        parts: The images, with their labels; at least one.
        threads: On the CPU.

    Returns:
        Its answers, in order.
    """
    labels, right = list[Tensor](), list[Tensor]()
    total = sum(map(len, parts))
    with computing(threads) as device, progress("measure the accuracy") as on_step:
        model = model.to(device)
        with mode(model, "eval"), torch.no_grad():
            for part in parts:
                for batch in part.to(device).batches(_BATCH_SIZE):
                    right.append((model(batch.inputs).argmax(1) == batch.labels).cpu())
                    labels.append(batch.labels.cpu())
                    on_step(Step("images", sum(map(len, labels)), total))
    return Answers(torch.cat(labels), torch.cat(right))
