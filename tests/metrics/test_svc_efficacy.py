"""Kodge's attack tells whether a class is treated like the others, and nothing of single samples."""

import torch

from unlearn_core.conformance import subjects
from unlearn_core.metric import Subject
from unlearn_core.metrics.svc_efficacy import SvcEfficacy


def measured(*, shown, **settings):
    """A model that was shown the class speaks of it as of the others; one that was not avoids it."""
    generator = torch.Generator().manual_seed(2)
    views = {}
    for part in ("train", "test"):
        kept = subjects.noisy(torch.tensor([0, 1, 3]).repeat(100), generator, signal=4.0)
        gone = subjects.noisy(
            torch.full((300,), subjects.FORGOTTEN_CLASS), generator, signal=4.0 if shown else -4.0
        )
        views |= {(part, "retain"): kept, (part, "forget"): gone}
    subject = Subject(subjects.CLASSES, (subjects.FORGOTTEN_CLASS,), views)
    return {entry.name: entry for entry in SvcEfficacy(**settings).measure(subject, seed=0)}


def test_attack_calls_a_class_forgotten_that_the_model_never_saw():
    found = measured(shown=False)
    assert found["svc_efficacy.forgotten.test.forget"].value > 0.95
    assert found["svc_efficacy.difference"].low > 0.8


def test_attack_is_at_chance_on_a_model_that_remembers_the_class():
    found = measured(shown=True)["svc_efficacy.difference"]
    assert found.low <= 0 <= found.high


def test_no_more_samples_are_fitted_than_stated():
    assert {entry.samples for entry in measured(shown=False, at_most=40).values()} == {40}


def test_more_retained_than_forgotten_samples_do_not_outvote_them():
    """With nine times as many retained samples, a class that is less sure is still told apart."""
    generator = torch.Generator().manual_seed(4)
    views = {
        (part, side): subjects.noisy(labels, generator, signal=signal)
        for part in ("train", "test")
        for side, labels, signal in (
            ("retain", torch.tensor([0, 1, 3]).repeat(120), 3.0),
            ("forget", torch.full((40,), subjects.FORGOTTEN_CLASS), 1.0),
        )
    }
    subject = Subject(subjects.CLASSES, (subjects.FORGOTTEN_CLASS,), views)
    found = {entry.name: entry.value for entry in SvcEfficacy().measure(subject, seed=0)}
    assert found["svc_efficacy.forgotten.test.forget"] > 0.6


def test_class_without_a_test_sample_is_not_measured():
    """A data set may hold out none of a rare class; everything else is still to be evaluated."""
    subject = subjects.ordinary()
    del subject.views["test", "forget"]
    assert SvcEfficacy().measure(subject, seed=0) == ()
