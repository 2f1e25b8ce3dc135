"""Second moments of an earlier model: what is subtracted from them must be seen by that model."""

import pytest
import torch
from world import ARCHITECTURE, blobs, same_weights

from unlearn_core.errors import MomentsError
from unlearn_core.method import Materials, Need
from unlearn_core.methods.pgu import Pgu
from unlearn_core.models import build_seeded
from unlearn_core.moments import add, collect
from unlearn_core.unlearning import unlearn

METHOD = Pgu(retained_variance=0.8, lr_start=0.05, stop_after=1)


@pytest.fixture(scope="module")
def earlier():
    return build_seeded(ARCHITECTURE, 0).eval()


@pytest.fixture(scope="module")
def later():
    """The same net after its first layers have changed."""
    model = build_seeded(ARCHITECTURE, 0).eval()
    with torch.no_grad():
        model.stem.weight.mul_(1.5)
    return model


@pytest.fixture(scope="module")
def carried(earlier):
    samples = blobs()
    return Materials(
        scope="classes",
        classes=(0,),
        forget=samples.of_classes((0,)),
        moments=collect(earlier, samples),
        moments_model=earlier,
    )


def test_forgotten_data_is_seen_by_the_model_that_the_moments_are_of(earlier, later, carried):
    retained = collect(earlier, blobs().of_classes((0,), exclude=True))
    # Moments at the later weights whose difference from the forgotten data's is what was carried.
    at_later = add(retained, collect(later, carried.forget))
    same = Materials("classes", classes=(0,), forget=carried.forget, moments=at_later)
    first, second = (unlearn(METHOD, later, one, seed=0).model for one in (carried, same))
    for mine, theirs in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


def test_seen_by_a_later_model_it_is_refused(later, carried):
    forgetful = Materials("classes", classes=(0,), forget=carried.forget, moments=carried.moments)
    with pytest.raises(MomentsError, match="Collect both at the same weights"):
        unlearn(METHOD, later, forgetful, seed=0)


def test_the_earlier_model_stays_as_it_was(earlier, later, carried):
    unlearn(METHOD, later, carried, seed=0)
    assert same_weights(earlier, build_seeded(ARCHITECTURE, 0))


def test_the_earlier_model_is_handed_on_with_the_moments_alone(earlier, carried):
    assert carried.only(frozenset({Need.MOMENTS})).moments_model is earlier
    assert carried.only(frozenset({Need.FORGET})).moments_model is None


def test_without_an_earlier_model_the_given_one_sees(later):
    assert Materials("classes").observer(later) is later
