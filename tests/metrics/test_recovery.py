"""What retained data and the original's logits bring back of a class that no map was shown."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.recovery import Recovery

from . import known, world


def values(subject, **given):
    return {entry.name: entry.value for entry in Recovery(**given).measure(subject, seed=0)}


def random_subject(seed):
    """Return a model, an original and a reference whose features say something of their logits."""
    generator = torch.Generator().manual_seed(seed)

    def views():
        mixing = torch.randn(subjects.CLASSES, 6, generator=generator)
        found = {}
        for view, said in subjects.separated().views.items():
            logits = said.logits / 20 + torch.randn(said.logits.shape, generator=generator)
            features = logits @ mixing + 0.3 * torch.randn(len(said), 6, generator=generator)
            found[view] = subjects.outputs(logits, said.labels, features)
        return found

    return replace(subjects.separated(), views=views(), original=views(), reference=views())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_closed_form_is_what_least_squares_class_by_class_gives(seed):
    subject = random_subject(seed)
    assert values(subject) == pytest.approx(known.naive_recovery(subject), abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_place_of_features_and_a_constant_on_the_logits_do_not_matter(seed, scale, shift):
    subject = random_subject(seed)
    moved, raised = (
        {
            view: subjects.outputs(
                said.logits + shift * up, said.labels, scale * said.features + shift * aside
            )
            for view, said in found.items()
        }
        for found, up, aside in ((subject.views, 0, 1), (subject.original, 1, 0))
    )
    assert values(replace(subject, views=moved, original=raised)) == pytest.approx(values(subject), abs=0.03)


def test_new_head_on_untouched_features_is_seen_through_and_a_retrained_model_is_not():
    subject = world.carried()
    silenced = {
        view: subjects.outputs(
            said.logits - 1000 * (torch.arange(subjects.CLASSES) == subjects.FORGOTTEN_CLASS),
            said.labels,
            said.features,
        )
        for view, said in subject.views.items()
    }
    found = values(replace(subject, views=silenced))
    assert found == {"recovery.accuracy": 1, "recovery.gap": 1}


def test_no_forgotten_image_takes_part_in_the_fit():
    subject = world.carried()
    other = subjects.saying(*(subject.views["train", "forget"].labels,) * 2)
    views = {**subject.views, ("train", "forget"): other}
    assert values(replace(subject, views=views)) == values(subject)


def test_feature_that_is_the_same_for_all_images_does_not_matter():
    subject = world.carried()
    views = {
        view: subjects.outputs(
            said.logits, said.labels, torch.cat([said.features, torch.ones(len(said), 1)], 1)
        )
        for view, said in subject.views.items()
    }
    assert values(replace(subject, views=views)) == values(subject)


def test_original_on_other_images_is_refused_by_name():
    subject = world.carried()
    with pytest.raises(UsageError, match=r"original was not observed on the samples of train\.retain"):
        values(
            replace(subject, original=subjects.shuffled(replace(subject, ensembles=None), seed=1).original)
        )
