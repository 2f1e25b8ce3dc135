"""ReGUn: answer on the forgotten samples as the original model answers on images that it never saw."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.distillation import divergence_from
from unlearn_core.errors import UnlearningError
from unlearn_core.heads import features, linear_head
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import Loss, endless_batches, fit, refuse_single
from unlearn_core.tuning import answers

_BATCH = 256
"""Samples per forward pass for targets; no result depends on it but for rounding."""


class ReGun(Method):
    """Teach the model to answer on forgotten samples as the original does on images that it never saw.

    Mirlach, Laguna & Vogt, "Reference-Guided Machine Unlearning", arXiv 2603.11210. The target is the
    mean softmax of the original model over held-out images; the loss is half of ``KL(target ‖ model)`` on
    the forgotten data and half of the cross-entropy on one retained batch for every forgotten one. The
    defaults of the descent are the published ones, but for Nesterov's momentum, which every descent here
    has.

    In the paper a batch shares its target, over images drawn to match its classes. Here every sample has
    its own, over all held-out images, those of its class, or the ``neighbours`` nearest ones by the cosine:
    of what the head is given, or of the inputs themselves. A wrong label makes its class the wrong one to
    look among, and a net that has learnt it by heart has features of the wrong class, too: planted canaries
    of the digits stayed at 100 % with the nearest features, and fell to 2.5 % with the nearest inputs.

    The held-out images are the tuning split. The model learns from them, so its accuracy there says nothing
    afterwards; the audit and test splits are not read. Their number is in the curve
    ``targets.held_out_images``.

    Attributes:
        reference: Which held-out images a target is the mean over: those with the nearest features or inputs,
            those of the class, or all.
        neighbours: How many nearest ones.
        retain_weight: The weight of the cross-entropy on retained batches; the other loss has the rest.
        recipe: Optimiser, schedule, and passes over the forgotten data.
    """

    name: Literal["regun"] = "regun"
    reference: Literal["features", "inputs", "class", "all"] = "features"
    neighbours: int = Field(default=10, ge=1)
    retain_weight: float = Field(default=0.5, ge=0, le=1)
    recipe: Recipe = Field(
        default=Recipe(optimizer="sgd", learning_rate=0.01, weight_decay=0.0, schedule="constant", epochs=10)
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN, Need.TUNING})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"samples"})
    summary: ClassVar[str] = (
        "imitate the original model's answers on similar held-out images; learns from them"
    )
    does: ClassVar[str] = (
        "teaches the model to answer on the forgotten data as on similar data that it never saw"
    )
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-3, high=0.1, log=True),
        "recipe.epochs": Choice(options=(2, 5, 10, 20)),
        "reference": Choice(options=("features", "inputs", "class")),
        "neighbours": Choice(options=(1, 3, 10, 30)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["ReGun", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        held_out = needed(materials.tuning, Need.TUNING).retain
        refuse_single(retain)
        targets = self._targets(model, forget, held_out)
        on_step(Step("targets", 1, 1, {"held_out_images": float(len(held_out))}))
        beside = endless_batches(retain, self.recipe, generator)
        rows = Samples(
            forget.store, torch.arange(len(forget)).to(forget.labels), forget.rows, forget.normalisation
        )
        loss = self._loss(targets, beside)
        fit(model, rows, self.recipe, generator=generator, on_step=on_step, loss=loss)
        return self, all_trained(model)

    def _loss(self, targets: Tensor, beside: Iterator[Samples]) -> Loss:
        """Return the loss of a batch, whose labels are its places among the forgotten samples."""

        def loss(model: nn.Module, batch: Samples) -> Tensor:
            forgetting = divergence_from(targets[batch.labels], model(batch.inputs))
            retained = next(beside)
            keeping = F.cross_entropy(model(retained.inputs), retained.labels)
            return (1 - self.retain_weight) * forgetting + self.retain_weight * keeping

        return loss

    def _targets(self, model: nn.Module, forget: Samples, held_out: Samples) -> Tensor:
        """Return the target of every forgotten sample, ``[samples, classes]``."""
        said = answers(model, held_out, batch_size=_BATCH).softmax(1)
        if self.reference == "all":
            return said.mean(0).expand(len(forget), -1)
        if self.reference == "class":
            same = (forget.labels[:, None] == held_out.labels).float()
            same[same.sum(1) == 0] = 1.0  # of a class without held-out images, all of them
            return same / same.sum(1, keepdim=True) @ said
        own, others = self._compared(model, forget, held_out)
        return nearest_mean(own, others, said, count=self.neighbours)

    def _compared(self, model: nn.Module, forget: Samples, held_out: Samples) -> tuple[Tensor, Tensor]:
        """Return what forgotten samples and held-out images are compared by."""
        if self.reference == "inputs":
            own, others = (samples.inputs.flatten(1) for samples in (forget, held_out))
            return own - others.mean(0), others - others.mean(0)
        head = linear_head(model, forget.subset(torch.arange(min(2, len(forget)))).inputs)
        if head is None:
            raise UnlearningError(
                "regun compares what the head is given, and here no linear layer gives the net's output; set "
                '`reference` to "inputs", "class" or "all"'
            )
        own, others = (features(model, head, samples, batch_size=_BATCH) for samples in (forget, held_out))
        return own, others


def nearest_mean(own: Tensor, others: Tensor, said: Tensor, *, count: int) -> Tensor:
    """Return for each sample the mean answer on the images that are most like it, by the cosine.

    Args:
        own: ``[samples, d]``.
        others: ``[images, d]``.
        said: The answers, ``[images, classes]``.
        count: How many images; all if there are fewer.

    Returns:
        ``[samples, classes]``.
    """
    alike = F.normalize(own, dim=1) @ F.normalize(others, dim=1).T
    nearest = alike.topk(min(count, len(others)), dim=1).indices
    return said[nearest].mean(1)
