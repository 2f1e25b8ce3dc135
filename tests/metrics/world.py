"""Subjects made by hand: no model, no data, only what a model might have said."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from unlearn_core.metric import Outputs, Part, Subject, View

CLASSES = 4
FORGOTTEN = 2
PER_CLASS = {"train": 60, "audit": 30, "test": 20}
CERTAIN = 60.0


def outputs(logits, labels, features=None):
    return Outputs(logits.float(), (logits if features is None else features).float(), labels)


def joined(*parts):
    columns = zip(*((part.logits, part.features, part.labels) for part in parts), strict=True)
    return Outputs(*(torch.cat(column) for column in columns))


def labels_of(part: Part, *, forget: bool):
    kept = [label for label in range(CLASSES) if (label == FORGOTTEN) == forget]
    return torch.tensor(kept).repeat_interleave(PER_CLASS[part])


def noisy(labels, generator, *, signal=2.0):
    """Say something uncertain about each sample, right more often than not."""
    noise = torch.randn(len(labels), CLASSES, generator=generator)
    features = torch.randn(len(labels), 6, generator=generator) + labels[:, None] / 2
    return outputs(noise + signal * F.one_hot(labels, CLASSES), labels, features)


def saying(labels, said, features):
    """Say ``said`` of each sample with certainty."""
    return outputs(CERTAIN * F.one_hot(said, CLASSES), labels, features)


def ordinary(*, seed=0, sample_scope=False) -> Subject:
    """A model and a reference that differ a little everywhere."""
    generator = torch.Generator().manual_seed(seed)
    subject = Subject(CLASSES, (FORGOTTEN,), _views(generator, 3.0), _views(generator, 2.0))
    return in_sample_scope(subject) if sample_scope else subject


def in_sample_scope(subject: Subject) -> Subject:
    """Forget half of the training rows of one class and a few of another; held-out data have one side."""

    def views(found):
        rows = found["train", "retain"]
        few = Outputs(rows.logits[:9], rows.features[:9], rows.labels[:9])
        rest = Outputs(rows.logits[9:], rows.features[9:], rows.labels[9:])
        forget = found["train", "forget"]
        half = Outputs(forget.logits[::2], forget.features[::2], forget.labels[::2])
        other = Outputs(forget.logits[1::2], forget.features[1::2], forget.labels[1::2])
        held_out = {
            (part, "retain"): joined(found[part, "retain"], found[part, "forget"])
            for part in ("audit", "test")
        }
        return {("train", "forget"): joined(half, few), ("train", "retain"): joined(rest, other), **held_out}

    return replace(subject, forget_classes=(), views=views(subject.views), reference=views(subject.reference))


def indistinct() -> Subject:
    """Training and held-out samples are drawn alike, and the reference says exactly what the model says."""
    generator = torch.Generator().manual_seed(3)
    views: dict[View, Outputs] = {}
    for part in PER_CLASS:
        views[part, "forget"] = noisy(torch.full((400,), FORGOTTEN), generator)
        views[part, "retain"] = noisy(torch.tensor([0, 1, 3]).repeat(130), generator)
    return Subject(CLASSES, (FORGOTTEN,), views, views)


def separated() -> Subject:
    """The model is certain and right but for held-out forgotten samples; the reference says the opposite."""
    views: dict[View, Outputs] = {}
    reference: dict[View, Outputs] = {}
    for part in PER_CLASS:
        for side in ("forget", "retain"):
            labels = labels_of(part, forget=side == "forget")
            wrong = (labels + 1) % CLASSES
            knows = part == "train" or side == "retain"
            views[part, side] = saying(labels, labels if knows else wrong, F.one_hot(labels, CLASSES))
            # Its features show every class but call the forgotten one by another's name when held out.
            shown = wrong if part != "train" and side == "forget" else labels
            reference[part, side] = saying(labels, wrong if knows else labels, F.one_hot(shown, CLASSES))
    return Subject(CLASSES, (FORGOTTEN,), views, reference)


def shuffled(subject: Subject, seed: int) -> Subject:
    """The same samples in another order, the same for the model and the reference."""
    generator = torch.Generator().manual_seed(seed)
    orders = {view: torch.randperm(len(said), generator=generator) for view, said in subject.views.items()}

    def reorder(views):
        return {
            view: Outputs(said.logits[orders[view]], said.features[orders[view]], said.labels[orders[view]])
            for view, said in views.items()
        }

    return replace(subject, views=reorder(subject.views), reference=reorder(subject.reference))


def emptied(subject: Subject, view: View) -> Subject:
    """The same, with nothing in one view."""
    nothing = Outputs(torch.zeros(0, CLASSES), torch.zeros(0, 6), torch.zeros(0, dtype=torch.int64))
    return replace(
        subject, views={**subject.views, view: nothing}, reference={**subject.reference, view: nothing}
    )


def _views(generator, signal) -> dict[View, Outputs]:
    return {
        (part, side): noisy(labels_of(part, forget=side == "forget"), generator, signal=signal)
        for part in PER_CLASS
        for side in ("forget", "retain")
    }
