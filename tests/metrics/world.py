"""Subjects made by hand for what single metrics look at, beside those that all metrics are run on."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from unlearn_core.conformance.subjects import (
    CLASSES,
    FORGOTTEN_CLASS,
    in_sample_scope,
    outputs,
    saying,
    separated,
)
from unlearn_core.metric import Subject


def suppressed() -> Subject:
    """The forgotten class has no probability anywhere, and everything else has all of it."""
    subject = separated()
    labels = {view: said.labels for view, said in subject.views.items()}
    views = {
        view: saying(label, label if view[1] == "retain" else (label + 1) % CLASSES)
        for view, label in labels.items()
    }
    return replace(subject, views=views)


def memorised() -> Subject:
    """Both models are certain, and right of what they saw alone; the model saw what is forgotten."""
    subject = separated()
    labels = {view: said.labels for view, said in subject.views.items()}
    views = {
        view: saying(label, label if view[0] == "train" else (label + 1) % CLASSES)
        for view, label in labels.items()
    }
    forgotten = labels["train", "forget"]
    unaware = {**views, ("train", "forget"): saying(forgotten, (forgotten + 1) % CLASSES)}
    return replace(subject, views=views, reference=unaware)


def remembered() -> Subject:
    """Every planted canary is known with certainty, and no held-out one."""
    return in_sample_scope(memorised())


def confused() -> Subject:
    """Two classes are called by each other's name when held out, and by the recorded one when forgotten."""
    subject = in_sample_scope(separated())
    first, second = subject.views["train", "forget"].labels.unique().tolist()

    def swapped(labels):
        return torch.where(labels == first, second, torch.where(labels == second, first, labels))

    def views(*, wrong):
        return {
            view: saying(said.labels, swapped(said.labels) if (view[0] != "train") == wrong else said.labels)
            for view, said in subject.views.items()
        }

    return replace(subject, views=views(wrong=True), reference=views(wrong=False))


def carried() -> Subject:
    """Retained images look more or less like the forgotten class, and the model's features say how much.

    The original's logits are its features, and so are the model's; the reference takes the class for another.
    """
    subject = separated()
    generator = torch.Generator().manual_seed(7)
    views = {
        view: _standing_for(said.labels, FORGOTTEN_CLASS, generator) for view, said in subject.views.items()
    }
    reference = {view: _standing_for(said.labels, 0, generator) for view, said in subject.views.items()}
    reference["train", "retain"] = views["train", "retain"]
    return replace(subject, views=views, original=views, reference=reference)


def _standing_for(labels, taken_for, generator):
    """Return features that point to each label, the forgotten class's to what it is taken for."""
    shown = torch.where(labels == FORGOTTEN_CLASS, taken_for, labels)
    features = 10 * F.one_hot(shown, CLASSES) + torch.randn(len(labels), CLASSES, generator=generator)
    return outputs(features, labels)
