"""Going back to an earlier state of a training, and on from there with other data.

A state is the weights and what the optimiser remembers. It is recorded from the optimiser's own hook, so that
a training that keeps states has the same bits as one that does not.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice, repeat
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from unlearn_core.data import Samples
from unlearn_core.progress import OnStep, ignore_step
from unlearn_core.records.artifact import Recipe
from unlearn_core.states import copied_state
from unlearn_core.training import Lesson, teach

WEIGHTS, OPTIMISER = "weights", "optimiser"


@dataclass(frozen=True)
class TrainingState:
    """Where a training stood after some of its steps.

    Attributes:
        step: How many steps had been taken.
        steps: How many there were in all.
        tensors: ``weights.NAME`` of the model's state, and ``optimiser.NUMBER.NAME`` of what the optimiser
            remembers of each parameter, by its place among the parameters.
    """

    step: int
    steps: int
    tensors: Mapping[str, Tensor]

    @property
    def share(self) -> float:
        """How much of the training was behind it."""
        return self.step / self.steps

    def restore(self, model: nn.Module) -> None:
        """Put a model's weights and buffers back."""
        prefix = f"{WEIGHTS}."
        names = [name for name in self.tensors if name.startswith(prefix)]
        model.load_state_dict({name.removeprefix(prefix): self.tensors[name] for name in names})

    def remind(self, optimizer: Optimizer) -> None:
        """Give an optimiser of the same parameters its memory back; its learning rates stay."""
        for name in self.tensors:
            kind, _, rest = name.partition(".")
            if kind == OPTIMISER:
                number, _, key = rest.partition(".")
                parameter = _parameters(optimizer)[int(number)]
                tensor = self.tensors[name].clone()
                optimizer.state[parameter][key] = tensor if key == "step" else tensor.to(parameter)


def steps_in(recipe: Recipe, samples: int) -> int:
    """Return how many steps a training takes."""
    return ceil(samples / recipe.batch_size) * recipe.epochs


@contextmanager
def recording(model: nn.Module, shares: tuple[float, ...], *, steps: int) -> Iterator[list[TrainingState]]:
    """Keep states of a model while it is trained.

    Args:
        model: It is trained inside the block, by one optimiser.
        shares: Of the training, after which a state is kept; between 0 and 1.
        steps: How many steps the training takes.

    Yields:
        The states, in their order; filled while the model is trained.
    """
    states: list[TrainingState] = []
    wanted = {round(share * steps) for share in shares}
    taken = 0

    def look(optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        nonlocal taken
        taken += 1
        if taken in wanted:
            states.append(TrainingState(taken, steps, _tensors(model, optimizer)))

    with _hooked(register_optimizer_step_post_hook, look, model):
        yield states


def go_on(
    model: nn.Module,
    samples: Samples,
    recipe: Recipe,
    state: TrainingState | None,
    *,
    generator: torch.Generator,
    on_step: OnStep = ignore_step,
) -> None:
    """Train a model in place from an earlier state to the end of its recipe, by the recipe's own schedule.

    Args:
        model: On the samples' device. Without a state, it is trained from the beginning.
        samples: What to train on from now on.
        recipe: How the model was trained.
        state: Where to begin; None for the beginning: then this is what ``training.fit`` does.
        generator: A CPU generator: order and augmentation depend on it alone.
        on_step: Called at the end, with the mean loss.
    """
    steps = steps_in(recipe, len(samples))
    skipped = 0 if state is None else round(state.share * steps)
    lesson = [[Lesson(_Rest(**vars(samples), skipped=skipped, epochs=recipe.epochs, size=recipe.batch_size))]]
    if state is None:
        teach(model, lesson, recipe, generator=generator, on_step=on_step)
        return
    state.restore(model)
    reminded = False

    def remind(optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        nonlocal reminded
        if not reminded:
            state.remind(optimizer)
        reminded = True

    with _hooked(register_optimizer_step_pre_hook, remind, model), warnings.catch_warnings():
        # The schedule is meant to be ahead of the optimiser.
        warnings.filterwarnings("ignore", "Detected call of `lr_scheduler.step", UserWarning)
        teach(model, lesson, recipe, generator=generator, on_step=on_step)


@dataclass(frozen=True)
class _Rest(Samples):
    """All the epochs of a training as one lesson, of which the first steps are skipped.

    A training loop leaves out a batch of a single sample, but its schedule counts it: that is what a skipped
    step is.
    """

    skipped: int = 0
    epochs: int = 1
    size: int = 1

    def __len__(self) -> int:
        """Count as many samples as make the steps of all epochs."""
        return ceil(len(self.labels) / self.size) * self.size * self.epochs

    def batches(self, size: int, *, generator: torch.Generator | None = None) -> Iterator[Samples]:
        """Yield single samples for the skipped steps, and then the batches of one epoch after another."""
        plain = Samples(self.store, self.labels, self.rows, self.normalisation)
        single = plain.subset(torch.arange(1))
        yield from repeat(single, self.skipped)
        rest = ceil(len(plain) / size) * self.epochs - self.skipped
        endless = (batch for _ in count() for batch in plain.batches(size, generator=generator))
        yield from islice(endless, rest)


def _tensors(model: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    kept = {f"{WEIGHTS}.{name}": tensor.cpu() for name, tensor in copied_state(model).items()}
    for number, parameter in enumerate(_parameters(optimizer)):
        for key, value in optimizer.state[parameter].items():
            if isinstance(value, Tensor):
                kept[f"{OPTIMISER}.{number}.{key}"] = value.detach().cpu().clone()
    return kept


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


@contextmanager
def _hooked(register: Callable[..., Any], see: Callable[..., None], model: nn.Module) -> Iterator[None]:
    """Call a function at every step of the optimiser of a model, and of no other."""
    first = next(model.parameters())

    def of_model(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if _parameters(optimizer)[0] is first:
            see(optimizer, args, kwargs)

    handle = register(of_model)
    try:
        yield
    finally:
        handle.remove()
