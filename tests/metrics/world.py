"""Subjects made by hand: no model, no data, only what a model might have said."""

from dataclasses import replace

import torch
from torch.nn import functional as F

from unlearn_core.metric import Outputs, Part, Subject, View
from unlearn_core.observations import Ensembles, RelearnCurve, Relearning, Shadows, WeightDistances

CLASSES = 4
FORGOTTEN = 2
PER_CLASS = {"train": 60, "audit": 30, "test": 20}
CERTAIN = 60.0
SHADOWS, MODELS, ATTACKED = 8, 12, 60
OPTIONAL = ("reference", "floor", "original", "untrained", "relearning", "weights", "shadows", "ensembles")


def outputs(logits, labels, features=None):
    return Outputs(logits.float(), (logits if features is None else features).float(), labels)


def joined(*parts):
    columns = zip(*((part.logits, part.features, part.labels) for part in parts), strict=True)
    return Outputs(*(torch.cat(column) for column in columns))


def rows_of(said, rows):
    return Outputs(said.logits[rows], said.features[rows], said.labels[rows])


def labels_of(part: Part, *, forget: bool):
    kept = [label for label in range(CLASSES) if (label == FORGOTTEN) == forget]
    return torch.tensor(kept).repeat_interleave(PER_CLASS[part])


def noisy(labels, generator, *, signal=2.0):
    """Say something uncertain about each sample, right more often than not."""
    noise = torch.randn(len(labels), CLASSES, generator=generator)
    features = torch.randn(len(labels), 6, generator=generator) + labels[:, None] / 2
    return outputs(noise + signal * F.one_hot(labels, CLASSES), labels, features)


def saying(labels, said, features=None):
    """Say ``said`` of each sample with certainty."""
    shown = labels[:, None] if features is None else features
    return outputs(CERTAIN * F.one_hot(said, CLASSES), labels, shown)


def ordinary(*, seed=0, sample_scope=False) -> Subject:
    """A model, two references and everything else that can be observed, each a little different."""
    generator = torch.Generator().manual_seed(seed)
    model, reference, floor = (_views(generator, signal) for signal in (3.0, 2.0, 2.1))
    original = _views(torch.Generator().manual_seed(seed + 1000), 3.2)
    subject = Subject(CLASSES, (FORGOTTEN,), model, reference, floor, original)
    if sample_scope:
        subject = in_sample_scope(subject)
    return replace(
        subject,
        untrained=noisy(subject.views["train", "forget"].labels, generator, signal=0.0),
        relearning=Relearning(curve((0.0, 0.4, 0.8, 1.0)), 0.98, curve((0.0, 0.0, 0.1, 0.5, 0.8, 0.9, 1.0))),
        weights=WeightDistances(0.5, {"body.0": 0.4, "Head": 0.8}, WeightDistances(0.9, {"body.0": 1.1})),
        shadows=shadows(generator, signal=1.0),
        ensembles=ensembles(generator, subject, signal=1.0),
    )


def curve(accuracy, *, limit=20) -> RelearnCurve:
    """Look after every step."""
    return RelearnCurve(steps=tuple(range(len(accuracy))), accuracy=tuple(accuracy), limit=limit, samples=50)


def shadows(generator, *, signal, count=SHADOWS, samples=ATTACKED) -> Shadows:
    """Half of the samples were seen; who saw one and unlearned it has a margin higher by ``signal``."""
    member = torch.arange(samples) % 2 == 0
    base = 2 * torch.randn(samples, generator=generator).double()
    inside, outside = (
        base + shift + torch.randn(count, samples, generator=generator).double() for shift in (signal, 0.0)
    )
    target = base + signal * member + torch.randn(samples, generator=generator).double()
    return Shadows(inside.numpy(), outside.numpy(), target.numpy(), member.numpy())


def ensembles(generator, subject, *, signal) -> Ensembles:
    """Margins of a dozen models of each kind; those of unlearned models are higher by ``signal``."""
    kinds = [
        {
            view: (shift + torch.randn(MODELS, len(said), generator=generator).double()).numpy()
            for view, said in subject.views.items()
        }
        for shift in (signal, 0.0)
    ]
    return Ensembles(*kinds)


def in_sample_scope(subject: Subject) -> Subject:
    """Forget half of the training rows of one class and a few of another; held-out data have one side.

    As many held-out rows of the same classes stand for canaries that were held out.
    """

    def views(found):
        rows, forget = found["train", "retain"], found["train", "forget"]
        held_out = {
            (part, "retain"): joined(found[part, "retain"], found[part, "forget"])
            for part in ("audit", "test")
        }
        return {
            ("train", "forget"): joined(rows_of(forget, slice(None, None, 2)), rows_of(rows, slice(9))),
            ("train", "retain"): joined(rows_of(rows, slice(9, None)), rows_of(forget, slice(1, None, 2))),
            ("canary", "retain"): joined(
                rows_of(found["audit", "forget"], slice(None, None, 2)),
                rows_of(found["audit", "retain"], slice(9)),
            ),
            **held_out,
        }

    changed = {name: views(found) for name, found in _views_of(subject).items()}
    # The reference knows as little of forgotten samples as an untrained net does, wherever that matters here.
    changed["untrained"] = changed["reference"]["train", "forget"]
    return replace(subject, forget_classes=(), **changed)


def indistinct() -> Subject:
    """Training and held-out samples are drawn alike, and every other model says what the model says."""
    generator = torch.Generator().manual_seed(3)
    views: dict[View, Outputs] = {}
    for part in PER_CLASS:
        views[part, "forget"] = noisy(torch.full((400,), FORGOTTEN), generator)
        views[part, "retain"] = noisy(torch.tensor([0, 1, 3]).repeat_interleave(130), generator)
    same = curve((0.0, 0.5, 1.0))
    margins = {("train", "forget"): torch.randn(MODELS, 40, generator=generator).double().numpy()}
    return Subject(
        CLASSES,
        (FORGOTTEN,),
        views,
        reference=views,
        floor=views,
        original=views,
        untrained=views["train", "forget"],
        relearning=Relearning(same, 1.0, same),
        weights=WeightDistances(0.0, {"head": 0.0}, WeightDistances(0.0, {"head": 0.0})),
        shadows=shadows(generator, signal=0.0, samples=800),
        ensembles=Ensembles(margins, margins),
    )


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
    generator = torch.Generator().manual_seed(5)
    nought = torch.zeros(MODELS, 10).double().numpy()
    return Subject(
        CLASSES,
        (FORGOTTEN,),
        views,
        reference,
        floor=views,
        original=views,
        untrained=reference["train", "forget"],
        relearning=Relearning(curve((0.0,) * 9), 1.0, curve((0.0, 0.0, 0.0, 0.0, 1.0))),
        weights=WeightDistances(1.0, {"head": 1.0}),
        shadows=shadows(generator, signal=50.0),
        ensembles=Ensembles({("train", "forget"): nought + 50}, {("train", "forget"): nought}),
    )


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


def shuffled(subject: Subject, seed: int) -> Subject:
    """The same samples in another order, the same for every model."""
    generator = torch.Generator().manual_seed(seed)
    orders = {view: torch.randperm(len(said), generator=generator) for view, said in subject.views.items()}
    changed = {
        name: {view: rows_of(said, orders[view]) for view, said in found.items()}
        for name, found in _views_of(subject).items()
    }
    if subject.untrained is not None:
        changed["untrained"] = rows_of(subject.untrained, orders["train", "forget"])
    if (attacked := subject.shadows) is not None:
        order = torch.randperm(len(attacked.target), generator=generator).numpy()
        changed["shadows"] = Shadows(
            attacked.inside[:, order],
            attacked.outside[:, order],
            attacked.target[order],
            attacked.member[order],
        )
    if (many := subject.ensembles) is not None:
        changed["ensembles"] = Ensembles(
            *(
                {view: margins[:, orders[view].numpy()] for view, margins in kind.items()}
                for kind in (many.unlearned, many.retrained)
            )
        )
    return replace(subject, **changed)


def emptied(subject: Subject, view: View) -> Subject:
    """The same, with nothing in one view."""
    nothing = Outputs(torch.zeros(0, CLASSES), torch.zeros(0, 6), torch.zeros(0, dtype=torch.int64))
    changed = {name: {**found, view: nothing} for name, found in _views_of(subject).items()}
    return replace(subject, **changed)


def _views_of(subject: Subject):
    """Return what several models say of the views, by the field's name."""
    found = {name: getattr(subject, name) for name in ("views", "reference", "floor", "original")}
    return {name: views for name, views in found.items() if views is not None}


def _views(generator, signal) -> dict[View, Outputs]:
    return {
        (part, side): noisy(labels_of(part, forget=side == "forget"), generator, signal=signal)
        for part in PER_CLASS
        for side in ("forget", "retain")
    }
