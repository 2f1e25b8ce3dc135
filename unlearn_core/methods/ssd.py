"""Selective synaptic dampening: shrink the weights that matter to the forget data more than to all data."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples, balanced, concatenate
from unlearn_core.importance import fisher_diagonal, marked_coverage
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.result import Coverage

PUBLISHED_ALPHA = 10.0


class Ssd(Method):
    """Dampen the weights whose Fisher information is ``alpha`` times higher on the forget data than on all.

    Foster, Schoepf & Brintrup, "Fast Machine Unlearning Without Retraining Through Selective Synaptic
    Dampening", AAAI 2024, arXiv 2308.07707: with I_D and I_Df the diagonal Fisher information on all training
    data and on the forget data, a weight with ``I_Df > alpha · I_D`` is multiplied by
    ``min(lambda · I_D / I_Df, 1)``. Nothing is trained.

    If the forget data is a share s of all data, I_D is at least ``s · I_Df``, and no weight can matter more
    than 1/s times as much to it. That holds for the information of single samples (``batch_size`` 1); squared
    gradients of batches only come near it, since a batch of all data is not one of the forget data. The
    published alpha of 10 therefore selects next to nothing of a class among ten. The default is half of 1/s,
    and at most the published 10; all other defaults are the published ones.

    As in the authors' code the information is estimated by squared gradients of batches, so ``batch_size`` is
    part of the method (theirs is 64 for classes, 128 for samples). To forget classes, batches are made class
    by class, as theirs are; otherwise at random.

    Attributes:
        alpha: How much more a weight must matter to the forget data to be selected; None takes half of what
            is possible, and 10 at most.
        dampening: The published lambda: the smaller, the stronger the dampening.
        batch_size: Samples per gradient; one gives the empirical Fisher information.
    """

    name: Literal["ssd"] = "ssd"
    alpha: float | None = Field(default=None, gt=0)
    dampening: float = Field(default=1.0, ge=0)
    batch_size: int = Field(default=64, ge=1)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "shrink the weights that matter to the forget data more than to all data"
    does: ClassVar[str] = "weakens those parts of the model that matter most to the forgotten data"
    touches: ClassVar[str] = "the weights that it selects"
    space: ClassVar[dict[str, Dimension]] = {
        "alpha": Range(low=1.0, high=100.0, log=True),
        "dampening": Range(low=0.1, high=1.0, log=True),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Ssd", Coverage]:
        """Dampen the selected weights of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = (
            _ordered(needed(samples, need), materials.scope, generator)
            for samples, need in ((materials.forget, Need.FORGET), (materials.retain, Need.RETAIN))
        )
        of_forget = fisher_diagonal(model, forget, batch_size=self.batch_size, on_step=on_step)
        of_all = fisher_diagonal(
            model, concatenate(retain, forget), batch_size=self.batch_size, on_step=on_step
        )
        found = self.model_copy(update={"alpha": self.alpha or default_alpha(len(forget), len(retain))})
        factors = {name: found.factor(of_all[name], of_forget[name]) for name in of_all}
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.mul_(factors[name])
        return found, marked_coverage(model, {name: factor < 1 for name, factor in factors.items()})

    def factor(self, of_all: Tensor, of_forget: Tensor) -> Tensor:
        """Return what each weight is multiplied by.

        Args:
            of_all: Its information on all training data, I_D.
            of_forget: Its information on the forget data, I_Df, of the same shape.

        Returns:
            The factors, one where a weight is not selected.
        """
        assert self.alpha is not None
        dampened = (self.dampening * of_all / of_forget).clamp(max=1)
        return torch.where(of_forget > self.alpha * of_all, dampened, 1.0)


def default_alpha(forget: int, retain: int) -> float:
    """Return half of the largest ratio of information that there can be, and the published 10 at most.

    Args:
        forget: How many samples are forgotten; not 0.
        retain: How many are retained.
    """
    return min(PUBLISHED_ALPHA, (forget + retain) / forget / 2)


def _ordered(samples: Samples, scope: ScopeKind, generator: torch.Generator) -> Samples:
    """Shuffle samples; to forget classes, class by class."""
    if scope == "classes":
        return balanced(samples, len(samples), generator=generator)
    return samples.subset(torch.randperm(len(samples), generator=generator))
