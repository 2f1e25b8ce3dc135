"""Large views are drawn, small ones shown whole, and altered ones are the model's own."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearn_core import viewing
from unlearn_core.data import Samples
from unlearn_core.records.policy import Band
from unlearn_core.viewing import (
    FEWEST_SHOWN,
    LARGEST_VIEW,
    Altered,
    altered_views,
    counts_for,
    moved_a_little,
    sampled,
)


def images(count=12, *, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Samples(torch.rand(count, 2, size, size, generator=generator), torch.arange(count) % 3)


def rows(count):
    return Samples(torch.arange(count)[:, None], torch.zeros(count, dtype=torch.int64))


def whole():
    sizes = {("train", "forget"): 9, ("audit", "forget"): 6, ("test", "forget"): 3, ("audit", "retain"): 12}
    return {view: images(count, seed=count) for view, count in sizes.items()}


def shown(views, **settings):
    found = altered_views(whole() if views is None else views, None, **settings)
    return {view: next(altered.batches(100)) for view, altered in found.items()}


def band(measurement, width):
    return Band(
        measurement=measurement,
        below=width,
        above=1.0,
        below_means="over_forgotten",
        above_means="under_forgotten",
    )


def test_view_that_is_not_too_large_is_shown_whole_and_in_order():
    samples = rows(1200)
    for counts in ({"retain": 1200}, None):
        assert sampled({("test", "retain"): samples}, counts, seed=1)["test", "retain"] is samples


def test_larger_view_is_drawn_without_repetition_the_same_way_for_every_model():
    views = {("train", side): rows(1500) for side in ("forget", "retain")}
    counts = {"forget": 1100, "retain": 1100}
    first, again, other = (sampled(views, counts, seed=seed) for seed in (1, 1, 2))
    drawn = {view: samples.inputs[:, 0] for view, samples in first.items()}
    for view, found in drawn.items():
        assert len(found.unique()) == 1100
        assert found.equal(again[view].inputs[:, 0])
        assert not found.equal(other[view].inputs[:, 0])
    assert not drawn["train", "forget"].equal(drawn["train", "retain"])


def test_view_of_many_classes_is_shown_by_a_hundred_of_each_at_most():
    for classes, expected in ((3, 1000), (20, 2000), (900, LARGEST_VIEW)):
        view = Samples(torch.arange(6000)[:, None], torch.arange(6000) % classes)
        found = sampled({("train", "retain"): view}, {"retain": 1000}, seed=1)
        assert len(found["train", "retain"]) == expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [(0.03, 1068), (0.02, 2401), (0.1, FEWEST_SHOWN), (0.001, LARGEST_VIEW), (0.0, LARGEST_VIEW)],
)
def test_narrower_band_takes_more_samples(width, expected):
    bands = [band("accuracy.audit.retain", width), band("loss.train.retain", 1e-6)]
    assert counts_for(bands) == {"forget": LARGEST_VIEW, "retain": expected}


def test_narrowest_band_of_a_side_counts():
    bands = [band("accuracy.test.forget", 0.3), band("confidence.true_class.train.forget", 0.025)]
    assert counts_for([*bands, band("accuracy.test.forget", 0.2)])["forget"] == 1537


def test_so_many_samples_tell_a_gap_to_within_the_band():
    count = counts_for([band("accuracy.audit.retain", 0.03)])["retain"]
    generator = torch.Generator().manual_seed(0)
    # One of two models is right on a quarter of the samples, each of the two equally often.
    drawn = torch.rand(4000, count, generator=generator)
    gaps = ((drawn < 0.125).double() - (drawn > 0.875).double()).mean(1)
    assert float((gaps.abs() <= 0.03).double().mean()) == pytest.approx(0.95, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 500), st.integers(2, 40), st.integers(2, 40))
def test_each_image_is_moved_by_at_most_a_sixteenth_and_its_edges_are_repeated(seed, height, width):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(5, 1, height, width, generator=generator)
    moved = moved_a_little(inputs, generator)
    reach = max(1, min(height, width) // 16)
    for image, found in zip(inputs, moved, strict=True):
        assert any(
            found.equal(by_hand(image, down, right))
            for down in range(-reach, reach + 1)
            for right in range(-reach, reach + 1)
        )


def by_hand(image, down, right):
    """Move an image; beyond its edges are its edges."""
    _, height, width = image.shape
    rows = [min(max(row + down, 0), height - 1) for row in range(height)]
    columns = [min(max(column + right, 0), width - 1) for column in range(width)]
    return image[:, rows][:, :, columns]


def test_noise_is_a_twentieth_of_the_views_deviation():
    samples = Samples(7 + 3 * torch.randn(400, 50), torch.zeros(400, dtype=torch.int64))
    noise = next(Altered(samples, seed=4).batches(400)).inputs - samples.inputs
    assert float(noise.std()) == pytest.approx(0.05 * float(samples.inputs.std()), rel=0.03)
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)


def test_numbers_that_are_no_measures_stay_as_they_are():
    assert next(Altered(rows(5), seed=1).batches(9)).inputs.equal(rows(5).inputs)


def test_every_model_sees_the_same_samples_altered_otherwise_and_the_same_way_every_time():
    first, again, other = (shown(None, seed=1, weights=weights) for weights in ("a", "a", "b"))
    assert first.keys() == {("altered", "forget"), ("altered", "retain")}
    for view, batch in first.items():
        assert batch.inputs.equal(again[view].inputs)
        assert batch.labels.equal(other[view].labels)
        assert not batch.inputs.isclose(other[view].inputs, atol=1e-3).flatten(1).all(1).any()


def test_altered_views_are_of_held_out_samples_and_in_sample_scope_of_the_forgotten_ones():
    views = whole()
    assert len(shown(views, seed=1, weights="a")["altered", "forget"]) == 6 + 3
    samples = {view: views[view] for view in (("train", "forget"), ("audit", "retain"))}
    found = shown(samples, seed=1, weights="a")
    assert {view: len(batch) for view, batch in found.items()} == {
        ("altered", "forget"): 9,
        ("altered", "retain"): 12,
    }


def test_no_more_samples_are_altered_than_stated(monkeypatch):
    monkeypatch.setattr(viewing, "LARGEST_ALTERED_VIEW", 4)
    first, other = (shown(None, seed=1, weights=weights) for weights in ("a", "b"))
    assert all(len(batch) == 4 for batch in first.values())
    assert all(batch.labels.equal(other[view].labels) for view, batch in first.items())
