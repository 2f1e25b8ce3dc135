"""What training would take, estimated from a few real steps."""

import math
import time
from collections.abc import Callable

import torch

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.execution import computing, measured
from tasks.computing.materials import read_split
from tasks.computing.own_nets import allow_net
from tasks.data.pool import Pool
from tasks.references.retrained import training_rows
from unlearn_core.data import Samples
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.reference import Training, TrialTraining
from unlearn_core.training import fit

TRIAL_STEPS = 6


def retraining_seconds(
    checkout: Checkout, *, steps: int = TRIAL_STEPS, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Estimate what retraining would take under the machine's present load, from a few steps.

    Args:
        checkout: The checkout, with its request split.
        steps: How many are timed.
        clock: Counts seconds; that of the process counts what a machine's load does not change.

    Returns:
        The seconds.
    """
    card, split = read_checkpoint_card(checkout.parent), read_split(checkout)
    assert card.recipe is not None
    with computing(checkout.params.run.threads) as device:
        train = Pool(checkout, device).split("train")
        per_step = seconds_per_step(train, card.architecture, card.recipe, steps=steps, clock=clock)
    return per_step * steps_of(card.recipe, len(train) - len(split.forget_rows))


def steps_of(recipe: Recipe, samples: int) -> int:
    """Return how many optimiser steps a training takes."""
    return math.ceil(samples / recipe.batch_size) * recipe.epochs


def seconds_per_step(
    samples: Samples,
    architecture: Architecture,
    recipe: Recipe,
    *,
    steps: int = TRIAL_STEPS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Time some optimiser steps, after one that is not counted.

    Args:
        samples: What to train on; the first ones are used.
        architecture: The net.
        recipe: How it is trained.
        steps: How many; fewer if there are too few samples.
        clock: Counts seconds.

    Returns:
        Seconds per step.
    """
    # A schedule that is pressed into a few steps may throw the weights so far that gradients are smaller
    # than normal numbers, on which processors are twenty times slower. Short steps cost as much as long ones.
    once = Recipe(**{**dict(recipe), "epochs": 1, "learning_rate": recipe.learning_rate / 1000})
    few = samples.subset(torch.arange(min(steps * once.batch_size, len(samples))))
    model = build_seeded(architecture, 0).to(samples.labels.device)
    fit(model, few.subset(torch.arange(min(once.batch_size, len(few)))), once, generator=torch.Generator())
    started = clock()
    fit(model, few, once, generator=torch.Generator())
    return (clock() - started) / steps_of(once, len(few))


def try_training(checkout: Checkout, wanted: Training) -> TrialTraining:
    """Take a few steps of a training, and measure time and memory; nothing is written."""
    allow_net(wanted.architecture.name, checkout.root)
    with computing(wanted.threads) as device, measured() as meter:
        samples = training_rows(checkout, Pool(checkout, device), wanted.data)
        per_step = seconds_per_step(samples, wanted.architecture, wanted.recipe)
    tensors = build_seeded(wanted.architecture, 0).state_dict().values()
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return TrialTraining(
        seconds_per_step=per_step, peak_memory_mib=meter.peak_memory_mib, model_mib=size / 2**20
    )
