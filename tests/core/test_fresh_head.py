"""A new head is fitted on what it is shown, and changes nothing below it."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from world import accuracy, blobs, same_weights

from unlearn_core.errors import UsageError
from unlearn_core.evaluating import observe
from unlearn_core.fresh_head import DECAY, with_new_head
from unlearn_core.metric import Subject
from unlearn_core.metrics.activation import Activation
from unlearn_core.metrics.probe import Probe
from unlearn_core.metrics.recovery import Recovery

FORGOTTEN = 2


@pytest.fixture(scope="module")
def original():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    samples = blobs()
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(samples.inputs), samples.labels).backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module")
def retained():
    return blobs().of_classes((FORGOTTEN,), exclude=True)


def test_only_the_head_is_another_and_the_model_is_left_as_found(original, retained):
    before = copy.deepcopy(original)
    pupil = with_new_head(original, retained, batch_size=10)
    assert same_weights(original, before)
    assert all(parameter.requires_grad for parameter in pupil.parameters())
    for name, tensor in pupil.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name]) == (not name.startswith("3."))


def test_head_names_retained_classes_and_knows_nothing_of_the_others(original, retained):
    pupil = with_new_head(original, retained, batch_size=10)
    assert accuracy(pupil, retained) == 1
    assert not pupil[3].weight[FORGOTTEN].any()
    assert not pupil[3].bias[FORGOTTEN].any()
    assert pupil[3].weight.detach().sum(0).numpy() == pytest.approx(np.zeros(16), abs=1e-4)


def test_head_is_the_regularised_logistic_regression(retained, original):
    pupil = with_new_head(original, retained, batch_size=96)
    features = observe(original, retained, batch_size=96).features
    # Of two classes scikit-learn has one row of weights, the difference: half the decay weighs as much.
    expected = LogisticRegression(C=1 / (DECAY * len(retained)), tol=1e-8, max_iter=2000)
    expected.fit(features.numpy(), retained.labels.numpy())
    found = pupil[3].weight[1] - pupil[3].weight[0]
    assert found.detach().numpy() == pytest.approx(expected.coef_[0], abs=2e-2)


def test_head_of_a_layer_that_sees_tokens_is_fitted_on_their_mean():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(8, 3, bias=False)

        def forward(self, inputs):
            return self.head(inputs.squeeze(1).mT).mean(1)

    samples = blobs()
    assert accuracy(with_new_head(Pooled(), samples, batch_size=50), samples) > 0.9


def test_net_without_a_linear_layer_has_no_head(retained):
    with pytest.raises(UsageError, match="no linear layer ran"):
        with_new_head(nn.Flatten(), retained, batch_size=10)


def test_new_head_alone_is_seen_by_all_that_looks_below_it(original, retained):
    """It answers as if the class had never been, and every number on features is the original's."""
    before, after = (_views(model) for model in (original, with_new_head(original, retained, batch_size=50)))
    assert not after["test", "forget"].correct().any()
    subject = Subject(3, (FORGOTTEN,), after, original=before)
    itself = replace(subject, views=before)
    assert _values(Activation(), subject) == {"activation.unchanged": 1}
    for metric in (Probe(per_class=20, few=2), Recovery()):
        assert _values(metric, subject) == _values(metric, itself)


def _views(model):
    found = {}
    for part, seed in (("train", 0), ("audit", 1), ("test", 2)):
        samples = blobs(seed=seed)
        found[part, "forget"] = observe(model, samples.of_classes((FORGOTTEN,)), batch_size=50)
        found[part, "retain"] = observe(model, samples.of_classes((FORGOTTEN,), exclude=True), batch_size=50)
    return found


def _values(metric, subject):
    return {entry.name: entry.value for entry in metric.measure(subject, seed=0)}
