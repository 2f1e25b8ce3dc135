"""Tilted reweighting: distil the original model without the class, and tilted towards similar classes."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.distillation import divergence_from, teacher, tilted
from unlearn_core.errors import UnlearningError
from unlearn_core.heads import linear_head
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import Lesson, Loss, endless_batches, refuse_single, teach


class Trew(Method):
    """Answer on the forget data as a model that never saw the class: its share goes to similar classes.

    "Unlearning Isn't Forgetting", ICML 2026, PMLR 306:27569, arXiv 2506.20893; written from the abstract and
    the public reviews, not from the authors' code. The target for a forgotten image x is
    ``q_k ∝ p_k(x) · exp(beta · s_k)`` over the other classes k and 0 for the forgotten ones, where p is the
    original model's softmax and s the softmax, over the other classes, of the largest cosine between the
    head's row of k and that of a forgotten class, rows centred and projected on their first principal
    directions, at temperature tau. Minimised is ``KL(q ‖ model)`` on the forget data plus ``retain_weight``
    times the cross-entropy of one retained batch for every forgotten batch; epochs of retained data follow.

    Attributes:
        beta: How far the target is tilted; 0 is distillation with the class masked. Published is 10.
        tau: Temperature of the similarities; not published.
        directions: Principal directions of the head's rows that are compared, r; None takes one fewer than
            there are classes. Not published.
        retain_weight: Weight of the cross-entropy on retained batches, lambda.
        repair_epochs: Passes over the retained data afterwards.
        recipe: Optimiser, schedule, and passes over the forget data.
    """

    name: Literal["trew"] = "trew"
    beta: float = Field(default=10.0, ge=0)
    tau: float = Field(default=0.1, gt=0)
    directions: int | None = Field(default=None, ge=1)
    retain_weight: float = Field(default=1.0, ge=0)
    repair_epochs: int = Field(default=1, ge=0)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="sgd",
            learning_rate=0.01,
            weight_decay=0.0,
            schedule="cosine",
            epochs=3,
            batch_size=128,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "imitate the original model without the class, its share tilted to similar ones"
    does: ClassVar[str] = "teaches the model to take the forgotten data for the classes most like it"
    space: ClassVar[dict[str, Dimension]] = {
        "beta": Range(low=0.0, high=20.0),
        "recipe.learning_rate": Range(low=1e-4, high=0.05, log=True),
        "recipe.epochs": Choice(options=(1, 2, 3, 5)),
        "repair_epochs": Choice(options=(0, 1, 2)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Trew", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
        refuse_single(retain)
        head = _head(model, forget)
        directions = self.directions or len(head) - 1
        tilt = self.beta * similarities(head, materials.classes, directions=directions, tau=self.tau)
        beside = endless_batches(retain, self.recipe, generator)
        lessons = [Lesson(forget, self._loss(teacher(model), materials.classes, tilt, beside))]
        repair = [Lesson(retain, told_as="repair_loss")]
        epochs = [lessons] * self.recipe.epochs + [repair] * self.repair_epochs
        teach(model, epochs, self.recipe, generator=generator, on_step=on_step)
        return self.model_copy(update={"directions": directions}), all_trained(model)

    def _loss(
        self, original: nn.Module, classes: tuple[int, ...], tilt: Tensor, beside: Iterator[Samples]
    ) -> Loss:
        def loss(model: nn.Module, batch: Samples) -> Tensor:
            forgetting = divergence_from(tilted(original(batch.inputs), classes, tilt), model(batch.inputs))
            retained = next(beside)
            return forgetting + self.retain_weight * F.cross_entropy(model(retained.inputs), retained.labels)

        return loss


def similarities(head: Tensor, forgotten: tuple[int, ...], *, directions: int, tau: float) -> Tensor:
    """Return how alike each class is to the forgotten ones: a softmax over the others, 0 for these.

    Args:
        head: ``[classes, d]``, the rows of the head.
        forgotten: The forgotten classes.
        directions: How many principal directions of the centred rows are compared.
        tau: Temperature.

    Returns:
        ``[classes]``, float32.
    """
    centred = head.double() - head.double().mean(0)
    basis = torch.linalg.svd(centred, full_matrices=False).Vh[:directions]
    rows = F.normalize(centred @ basis.T, dim=1)
    gone = torch.zeros(len(head), dtype=torch.bool, device=head.device)
    gone[list(forgotten)] = True
    nearest = (rows @ rows[gone].T).amax(1)
    return (nearest / tau).masked_fill(gone, -torch.inf).softmax(0).float()


def _head(model: nn.Module, samples: Samples) -> Tensor:
    """Return the rows of the head, one for each class."""
    head = linear_head(model, samples.subset(torch.arange(min(2, len(samples)))).inputs)
    if head is None:
        raise UnlearningError(
            "trew compares the rows of the linear layer that gives the net's output, and here "
            "no linear layer gives it; use another method"
        )
    return head.weight.detach()
