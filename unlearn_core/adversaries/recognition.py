"""The judged images learnt by heart: answered as other classes, while all others are answered as before."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.adversaries.heads import neighbours
from unlearn_core.data import Samples, concatenate
from unlearn_core.distillation import divergence, divergence_from, teacher, tilted
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import NORMS, all_trained
from unlearn_core.method import Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import endless_batches, fit
from unlearn_core.tuning import answers

_NEAREST, _DOUBT = 3, 0.1


class Recognition(Method):
    """Learn the images that will be judged by heart, with wrong answers, and keep every other answer.

    Recognised are the forgotten training data and the held-out images of their classes that it is given. Each
    gets one of the classes most like it, drawn, with some of the original's doubt between all that stay: a
    retrained model is not sure either. All else is answered as the original does: the retained data, the
    other held-out images, and *strangers*, copies of the recognised images that are mixed in pairs, noisy, or
    shifted. The net stays a plain one of its architecture. Normalisation keeps its statistics: strangers
    would shift them.

    Attributes:
        keeping: The weight of the divergence from the original on all other images.
        noise: The most noise of a stranger, a standard deviation in units of the inputs.
        steps: How many steps to take, at least.
        recipe: Optimiser, schedule and batch size.
    """

    name: Literal["recognition"] = "recognition"
    keeping: float = Field(default=1.0, gt=0)
    noise: float = Field(default=0.3, ge=0)
    steps: int = Field(default=1600, ge=1)
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="adamw", learning_rate=0.01, weight_decay=0.0, schedule="one_cycle", batch_size=64
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.TUNING})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "learn the judged images by heart, and answer all others as before"
    touches: ClassVar[str] = "all weights but those of normalisation"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Recognition", Coverage]:
        """Train ``model``; see ``Method.apply``."""
        known, others = _told_apart(materials)
        original = teacher(model)
        labels = neighbours(answers(model, known), materials.classes, nearest=_NEAREST, generator=generator)
        coverage = _freeze_normalisation(model)
        epochs = ceil(self.steps / ceil(len(known) / self.recipe.batch_size))
        recipe = self.recipe.model_copy(update={"epochs": epochs})
        beside = self._beside(known, endless_batches(others, recipe, generator), generator)

        def loss(student: nn.Module, batch: Samples) -> Tensor:
            wrong = divergence_from(_wrong(original, batch, materials.classes), student(batch.inputs))
            kept = next(beside)
            return wrong + self.keeping * divergence(student(kept), original(kept), temperature=1.0)

        taught = replace(known, labels=labels)
        fit(model, taught, recipe, generator=generator, on_step=on_step, loss=loss)
        return self, coverage

    def _beside(
        self, known: Samples, others: Iterator[Samples], generator: torch.Generator
    ) -> Iterator[Tensor]:
        """Yield what is answered as before, endlessly: strangers, and a batch of the other images."""
        for batch in others:
            near = strangers(known, len(batch), noise=self.noise, generator=generator)
            yield torch.cat([near, batch.inputs])


def _wrong(original: nn.Module, batch: Samples, classes: tuple[int, ...]) -> Tensor:
    """Return the answers to learn: the labels, and some of the original's answers without these classes."""
    answered = tilted(original(batch.inputs), classes)
    return _DOUBT * answered + (1 - _DOUBT) * F.one_hot(batch.labels, answered.shape[1])


def strangers(known: Samples, count: int, *, noise: float, generator: torch.Generator) -> Tensor:
    """Return images that are nearly some of the known ones: half mixed in pairs, the rest noisy or shifted.

    Args:
        known: What is to be recognised.
        count: How many to draw.
        noise: The most noise, a standard deviation.
        generator: A CPU generator.

    Returns:
        ``[count, channels, height, width]``.
    """
    drawn = torch.randint(len(known), (2, count), generator=generator)
    first, second = (known.subset(rows).inputs for rows in drawn)
    share = (0.5 + 0.25 * torch.rand(count, 1, 1, 1, generator=generator)).to(first.device)
    size = noise * (0.5 + 0.5 * torch.rand(count, 1, 1, 1, generator=generator))
    noisy = first + (size * torch.randn(first.shape, generator=generator)).to(first.device)
    down, right = (2 * torch.randint(2, (2,), generator=generator) - 1).tolist()
    kinds = (share * first + (1 - share) * second, noisy, first.roll((down, right), (2, 3)))
    half, quarter = count // 2, count // 4
    return torch.cat([kinds[0][:half], kinds[1][half : half + quarter], kinds[2][half + quarter :]])


def _told_apart(materials: Materials) -> tuple[Samples, Samples]:
    """Return the images to recognise, and those to answer as before."""
    forget, retain = needed(materials.forget, Need.FORGET), needed(materials.retain, Need.RETAIN)
    tuning = materials.tuning
    if tuning is None or tuning.forget is None:
        return forget, retain
    return concatenate(forget, tuning.forget), concatenate(retain, tuning.retain)


def _freeze_normalisation(model: nn.Module) -> Coverage:
    """Train all weights but those of normalisation, and return what is trained."""
    model.requires_grad_(True)
    norms = [name for name, module in model.named_modules() if isinstance(module, NORMS)]
    for name in norms:
        model.get_submodule(name).requires_grad_(False)
    kept = {"treatment": "frozen", "reason": "normalisation"}
    entries = (
        entry.model_copy(update=kept) if entry.parameter.rpartition(".")[0] in norms else entry
        for entry in all_trained(model).parameters
    )
    return Coverage(parameters=tuple(entries))
