"""Importance of weights by gradients: equal to the obvious loops, and nothing left behind."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from world import ARCHITECTURE, blobs

from unlearn_core.importance import fisher_diagonal, highest, marked_coverage, saliency
from unlearn_core.models import build_seeded


def net():
    return build_seeded(ARCHITECTURE, 0)


def gradient(model, inputs, labels):
    """Return the gradient of the mean loss the way a beginner takes it."""
    model.eval().zero_grad()
    F.cross_entropy(model(inputs), labels).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("size", [1, 5, 12])
def test_the_fisher_diagonal_is_the_mean_squared_gradient_of_batches(size):
    samples, model = blobs(12), net()
    squares = [
        {name: slope**2 for name, slope in gradient(model, inputs, labels).items()}
        for inputs, labels in zip(samples.inputs.split(size), samples.labels.split(size), strict=True)
    ]
    for name, found in fisher_diagonal(net(), samples, batch_size=size).items():
        torch.testing.assert_close(found, torch.stack([one[name] for one in squares]).mean(0))


@pytest.mark.parametrize("size", [1, 5, 100])
def test_saliency_is_the_size_of_the_whole_gradient_whatever_the_batches(size):
    samples = blobs(12)
    whole = gradient(net(), samples.inputs, samples.labels)
    for name, found in saliency(net(), samples, batch_size=size).items():
        torch.testing.assert_close(found, whole[name].abs(), atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("measure", [fisher_diagonal, saliency])
def test_the_model_is_left_as_it_was_found(measure):
    model = net().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measure(model, blobs(6), batch_size=2)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(module.training for module in model.modules())


class Idle(nn.Module):
    """A net with a weight that it does not use."""

    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Linear(64, 3), nn.Linear(2, 2)

    def forward(self, x):
        return self.used(x.flatten(1))


@pytest.mark.parametrize("measure", [fisher_diagonal, saliency])
def test_a_weight_that_is_not_used_does_not_matter(measure):
    found = measure(Idle(), blobs(6), batch_size=2)
    assert found["idle.weight"].eq(0).all()
    assert found["used.weight"].gt(0).any()


@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    share=st.floats(0.01, 1),
    levels=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_exactly_the_share_is_marked_and_no_higher_score_is_left_out(sizes, share, levels, seed):
    draw = torch.Generator().manual_seed(seed)
    scores = {
        str(n): torch.randint(levels, (size, 2), generator=draw).float() for n, size in enumerate(sizes)
    }
    marks = highest(scores, share)
    joined, marked = (torch.cat([t.flatten() for t in d.values()]) for d in (scores, marks))
    assert int(marked.sum()) == int(share * len(joined))
    if marked.any() and not marked.all():
        assert joined[marked].min() >= joined[~marked].max()


def test_the_coverage_counts_what_was_marked():
    marks = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in net().named_parameters()}
    marks["head.weight"][0] = True
    entries = {entry.parameter: entry for entry in marked_coverage(net(), marks).parameters}
    assert entries["head.weight"].treatment == "trained"
    assert entries["head.weight"].reason == "64 of its 192 weights were selected"
    assert entries["head.weight"].frozen == 128
    assert entries["stem.weight"].treatment == "frozen"
