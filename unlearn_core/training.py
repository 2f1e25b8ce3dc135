"""The one training loop: train, retrain, fine-tune, and every method that minimises a loss.

An epoch is a list of lessons: samples, and the loss to minimise on them. Plain training has the same lesson
every epoch; a method may alternate between two, with one optimiser and one schedule for all.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from unlearn_core.data import Samples
from unlearn_core.errors import UnlearningError
from unlearn_core.progress import OnStep, Step, ignore_step
from unlearn_core.records.artifact import Recipe

Loss = Callable[[nn.Module, Samples], Tensor]
"""The loss to minimise: maps the model and a batch to a number."""


def cross_entropy(model: nn.Module, batch: Samples) -> Tensor:
    """Return the mean cross-entropy of a batch's labels."""
    return F.cross_entropy(model(batch.inputs), batch.labels)


@dataclass(frozen=True)
class Lesson:
    """One pass over some samples.

    Attributes:
        samples: What to pass over, in a new order.
        loss: The loss to minimise.
        batch_size: Samples per step; None takes the recipe's.
        told_as: The name under which its mean loss is reported.
    """

    samples: Samples
    loss: Loss = cross_entropy
    batch_size: int | None = None
    told_as: str = "loss"


def fit(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    on_step: OnStep = ignore_step,
    phase: str = "epochs",
    loss: Loss = cross_entropy,
) -> None:
    """Train ``model`` in place on the same samples every epoch; see ``teach``.

    Args:
        model: The net, on the samples' device.
        samples: The training data.
        recipe: Optimiser, schedule, epochs and augmentation.
        generator: A CPU generator: order and augmentation depend on it alone.
        on_step: Called after every epoch, with its mean ``loss``.
        phase: The name of the steps.
        loss: What is descended.

    Raises:
        UnlearningError: If there are fewer than two samples.
    """
    epochs = [[Lesson(samples, loss)]] * recipe.epochs
    teach(model, epochs, recipe, generator=generator, on_step=on_step, phase=phase)


def teach(
    model: nn.Module,
    epochs: Sequence[Sequence[Lesson]],
    recipe: Recipe,
    *,
    generator: torch.Generator,
    on_step: OnStep = ignore_step,
    phase: str = "epochs",
    after_step: Callable[[], None] | None = None,
) -> None:
    """Train ``model`` in place, lesson by lesson, and leave it in eval mode.

    Mixed precision (bfloat16) is used where the device has it. A last batch of a single sample is left
    out, since batch normalisation cannot train on it. A module whose parameters are all frozen stays in
    eval mode, so that its running statistics are frozen as well.

    Args:
        model: The net, on the samples' device; parameters without a gradient stay unchanged.
        epochs: The lessons of every epoch, in order.
        recipe: Optimiser, schedule and augmentation; its ``epochs`` are ignored.
        generator: A CPU generator: order and augmentation depend on it alone.
        on_step: Called after every epoch, with the mean loss of each lesson.
        phase: The name of the steps.
        after_step: Called after every step of the optimiser.

    Raises:
        UnlearningError: If a lesson has fewer than two samples.
    """
    for lesson in {id(lesson): lesson for lessons in epochs for lesson in lessons}.values():
        refuse_single(lesson.samples)
    train_mode(model)
    learner = _Learner(model, recipe, epochs, generator, after_step)
    for index, lessons in enumerate(epochs, 1):
        told = {lesson.told_as: learner.learn(lesson) for lesson in lessons}
        on_step(Step(phase, index, len(epochs), told))
    model.eval()


def refuse_single(samples: Samples) -> None:
    """Refuse samples that no batch can be made of.

    Raises:
        UnlearningError: If there are fewer than two.
    """
    if len(samples) < 2:
        raise UnlearningError(
            f"training needs at least two samples, got {len(samples)}; use a method without training"
        )


def train_mode(model: nn.Module) -> None:
    """Put a model in train mode, except the modules whose own parameters are all frozen."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        module.training = not own or any(parameter.requires_grad for parameter in own)


class _Learner:
    """A model with its optimiser and schedule."""

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        epochs: Sequence[Sequence[Lesson]],
        generator: torch.Generator,
        after_step: Callable[[], None] | None,
    ) -> None:
        self._model = model
        self._recipe = recipe
        self._generator = generator
        self._after_step = after_step
        self._optimizer = _optimizer(model, recipe)
        lessons = (lesson for lessons in epochs for lesson in lessons)
        steps = sum(math.ceil(len(lesson.samples) / self._size(lesson)) for lesson in lessons)
        self._schedule = _schedule(self._optimizer, recipe, steps=steps)

    def learn(self, lesson: Lesson) -> float:
        """Take a lesson and return its mean loss."""
        losses = []
        for batch in lesson.samples.batches(self._size(lesson), generator=self._generator):
            if len(batch) > 1:
                losses.append(self._step(lesson.loss, batch))
            self._schedule.step()
        return torch.stack(losses).mean().item()

    def _step(self, loss_of: Loss, batch: Samples) -> Tensor:
        """Take one optimiser step and return the batch's loss."""
        device = batch.inputs.device
        inputs = augment(batch.inputs, self._recipe, self._generator)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = loss_of(self._model, Samples(inputs, batch.labels))
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        if self._after_step is not None:
            self._after_step()
        return loss.detach()

    def _size(self, lesson: Lesson) -> int:
        return lesson.batch_size or self._recipe.batch_size


def augment(inputs: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Shift each image by up to ``max_shift`` pixels, and mirror half of them if asked.

    Args:
        inputs: ``[n, channels, height, width]``.
        recipe: Which augmentation, and how far.
        generator: A CPU generator.

    Returns:
        Images of the same shape.
    """
    if recipe.augmentation == "none":
        return inputs
    count, (height, width), reach = len(inputs), inputs.shape[2:], recipe.max_shift
    if recipe.augmentation == "flip_shift":
        mirrored = torch.rand(count, generator=generator) < 0.5
        inputs = torch.where(mirrored.to(inputs.device)[:, None, None, None], inputs.flip(3), inputs)
    shifts = torch.randint(0, 2 * reach + 1, (2, count), generator=generator).to(inputs.device)
    rows = shifts[0][:, None] + torch.arange(height, device=inputs.device)
    columns = shifts[1][:, None] + torch.arange(width, device=inputs.device)
    padded = F.pad(inputs, (reach,) * 4, mode="reflect" if recipe.border == "reflect" else "replicate")
    image = torch.arange(count, device=inputs.device)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def endless_batches(samples: Samples, recipe: Recipe, generator: torch.Generator) -> Iterator[Samples]:
    """Yield augmented batches endlessly, in a new order every pass; never a single sample.

    Args:
        samples: At least two.
        recipe: Batch size and augmentation.
        generator: A CPU generator.

    Yields:
        The batches.
    """
    while True:
        for batch in samples.batches(recipe.batch_size, generator=generator):
            if len(batch) > 1:
                yield Samples(augment(batch.inputs, recipe, generator), batch.labels)


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    return torch.optim.SGD(
        model.parameters(),
        lr=rate,
        momentum=recipe.momentum,
        nesterov=recipe.momentum > 0,
        weight_decay=decay,
    )


def _schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, *, steps: int) -> LRScheduler:
    if recipe.schedule == "one_cycle":
        return OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps + 1, cycle_momentum=False)
    if recipe.schedule == "cosine":
        return LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    if recipe.schedule == "triangle":
        return LambdaLR(optimizer, lambda step: min(step + 1, max(1, steps - step)) / (steps / 2))
    return LambdaLR(optimizer, lambda _: 1.0)
