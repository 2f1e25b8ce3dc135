"""Which samples of a view a model is shown, and views whose images nobody can have prepared a model for.

A large view is looked at by sample, as many as the policy's bands ask for: the narrower the band around an
accuracy, the more. A view that is not larger is shown whole.

Altered views are held-out images moved a little and with a little noise, to see whether a model answers for
what an image shows or for an image that it recognises. How they are altered is drawn from the judged model's
own weights: a model prepared for these very images would have other weights, and be shown others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import get_args

import torch
from torch import Tensor

from unlearn_core.batching import Batches
from unlearn_core.data import Samples, concatenate, drawn
from unlearn_core.observations import HELD_OUT, Side, View
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.policy import Band
from unlearn_core.seeds import derive_seed
from unlearn_core.training import augment

FEWEST_SHOWN, SHOWN_PER_CLASS = 1000, 100
"""Of a larger view at least so many are shown: what is not an accuracy is measured on them as well."""
LARGEST_VIEW, LARGEST_ALTERED_VIEW = 5000, 2000
"""The most samples of a view that a model is shown, and of an altered one."""
DISAGREEING = 0.25
"""The share of samples on which at most one of two compared models is right; seeds differ on half as many."""
JUDGED_BY_SHARES = ("accuracy.", "confidence.true_class.")
"""The measurements whose bands say how closely a share of samples must be known."""
SHIFT, NOISE = 1 / 16, 0.05
"""How far an image is moved, as a share of its shorter side, and the noise in standard deviations."""


def counts_for(bands: Iterable[Band]) -> dict[Side, int]:
    """Return how many samples of a large view are needed to apply bands.

    Both models of a gap are shown the same n samples. The gap's variance is at most the share on which only
    one of them is right, over n; so 1.96 standard errors fit into half the width w of a band if n is at least
    ``1.96² · DISAGREEING / w²``: 1,068 for 0.03.

    Args:
        bands: The policy's bands for the scope.

    Returns:
        The counts by side, for the narrowest band on each; ``LARGEST_VIEW`` where there is none.
    """
    narrowest: dict[str, float] = {}
    for band in bands:
        side = band.measurement.rpartition(".")[2]
        if band.measurement.startswith(JUDGED_BY_SHARES):
            narrowest[side] = min(band.below, band.above, narrowest.get(side, 1.0))
    return {side: _count(narrowest.get(side, 0.0)) for side in get_args(Side)}


def _count(width: float) -> int:
    needed = 1.96**2 * DISAGREEING / width**2 if width else LARGEST_VIEW
    return min(LARGEST_VIEW, max(FEWEST_SHOWN, ceil(needed)))


def sampled(
    views: Mapping[View, Samples], counts: Mapping[Side, int] | None, *, seed: int
) -> dict[View, Samples]:
    """Draw what is shown of every view.

    Args:
        views: All samples of every view.
        counts: How many of a view of each side; more where it has many classes. None shows all.
        seed: For the draw: the same for models that are compared.

    Returns:
        The samples to show; views that are not larger whole and in order.
    """
    if counts is None:
        return dict(views)
    return {
        view: _drawn(samples, _most(samples, counts[view[1]]), seed, view) for view, samples in views.items()
    }


def _most(samples: Samples, count: int) -> int:
    return max(count, min(LARGEST_VIEW, SHOWN_PER_CLASS * len(samples.labels.unique())))


def altered_views(
    views: Mapping[View, Samples], counts: Mapping[Side, int] | None, *, seed: int, weights: str
) -> dict[View, "Altered"]:
    """Return the altered views of a model.

    In class scope the forgotten side are held-out samples of the forgotten classes, otherwise the forgotten
    training samples; the retained side are audit samples.

    Args:
        views: All samples of every view.
        counts: How many of a view of each side; None is up to ``LARGEST_ALTERED_VIEW``.
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
    allowed = counts or dict.fromkeys(get_args(Side), LARGEST_ALTERED_VIEW)
    most = {side: min(count, LARGEST_ALTERED_VIEW) for side, count in allowed.items()}
    return {
        view: Altered(
            _drawn(concatenate(*parts), most[view[1]], seed, view),
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
