"""Masked small gradients: draw anew the weights that tell the forgotten data least, and train them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from unlearn_core.data import Samples, drawn
from unlearn_core.errors import UnlearningError
from unlearn_core.heads import linear_head
from unlearn_core.importance import batch_gradients, highest
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.tracing import attached
from unlearn_core.training import fit


class Msg(Method):
    """Draw the convolution weights with the smallest gradients anew, and train on the retained data.

    One of the winners of the NeurIPS 2023 unlearning challenge, described by Triantafillou et al., "Are we
    making progress in unlearning? Findings from the first NeurIPS unlearning competition", arXiv 2406.09073;
    it leads the comparison of Cadet et al., "Deep Unlearn", arXiv 2410.01276.
    The gradient is that of the cross-entropy on as many retained as forgotten samples, less that on the
    forgotten ones, in eval mode, summed over batches. In every convolution the share of weights with the
    smallest magnitudes is drawn anew (Kaiming's normal initialisation by fan-out). While the net trains on
    retained data, gradients of all other convolution weights are multiplied by ``factor``. The defaults are
    the published ones, but for Nesterov's momentum. In class scope the rows of the forgotten classes in the
    head are drawn anew as well, which is not published; where no linear layer gives the net's output, or its
    weight is not a parameter of its own, that is left out. Convolutions whose weight is computed from other
    parameters (weight normalisation) are only trained.

    As in the published code only gradients are scaled: weight decay acts on every weight in full, even where
    ``factor`` is 0.

    Attributes:
        share: The share of each convolution's weights that is drawn anew.
        factor: What gradients of the other convolution weights are multiplied by.
        recipe: Optimiser, schedule and epochs.
    """

    name: Literal["msg"] = "msg"
    share: float = Field(default=0.3, gt=0, le=1)
    factor: float = Field(default=0.1, ge=0, le=1)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=1e-3,
            weight_decay=5e-4,
            schedule="triangle",
            epochs=5,
            batch_size=64,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "draw convolution weights with small gradients anew, and train on retained data"
    does: ClassVar[str] = "gives part of the weights fresh values and trains without the forgotten data"
    space: ClassVar[dict[str, Dimension]] = {
        "share": Range(low=0.05, high=0.9),
        "factor": Range(low=0.01, high=1.0, log=True),
        "recipe.learning_rate": Range(low=1e-4, high=0.1, log=True),
        "recipe.epochs": Choice(options=(1, 2, 5)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Msg", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        weights = _convolution_weights(model)
        head = linear_head(model, forget.subset(torch.arange(min(2, len(forget)))).inputs)
        some = drawn(retain, len(forget), generator=generator)
        gradients = difference_of_gradients(model, weights, forget, some, batch_size=self.recipe.batch_size)
        fresh = {name: smallest(gradient, self.share) for name, gradient in gradients.items()}
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(torch.where(fresh[name], _redrawn(weight, generator), weight))
            _redraw_rows(head, materials.classes, generator)
        with _scaled_gradients(weights, fresh, self.factor):
            fit(model, retain, self.recipe, generator=generator, on_step=on_step)
        return self, all_trained(model)


def difference_of_gradients(
    model: nn.Module, weights: Mapping[str, Tensor], forget: Samples, retain: Samples, *, batch_size: int
) -> dict[str, Tensor]:
    """Return the gradients of the cross-entropy on retained samples less that on forgotten ones.

    Args:
        model: The model, evaluated in eval mode.
        weights: Parameters of it, by name.
        forget: The forgotten samples.
        retain: The retained samples.
        batch_size: Samples per batch; mean losses of batches are added up.

    Returns:
        By name, tensors of the weights' shapes.
    """
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    names = [name for name, _ in model.named_parameters()]
    for sign, samples in ((-1, forget), (1, retain)):
        for gradients in batch_gradients(model, samples, batch_size=batch_size, reduction="mean"):
            for name, gradient in zip(names, gradients, strict=True):
                if name in total:
                    total[name].add_(gradient, alpha=sign)
    return total


def smallest(values: Tensor, share: float) -> Tensor:
    """Mark the share of values with the smallest magnitudes, rounded down; of equal ones the first."""
    return highest({"": -values.abs()}, share)[""]


def _convolution_weights(model: nn.Module) -> Mapping[str, Tensor]:
    """Return the convolutions' weights that are parameters of their own, each once."""
    of_convolutions = {
        id(module._parameters.get("weight")) for module in model.modules() if isinstance(module, _ConvNd)
    }
    weights = {name: weight for name, weight in model.named_parameters() if id(weight) in of_convolutions}
    if not weights:
        raise UnlearningError(
            "msg draws weights of convolutions anew, and this net has none that are parameters of their own; "
            "use another method"
        )
    return weights


def _redrawn(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Return fresh values for a weight: Kaiming's normal initialisation by fan-out."""
    fresh = torch.empty(weight.shape, dtype=weight.dtype)
    nn.init.kaiming_normal_(fresh, mode="fan_out", generator=generator)
    return fresh.to(weight.device)


def _redraw_rows(head: nn.Linear | None, classes: tuple[int, ...], generator: torch.Generator) -> None:
    """Draw the head's rows of some classes anew, if its weight is a parameter of its own."""
    weight = None if head is None else head._parameters.get("weight")
    if classes and weight is not None:
        weight[list(classes)] = _redrawn(weight, generator)[list(classes)]


@contextmanager
def _scaled_gradients(
    weights: Mapping[str, Tensor], fresh: Mapping[str, Tensor], factor: float
) -> Iterator[None]:
    """Multiply gradients by a factor, but for those of fresh weights."""
    hooks = (
        weight.register_hook(lambda gradient, new=fresh[name]: torch.where(new, gradient, factor * gradient))
        for name, weight in weights.items()
    )
    with attached(hooks):
        yield
