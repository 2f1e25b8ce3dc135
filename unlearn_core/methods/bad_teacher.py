"""Bad teaching: a student of a competent teacher, and of one that knows nothing about the forget data."""

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples, concatenate, drawn
from unlearn_core.distillation import divergence, teacher
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import Loss, fit


class BadTeacher(Method):
    """Imitate the original model on retained samples, and an untrained one on the forget samples.

    Chundawat, Tarun, Mandal & Kankanhalli, "Can Bad Teaching Induce Forgetting? Unlearning in Deep Networks
    Using an Incompetent Teacher", AAAI 2023, arXiv 2205.08096: the student minimises
    ``(1 - l) · KL(competent ‖ student) + l · KL(incompetent ‖ student)``, where l is 1 for a forget sample.
    The forget data is mixed with a random share of the retained data. The defaults are the published ones.
    The divergence is averaged over samples; the authors' code also divides by the number of classes, which
    makes no difference to Adam.

    Attributes:
        retain_share: The share of the retained data that is used.
        temperature: Softens the outputs that are compared.
        recipe: Optimiser, schedule and epochs; AdamW without weight decay is Adam.
    """

    name: Literal["bad_teacher"] = "bad_teacher"
    retain_share: float = Field(default=0.3, gt=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="adamw",
            learning_rate=1e-4,
            weight_decay=0.0,
            schedule="constant",
            epochs=1,
            batch_size=256,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN, Need.ORIGIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "imitate the original model on retained data and an untrained one on forget data"
    does: ClassVar[str] = "lets the model learn from an ignorant teacher on the forgotten data"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-5, high=0.02, log=True),
        "recipe.epochs": Choice(options=(1, 3, 5)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["BadTeacher", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        untrained = needed(materials.origin, Need.ORIGIN).untrained().to(retain.labels.device)
        some = drawn(retain, max(1, int(self.retain_share * len(retain))), generator=generator)
        mixed = concatenate(_flagged(forget, forgotten=True), _flagged(some, forgotten=False))
        loss = self.loss(teacher(model), teacher(untrained))
        fit(model, mixed, self.recipe, generator=generator, on_step=on_step, loss=loss)
        return self, all_trained(model)

    def loss(self, competent: nn.Module, incompetent: nn.Module) -> Loss:
        """Return the loss to minimise, on batches whose labels say which samples are forgotten.

        Args:
            competent: Teaches the samples labelled 0.
            incompetent: Teaches the samples labelled 1.

        Returns:
            The loss.
        """

        def loss(model: nn.Module, batch: Samples) -> Tensor:
            good, bad = competent(batch.inputs), incompetent(batch.inputs)
            taught = torch.where(batch.labels[:, None] == 1, bad, good)
            return divergence(model(batch.inputs), taught, temperature=self.temperature)

        return loss


def _flagged(samples: Samples, *, forgotten: bool) -> Samples:
    """Return samples whose label says whether they are forgotten."""
    return replace(samples, labels=torch.full_like(samples.labels, int(forgotten)))
