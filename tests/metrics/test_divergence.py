"""Divergence needs a reference on the same samples."""

from dataclasses import replace

import pytest

from unlearn_core.conformance import subjects
from unlearn_core.errors import UsageError
from unlearn_core.metrics.divergence import Divergence


def test_without_a_reference_nothing_is_measured():
    assert Divergence().measure(replace(subjects.ordinary(), reference=None), seed=0) == ()


def test_model_and_reference_can_change_places():
    subject = replace(subjects.ordinary(), floor=None)
    mirrored = replace(subject, views=subject.reference, reference=subject.views)
    forth, back = (Divergence().measure(one, seed=0) for one in (subject, mirrored))
    assert [entry.value for entry in forth] == pytest.approx([entry.value for entry in back])


@pytest.mark.parametrize(
    "other", [subjects.shuffled(subjects.ordinary(), seed=1).views, {}], ids=["shuffled", "absent"]
)
def test_reference_on_other_samples_is_refused(other):
    with pytest.raises(UsageError, match=r"train\.retain|train\.forget"):
        Divergence().measure(replace(subjects.ordinary(), reference=other), seed=0)


def test_floor_is_the_divergence_of_the_two_references():
    subject = subjects.ordinary()
    between = Divergence().measure(subject.retrained(), seed=0)
    found = {entry.name: entry.value for entry in Divergence().measure(subject, seed=0)}
    for entry in between:
        assert found[entry.name.replace("js.", "js.floor.")] == entry.value
