"""Subjects made by hand: no model, no data, only outputs that a model might have."""

from dataclasses import replace
from typing import Any, get_args

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from unlearn_core.conformance.observed import (
    MODELS,
    curve,
    ensembles,
    inside,
    shadows,
    shuffled_depths,
)
from unlearn_core.metric import Observation, Outputs, Part, Side, Subject, View
from unlearn_core.observations import Depths, Ensembles, Margins, Relearning, Shadows, WeightDistances

CLASSES = 4
FORGOTTEN_CLASS = 2
PER_CLASS: dict[Part, int] = {"train": 60, "audit": 30, "test": 20, "altered": 25}
_SIDES: tuple[Side, ...] = get_args(Side)
CERTAIN = 60.0
OPTIONAL = tuple(name for name in get_args(Observation) if name != "views")
"""What a subject may lack."""

Views = dict[View, Outputs]


def outputs(logits: Tensor, labels: Tensor, features: Tensor | None = None) -> Outputs:
    """Return outputs with these logits; if no features are given, the logits are the features."""
    return Outputs(logits.float(), (logits if features is None else features).float(), labels)


def rows_of(said: Outputs, rows: slice | Tensor) -> Outputs:
    """Return only some rows of the outputs."""
    return Outputs(said.logits[rows], said.features[rows], said.labels[rows])


def labels_of(part: Part, *, forget: bool) -> Tensor:
    """Return as many labels of each class as the part has."""
    kept = [label for label in range(CLASSES) if (label == FORGOTTEN_CLASS) == forget]
    return torch.tensor(kept).repeat_interleave(PER_CLASS[part])


def noisy(labels: Tensor, generator: Generator, *, signal: float = 2.0) -> Outputs:
    """Return uncertain outputs for each sample, right more often than not."""
    noise = torch.randn(len(labels), CLASSES, generator=generator)
    features = torch.randn(len(labels), 6, generator=generator) + labels[:, None] / 2
    return outputs(noise + signal * F.one_hot(labels, CLASSES), labels, features)


def saying(labels: Tensor, said: Tensor, features: Tensor | None = None) -> Outputs:
    """Return outputs that say ``said`` of each sample with certainty."""
    shown = labels[:, None] if features is None else features
    return outputs(CERTAIN * F.one_hot(said, CLASSES), labels, shown)


def ordinary(*, seed: int = 0, sample_scope: bool = False) -> Subject:
    """Return a model, two references and everything else that can be observed, each a little different."""
    generator = torch.Generator().manual_seed(seed)
    model, reference, floor = (_views(generator, signal) for signal in (3.0, 2.0, 2.1))
    original = _views(torch.Generator().manual_seed(seed + 1000), 3.2)
    subject = Subject(CLASSES, (FORGOTTEN_CLASS,), model, reference, floor, original)
    if sample_scope:
        subject = in_sample_scope(subject)
    return replace(
        subject,
        untrained=noisy(subject.views["train", "forget"].labels, generator, signal=0.0),
        depths=Depths(*(inside(subject, seed=seed + more, signal=1.0 - more / 2) for more in (0, 1))),
        relearning=Relearning(curve((0.0, 0.4, 0.8, 1.0)), 0.98, curve((0.0, 0.0, 0.1, 0.5, 0.8, 0.9, 1.0))),
        new_head=Relearning(curve((0.0, 0.3, 0.6)), 0.98, curve((0.0, 0.0, 0.2, 0.4, 0.5))),
        weights=WeightDistances(0.5, {"body.0": 0.4, "Head": 0.8}, WeightDistances(0.9, {"body.0": 1.1})),
        shadows=shadows(generator, signal=1.0),
        ensembles=ensembles(generator, subject, signal=1.0),
    )


def in_sample_scope(subject: Subject) -> Subject:
    """Forget half of the training rows of one class and a few of another; held-out data have one side.

    As many held-out rows of the same classes stand for canaries that were held out.

    Args:
        subject: A subject in class scope.

    Returns:
        One in sample scope.
    """
    changed: dict[str, Any] = {name: _in_sample_scope(found) for name, found in _views_of(subject).items()}
    # The reference knows as little of forgotten samples as an untrained net does, wherever that matters here.
    changed["untrained"] = changed["reference"]["train", "forget"]
    return replace(subject, forget_classes=(), **changed)


def _in_sample_scope(found: Views) -> Views:
    rows, forget = found["train", "retain"], found["train", "forget"]
    return {
        ("train", "forget"): rows_of(forget, slice(None, None, 2)).joined(rows_of(rows, slice(9))),
        ("train", "retain"): rows_of(rows, slice(9, None)).joined(rows_of(forget, slice(1, None, 2))),
        ("canary", "retain"): rows_of(found["audit", "forget"], slice(None, None, 2)).joined(
            rows_of(found["audit", "retain"], slice(9))
        ),
        ("audit", "retain"): found["audit", "retain"].joined(found["audit", "forget"]),
        ("test", "retain"): found["test", "retain"].joined(found["test", "forget"]),
        ("altered", "forget"): found["altered", "forget"].joined(
            rows_of(found["altered", "retain"], slice(9))
        ),
        ("altered", "retain"): rows_of(found["altered", "retain"], slice(9, None)),
    }


def indistinct() -> Subject:
    """Return a model to which training and held-out samples are alike; every other model says the same."""
    generator = torch.Generator().manual_seed(3)
    views: Views = {}
    for part in PER_CLASS:
        views[part, "forget"] = noisy(torch.full((400,), FORGOTTEN_CLASS), generator)
        views[part, "retain"] = noisy(torch.tensor([0, 1, 3]).repeat_interleave(130), generator)
    same = curve((0.0, 0.5, 1.0))
    inner = inside(Subject(CLASSES, (FORGOTTEN_CLASS,), views), seed=0, signal=1.0)
    margins: dict[View, Margins] = {
        ("train", "forget"): torch.randn(MODELS, 40, generator=generator).double().numpy()
    }
    return Subject(
        CLASSES,
        (FORGOTTEN_CLASS,),
        views,
        reference=views,
        floor=views,
        original=views,
        untrained=views["train", "forget"],
        depths=Depths(inner, inner),
        relearning=Relearning(same, 1.0, same),
        new_head=Relearning(same, 1.0, same),
        weights=WeightDistances(0.0, {"head": 0.0}, WeightDistances(0.0, {"head": 0.0})),
        shadows=shadows(generator, signal=0.0, samples=800),
        ensembles=Ensembles(margins, margins),
    )


def separated() -> Subject:
    """Return a model that is certain, and right but for held-out forgotten samples; the reference differs."""
    views: Views = {}
    reference: Views = {}
    for part in PER_CLASS:
        for side in _SIDES:
            labels = labels_of(part, forget=side == "forget")
            wrong = (labels + 1) % CLASSES
            knows = part == "train" or side == "retain"
            views[part, side] = saying(labels, labels if knows else wrong, F.one_hot(labels, CLASSES))
            # Its features show every class but call the forgotten one by another's name when held out.
            shown = wrong if part != "train" and side == "forget" else labels
            reference[part, side] = saying(labels, wrong if knows else labels, F.one_hot(shown, CLASSES))
    generator = torch.Generator().manual_seed(5)
    zeros = torch.zeros(MODELS, 10).double().numpy()
    seen = Subject(CLASSES, (FORGOTTEN_CLASS,), views)
    clear, blurred = (inside(seen, seed=5, signal=signal) for signal in (50.0, 0.0))
    return Subject(
        CLASSES,
        (FORGOTTEN_CLASS,),
        views,
        reference,
        floor=views,
        original=views,
        untrained=reference["train", "forget"],
        depths=Depths(clear, blurred),
        relearning=Relearning(curve((0.0,) * 9), 1.0, curve((0.0, 0.0, 0.0, 0.0, 1.0))),
        new_head=Relearning(curve((0.0, 0.0, 0.6)), 1.0, curve((0.0, 0.0, 0.0, 0.0, 1.0))),
        weights=WeightDistances(1.0, {"head": 1.0}),
        shadows=shadows(generator, signal=50.0),
        ensembles=Ensembles({("train", "forget"): zeros + 50}, {("train", "forget"): zeros}),
    )


def shuffled(subject: Subject, seed: int) -> Subject:
    """Return the same samples in a different order, the same for every model.

    Args:
        subject: A subject.
        seed: Says which order.

    Returns:
        Another subject, for which every metric must give the same.
    """
    generator = torch.Generator().manual_seed(seed)
    orders = {view: torch.randperm(len(said), generator=generator) for view, said in subject.views.items()}
    changed: dict[str, Any] = {
        name: {view: rows_of(said, orders[view]) for view, said in found.items()}
        for name, found in _views_of(subject).items()
    }
    if subject.untrained is not None:
        changed["untrained"] = rows_of(subject.untrained, orders["train", "forget"])
    if subject.depths is not None and subject.depths.reference is not None:
        changed["depths"] = shuffled_depths(subject.depths.model, subject.depths.reference, generator)
    if (attacked := subject.shadows) is not None:
        order = torch.randperm(len(attacked.target), generator=generator).numpy()
        changed["shadows"] = Shadows(
            attacked.inside[:, order],
            attacked.outside[:, order],
            attacked.target[order],
            attacked.member[order],
        )
    if (many := subject.ensembles) is not None:
        unlearned, retrained = (
            {view: margins[:, orders[view].numpy()] for view, margins in kind.items()}
            for kind in (many.unlearned, many.retrained)
        )
        changed["ensembles"] = Ensembles(unlearned, retrained)
    return replace(subject, **changed)


def emptied(subject: Subject, view: View) -> Subject:
    """Return the same, with nothing in one view."""
    nothing = Outputs(torch.zeros(0, CLASSES), torch.zeros(0, 6), torch.zeros(0, dtype=torch.int64))
    changed: dict[str, Any] = {name: {**found, view: nothing} for name, found in _views_of(subject).items()}
    return replace(subject, **changed)


def _views_of(subject: Subject) -> dict[str, Views]:
    """Return what several models say of the views, by the field's name."""
    found = {name: getattr(subject, name) for name in ("views", "reference", "floor", "original")}
    return {name: views for name, views in found.items() if views is not None}


def _views(generator: Generator, signal: float) -> Views:
    aside = torch.Generator().manual_seed(generator.initial_seed() + round(100 * signal))
    return {
        (part, side): noisy(
            labels_of(part, forget=side == "forget"),
            aside if part == "altered" else generator,
            signal=signal,
        )
        for part in PER_CLASS
        for side in _SIDES
    }
