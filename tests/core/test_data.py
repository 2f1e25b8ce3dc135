"""Samples, batches in a seeded order, and images as numbers."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unlearn_core.data import Samples, balanced, concatenate, decode, normalise
from unlearn_core.errors import UsageError
from unlearn_core.records.data import Normalisation


def numbered(count):
    """Return samples whose inputs say their own row."""
    rows = torch.arange(count)
    return Samples(rows.float()[:, None, None, None], rows % 3)


def rows(samples):
    return samples.inputs.flatten().int().tolist()


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 40), st.integers(1, 10), st.none() | st.integers(0, 9))
def test_batches_are_every_sample_once_and_all_but_the_last_are_full(count, size, seed):
    generator = None if seed is None else seeded(seed)
    batches = list(numbered(count).batches(size, generator=generator))
    assert sorted(row for batch in batches for row in rows(batch)) == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])


def test_without_a_generator_the_order_is_kept():
    assert [rows(batch) for batch in numbered(5).batches(2)] == [[0, 1], [2, 3], [4]]


def test_the_order_is_the_seeds():
    orders = [[rows(b) for b in numbered(50).batches(7, generator=seeded(seed))] for seed in (1, 1, 2)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_inputs_and_labels_stay_together():
    for batch in numbered(30).batches(4, generator=seeded(0)):
        assert [row % 3 for row in rows(batch)] == batch.labels.tolist()


def test_more_inputs_than_labels_are_refused_with_both_numbers():
    with pytest.raises(UsageError, match="3 inputs came with 2 labels"):
        Samples(torch.zeros(3, 1, 2, 2), torch.zeros(2, dtype=torch.int64))


def test_a_subset_is_taken_by_index_or_by_mask():
    assert rows(numbered(4).subset(torch.tensor([3, 0]))) == [3, 0]
    assert rows(numbered(4).subset(torch.tensor([False, True, True, False]))) == [1, 2]


@pytest.mark.parametrize("classes", [(), (0,), (0, 2), (0, 1, 2), (7,)])
def test_samples_are_of_some_classes_or_of_the_others(classes):
    samples = numbered(9)
    inside, outside = samples.of_classes(classes), samples.of_classes(classes, exclude=True)
    assert rows(inside) == [row for row in range(9) if row % 3 in classes]
    assert sorted(rows(inside) + rows(outside)) == list(range(9))


def test_parts_are_put_together_in_order():
    whole = concatenate(numbered(2), numbered(3))
    assert (rows(whole), whole.labels.tolist()) == ([0, 1, 0, 1, 2], [0, 1, 0, 1, 2])


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 9))
def test_a_balanced_draw_has_as_many_of_each_class_as_there_are(count, per_class, seed):
    samples = numbered(count)
    drawn = balanced(samples, per_class, generator=seeded(seed))
    for label in range(3):
        there = int((samples.labels == label).sum())
        assert int((drawn.labels == label).sum()) == min(per_class, there)
    assert len(set(rows(drawn))) == len(drawn)


def test_a_balanced_draw_is_the_seeds():
    draws = [rows(balanced(numbered(60), 5, generator=seeded(seed))) for seed in (1, 1, 2)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def encoded(pixels, kind):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=kind)
    return stream.getvalue()


def test_grey_images_are_decoded_exactly():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 4), dtype=np.uint8)
    found = decode([encoded(image, "PNG") for image in pixels], channels=1)
    assert (found.dtype, found.shape) == (np.float32, (3, 1, 5, 4))
    np.testing.assert_array_equal(found[:, 0], pixels / np.float32(255))


def test_colours_come_first_of_the_dimensions_after_the_images():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    found = decode([encoded(image, "PNG") for image in pixels], channels=3)
    np.testing.assert_array_equal(found, pixels.transpose(0, 3, 1, 2) / np.float32(255))


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_of_the_other_kind_is_converted(channels):
    pixels = np.zeros((5, 4, 3) if channels == 1 else (5, 4), dtype=np.uint8)
    assert decode([encoded(pixels, "JPEG")], channels).shape == (1, channels, 5, 4)


def test_normalising_is_channel_by_channel():
    pixels = torch.rand(4, 2, 3, 3)
    found = normalise(pixels, Normalisation(mean=(0.5, 0.25), std=(0.5, 2.0)))
    torch.testing.assert_close(found[:, 0], (pixels[:, 0] - 0.5) / 0.5)
    torch.testing.assert_close(found[:, 1], (pixels[:, 1] - 0.25) / 2.0)
