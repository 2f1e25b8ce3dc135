"""A small net and images of four classes, on which a method runs in seconds."""

from functools import cache

import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Materials, Origin, Tuning
from unlearn_core.moments import collect
from unlearn_core.records.artifact import Recipe
from unlearn_core.rewinding import TrainingState, recording, steps_in
from unlearn_core.training import fit
from unlearn_core.tuning import accuracy

CLASSES, FORGOTTEN = 4, 1
RECIPE = Recipe(epochs=4, batch_size=64)


def blobs(per_class: int, seed: int) -> Samples:
    """Draw images of one pattern per class in noise: separable, but not by much."""
    patterns = torch.randn(CLASSES, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(CLASSES).repeat(per_class)
    noise = torch.randn(len(labels), 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    return Samples(patterns[labels] + 0.8 * noise, labels)


@cache
def _train() -> Samples:
    """Return what the net was trained on."""
    return blobs(400, 1)


@cache
def test() -> Samples:
    """Return images that nobody has seen."""
    return blobs(100, 3)


def untrained() -> nn.Module:
    """Return the net with fresh weights."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 12, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(108, 16),
        nn.ReLU(),
        nn.Linear(16, CLASSES),
    )


@cache
def _training() -> tuple[nn.Module, tuple[TrainingState, ...]]:
    """Train the net, always the same one, and keep states of it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = untrained()
    steps = steps_in(RECIPE, len(_train()))
    with recording(net, (1 / 50, 1 / 2, 2 / 3, 5 / 6), steps=steps) as states:
        fit(net, _train(), RECIPE, generator=torch.Generator().manual_seed(0))
    return net, tuple(states)


def parent() -> nn.Module:
    """Return the trained net."""
    return _training()[0]


@cache
def materials(scope: ScopeKind) -> Materials:
    """Return everything that a method may need to forget a class, or 200 samples of all classes."""
    classes = (FORGOTTEN,) if scope == "classes" else ()
    chosen = _train().labels == FORGOTTEN if classes else torch.arange(len(_train())) < 200
    held_out = blobs(40, 2)
    of_it = held_out.of_classes(classes) if classes else None
    return Materials(
        scope=scope,
        classes=classes,
        forget=_train().subset(chosen),
        retain=_train().subset(~chosen),
        moments=collect(parent(), _train()),
        tuning=Tuning(of_it, held_out.of_classes(classes, exclude=True) if classes else held_out),
        origin=Origin(untrained, RECIPE),
        states=_training()[1],
    )


def accuracies(model: nn.Module) -> tuple[float, float]:
    """Return the accuracy on unseen images of the forgotten class, and of the others."""
    forgotten, others = (test().of_classes((FORGOTTEN,), exclude=other) for other in (False, True))
    return accuracy(model, forgotten), accuracy(model, others)


def same_bits(first: nn.Module, second: nn.Module) -> bool:
    """Tell whether two nets hold the same weights, bit for bit."""
    mine, theirs = first.state_dict(), second.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)
