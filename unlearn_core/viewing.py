"""Which samples of a view a model is shown, and views whose images nobody can have prepared a model for.

A large view is looked at by sample: an accuracy over 5,000 samples is known to 1.4 points, which is closer
than models of different seeds agree. A view that is not larger is shown whole.

Altered views are held-out images moved a little and with a little noise, to see whether a model answers for
what an image shows or for an image that it recognises. How they are altered is drawn from the judged model's
own weights: a model prepared for these very images would have other weights, and be shown others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from unlearn_core.batching import Batches
from unlearn_core.data import Samples, concatenate, drawn
from unlearn_core.observations import HELD_OUT, View
from unlearn_core.records.artifact import Recipe
from unlearn_core.seeds import derive_seed
from unlearn_core.training import augment

LARGEST_VIEW, LARGEST_ALTERED_VIEW = 5000, 2000
"""The most samples of a view that a model is shown."""
SHIFT, NOISE = 1 / 16, 0.05
"""How far an image is moved, as a share of its shorter side, and the noise in standard deviations."""


def sampled(views: Mapping[View, Samples], *, seed: int) -> dict[View, Samples]:
    """Draw what is shown of every view.

    Args:
        views: All samples of every view.
        seed: For the draw: the same for models that are compared.

    Returns:
        The samples to show; views of at most ``LARGEST_VIEW`` samples whole and in order.
    """
    return {view: _drawn(samples, LARGEST_VIEW, seed, view) for view, samples in views.items()}


def altered_views(views: Mapping[View, Samples], *, seed: int, weights: str) -> dict[View, "Altered"]:
    """Return the altered views of a model.

    In class scope the forgotten side are held-out samples of the forgotten classes, otherwise the forgotten
    training samples; the retained side are audit samples.

    Args:
        views: All samples of every view.
        seed: For the draw of samples: the same for models that are compared.
        weights: The digest of the judged model's weights. Only how the samples are altered depends on it.

    Returns:
        The views ``altered.forget`` and ``altered.retain``, as far as there are samples.
    """
    held_out = [views[view] for view in HELD_OUT if view in views]
    sources: dict[View, list[Samples]] = {
        ("altered", "forget"): held_out or [views["train", "forget"]],
        ("altered", "retain"): [views["audit", "retain"]] if ("audit", "retain") in views else [],
    }
    return {
        view: Altered(
            _drawn(concatenate(*parts), LARGEST_ALTERED_VIEW, seed, view),
            derive_seed(seed, f"{'.'.join(view)} of {weights}"),
        )
        for view, parts in sources.items()
        if parts
    }


def _drawn(samples: Samples, count: int, seed: int, view: View) -> Samples:
    generator = torch.Generator().manual_seed(derive_seed(seed, ".".join(view)))
    return drawn(samples, count, generator=generator)


@dataclass(frozen=True)
class Altered(Batches):
    """Samples whose images are moved a little and have a little noise, the same way whenever they are read.

    Attributes:
        samples: Images ``[samples, channels, height, width]``; other numbers get the noise alone, and
            integers, such as tokens, stay as they are.
        seed: Says how they are altered.
    """

    samples: Samples
    seed: int

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.samples)

    def batches(self, size: int, /) -> Iterator[Samples]:
        """Yield altered samples in order, ``size`` at a time; another size alters them otherwise."""
        generator = torch.Generator().manual_seed(self.seed)
        noise = NOISE * _deviation(self.samples, size)
        for batch in self.samples.batches(size):
            if not batch.inputs.is_floating_point():
                yield batch
                continue
            moved = moved_a_little(batch.inputs, generator)
            drawn_noise = torch.randn(moved.shape, generator=generator).to(moved)
            yield Samples(moved + noise * drawn_noise, batch.labels)


def moved_a_little(inputs: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by up to a sixteenth of its shorter side, a pixel at least; edges are repeated.

    Args:
        inputs: ``[samples, channels, height, width]``; inputs of any other shape are returned as they are.
        generator: A CPU generator.

    Returns:
        Images of the same shape.
    """
    if inputs.ndim != 4:
        return inputs
    reach = max(1, int(SHIFT * min(inputs.shape[2:])))
    return augment(inputs, Recipe(augmentation="shift", max_shift=reach, border="edge"), generator)


def _deviation(samples: Samples, size: int) -> float:
    """Return the standard deviation of all numbers of all inputs, a batch at a time."""
    count, total, squares = 0, 0.0, 0.0
    for batch in samples.batches(size):
        values = batch.inputs.double()
        count += values.numel()
        total += float(values.sum())
        squares += float(values.square().sum())
    mean = total / count
    return max(0.0, squares / count - mean * mean) ** 0.5
