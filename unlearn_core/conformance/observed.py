"""Curves, margins and inner features made by hand, as they might be observed of models."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from unlearn_core.metric import Subject
from unlearn_core.observations import (
    HELD_OUT,
    Depths,
    Ensembles,
    InnerFeatures,
    RelearnCurve,
    Shadows,
)

SHADOWS, MODELS, ATTACKED = 8, 12, 60
POINTS, CHANNELS = 3, 5


def curve(accuracy: Sequence[float], *, limit: int = 20) -> RelearnCurve:
    """Return a curve of relearning that was measured after every step."""
    return RelearnCurve(steps=tuple(range(len(accuracy))), accuracy=tuple(accuracy), limit=limit, samples=50)


def shadows(generator: Generator, *, signal: float, count: int = SHADOWS, samples: int = ATTACKED) -> Shadows:
    """Return margins; half of the samples were seen, those that unlearned one are higher by ``signal``."""
    member = torch.arange(samples) % 2 == 0
    base = 2 * torch.randn(samples, generator=generator).double()
    inside, outside = (
        base + shift + torch.randn(count, samples, generator=generator).double() for shift in (signal, 0.0)
    )
    target = base + signal * member + torch.randn(samples, generator=generator).double()
    return Shadows(inside.numpy(), outside.numpy(), target.numpy(), member.numpy())


def ensembles(generator: Generator, subject: Subject, *, signal: float) -> Ensembles:
    """Return margins of a dozen models of each kind; those of unlearned models are higher by ``signal``."""
    kinds = [
        {
            view: (shift + torch.randn(MODELS, len(said), generator=generator).double()).numpy()
            for view, said in subject.views.items()
            if view in subject.shared_views()
        }
        for shift in (signal, 0.0)
    ]
    return Ensembles(unlearned=kinds[0], retrained=kinds[1])


def inside(subject: Subject, *, seed: int, signal: float) -> InnerFeatures:
    """Return features at three depths that say more of a sample's class the greater the signal is."""
    generator = torch.Generator().manual_seed(seed)
    held_out = [subject.views[view].labels for view in HELD_OUT if view in subject.views]
    forgotten, retained = (subject.views["train", side].labels for side in ("forget", "retain"))
    fitted = torch.cat([retained, forgotten]) if held_out else retained
    judged = torch.cat(held_out) if held_out else forgotten

    def said(labels: Tensor) -> Tensor:
        noise = torch.randn(len(labels), CHANNELS, generator=generator)
        return noise + signal * F.one_hot(labels, CHANNELS)

    return InnerFeatures(
        fitted=tuple(said(fitted) for _ in range(POINTS)),
        judged=tuple(said(judged) for _ in range(POINTS)),
        fitted_labels=fitted,
        judged_labels=judged,
    )


def shuffled_depths(model: InnerFeatures, reference: InnerFeatures, generator: Generator) -> Depths:
    """Return what two models compute inside for the same samples in a different order."""
    fitted = torch.randperm(len(model.fitted_labels), generator=generator)
    judged = torch.randperm(len(model.judged_labels), generator=generator)
    return Depths(
        *(
            InnerFeatures(
                fitted=tuple(rows[fitted] for rows in inner.fitted),
                judged=tuple(rows[judged] for rows in inner.judged),
                fitted_labels=inner.fitted_labels[fitted],
                judged_labels=inner.judged_labels[judged],
            )
            for inner in (model, reference)
        )
    )
