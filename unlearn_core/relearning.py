"""Teach a copy of a model the forgotten data again, and measure how fast it learns.

The optimiser is plain SGD at one rate for every model, and the copy stays in eval mode: a single class would
shift the running means of batch normalisation, and that would be what is measured. So the result depends on
what the model computes, not on how it was trained. The accuracy is measured at every step first, and then at
growing intervals.

Taught as it is, a model is judged by its head as much as by its features: a new head on untouched features
relearns as slowly as a retrained model, since both heads know nothing of the class. So a second curve gives
every model the same new head, fitted on retained data, and what is left to differ are the features. It is
taught forgotten and retained samples, half and half, for a class alone is learned by a bias; and it is
measured on held-out samples.
"""

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F

from unlearn_core.data import Samples, concatenate, drawn
from unlearn_core.errors import UsageError
from unlearn_core.fresh_head import with_new_head
from unlearn_core.modes import mode
from unlearn_core.observations import RelearnCurve
from unlearn_core.records.base import Record
from unlearn_core.states import copied_state


class RelearnTerms(Record):
    """How a model is taught again; the same for every model that is compared.

    ``look_every`` is the share by which the number of steps grows from one point of the curve to the next.
    With a ``stride`` above 1, only every so many of these points is looked at, until the accuracy is reached;
    then the steps since the point before are taken again, to look at those in between.
    """

    steps: int = Field(default=200, ge=1)
    samples: int = Field(default=256, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    look_every: float = Field(default=0.1, ge=0)
    # Left out at 1: what is cached by these terms is known by the name that it had before there was a stride.
    stride: int = Field(default=1, ge=1, exclude_if=lambda stride: stride == 1)


NEW_HEAD = RelearnTerms(steps=60, learning_rate=3e-3)
"""How a model with a new head is taught."""
COARSE = RelearnTerms(steps=50, samples=128, batch_size=32, learning_rate=4e-3, stride=4)
"""How a model is taught where the forgotten data is measured by sample: as far, in a quarter of the steps.

Small steps of gradient descent end up where four times as many of a quarter of the size do. On CIFAR-10
(resnet18, class bird) a model that `svd` had made was known again after 4 steps of 50, and after 15 of 200; a
retrained one after neither 50 nor 200. It takes a fifth of the time.
"""
COARSE_NEW_HEAD = RelearnTerms(steps=30, samples=128, batch_size=32, learning_rate=6e-3, stride=4)
"""The same with a new head: twice the rate, half the steps."""
RETAINED = 4
"""How many retained samples are drawn for each forgotten one, to fit a new head on and to teach."""


def relearn(
    model: nn.Module, forgotten: Samples, *, until: float, terms: RelearnTerms, seed: int
) -> RelearnCurve:
    """Observe how fast a copy of a model relearns the forgotten data.

    Args:
        model: Left as it is; on the samples' device.
        forgotten: The forgotten training data; at most ``terms.samples`` of it are drawn.
        until: The accuracy on them at which to stop.
        terms: Optimiser, limits and looks.
        seed: For the draw and the order of the batches: the same for models that are compared.

    Returns:
        The curve; its last point is the first at which the accuracy was reached, or the limit.

    Raises:
        UsageError: If there is no sample.
    """
    if len(forgotten) == 0:
        raise UsageError("there is nothing forgotten to learn again; pass at least one sample")
    generator = torch.Generator().manual_seed(seed)
    taught = _held(drawn(forgotten, terms.samples, generator=generator))
    batches = _batches(taught, terms.batch_size, generator)
    return _curve(deepcopy(model).requires_grad_(True), batches, taught, until=until, terms=terms)


def relearn_with_new_head(
    model: nn.Module,
    forgotten: Samples,
    retained: Samples,
    held_out: Samples,
    *,
    until: float,
    terms: RelearnTerms,
    seed: int,
) -> RelearnCurve:
    """Observe how fast a copy of a model, given a new head, learns to name held-out samples of a class.

    Args:
        model: Left as it is; on the samples' device.
        forgotten: The forgotten training data; at most ``terms.samples`` of it are drawn.
        retained: The retained training data; four times as many of it.
        held_out: Samples of the forgotten classes that are not taught; as many.
        until: The accuracy on these at which to stop.
        terms: Optimiser, limits and looks.
        seed: For the draws and the batches: the same for models that are compared.

    Returns:
        The curve; its last point is the first at which the accuracy was reached, or the limit.

    Raises:
        UsageError: If there is no sample of a kind.
    """
    if not (len(forgotten) and len(retained) and len(held_out)):
        raise UsageError(
            f"got {len(forgotten)} forgotten, {len(retained)} retained and {len(held_out)} held-out samples; "
            "pass at least one of each to learn again with a new head"
        )
    generator = torch.Generator().manual_seed(seed)
    counts = (terms.samples, RETAINED * terms.samples, terms.samples)
    taught, kept, judged = (
        _held(drawn(samples, count, generator=generator))
        for samples, count in zip((forgotten, retained, held_out), counts, strict=True)
    )
    pupil = with_new_head(model, kept, batch_size=terms.batch_size)
    half = max(1, terms.batch_size // 2)
    batches = map(concatenate, _batches(taught, half, generator), _batches(kept, half, generator))
    return _curve(pupil, batches, judged, until=until, terms=terms)


def _held(samples: Samples) -> Samples:
    """Return the same samples in memory."""
    return Samples(samples.inputs, samples.labels)


def _curve(
    pupil: nn.Module, batches: Iterator[Samples], judged: Samples, *, until: float, terms: RelearnTerms
) -> RelearnCurve:
    """Teach a net batch by batch, in place, and look at its accuracy in between."""
    curve = {0: _accuracy(pupil, judged, terms.batch_size)}
    looks = [*_looks(terms)]
    while looks and curve[done := max(curve)] < until:
        stretch, looks = looks[: terms.stride], looks[terms.stride :]
        taught = [*islice(batches, stretch[-1] - done)]
        before = copied_state(pupil) if len(stretch) > 1 else {}
        last = _teach(pupil, taught, judged, terms, done=done, looks=stretch[-1:], until=until)
        if len(stretch) > 1 and last[stretch[-1]] >= until:
            pupil.load_state_dict(before)
            last = _teach(pupil, taught, judged, terms, done=done, looks=stretch, until=until)
        curve |= last
    steps, accuracy = tuple(curve), tuple(curve.values())
    return RelearnCurve(steps=steps, accuracy=accuracy, limit=terms.steps, samples=len(judged))


def _teach(
    pupil: nn.Module,
    batches: list[Samples],
    judged: Samples,
    terms: RelearnTerms,
    *,
    done: int,
    looks: list[int],
    until: float,
) -> dict[int, float]:
    """Teach a net some batches, and return its accuracy at looks, up to the first at which it has arrived."""
    seen: dict[int, float] = {}
    for step, batch in enumerate(batches, done + 1):
        _step(pupil, batch, terms.learning_rate)
        if step in looks:
            seen[step] = _accuracy(pupil, judged, terms.batch_size)
            if seen[step] >= until:
                break
    return seen


def _looks(terms: RelearnTerms) -> Iterator[int]:
    """Yield the steps after which to measure, ascending, the limit last."""
    look = 0
    while look < terms.steps:
        look = min(max(look + 1, int(look * (1 + terms.look_every))), terms.steps)
        yield look


def _batches(taught: Samples, size: int, generator: torch.Generator) -> Iterator[Samples]:
    """Yield batches endlessly, in a new order every round."""
    while True:
        yield from taught.batches(size, generator=generator)


def _step(pupil: nn.Module, batch: Samples, learning_rate: float) -> None:
    """Descend once on the cross-entropy of a batch."""
    with mode(pupil, "eval"), torch.enable_grad():
        loss = F.cross_entropy(pupil(batch.inputs), batch.labels)
        parameters = [parameter for parameter in pupil.parameters() if parameter.requires_grad]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter.sub_(learning_rate * gradient)


def _accuracy(model: nn.Module, taught: Samples, batch_size: int) -> float:
    with mode(model, "eval"), torch.no_grad():
        right = [
            (model(batch.inputs).argmax(1) == batch.labels).sum() for batch in taught.batches(batch_size)
        ]
    return float(torch.stack(right).sum()) / len(taught)
