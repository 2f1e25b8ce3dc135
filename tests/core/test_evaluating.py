"""Observing leaves the model as it was; evaluating is deterministic."""

import pytest
import torch
from torch import nn

from unlearn_core.conformance import subjects
from unlearn_core.data import Samples
from unlearn_core.errors import ModelError, UsageError
from unlearn_core.evaluating import evaluate, observe
from unlearn_core.metric import Metric, Outputs, Subject
from unlearn_core.metrics import DEFAULT
from unlearn_core.metrics.accuracy import Accuracy
from unlearn_core.records.evaluation import Measurement

DIGEST = "sha256:" + "0" * 64


class Net(nn.Module):
    """Two linear layers; the head is declared before the layer that runs first."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 3)
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        return self.head(input=torch.tanh(self.body(x)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(1)
    return Samples(torch.randn(11, 1, 2, 2, generator=generator), torch.arange(11) % 3)


def hooks(model):
    return sum(len(module._forward_pre_hooks) for module in model.modules())


def test_features_are_what_the_head_was_given(net, samples):
    seen = observe(net, samples, batch_size=4)
    assert torch.allclose(seen.features @ net.head.weight.T + net.head.bias, seen.logits, atol=1e-6)


def test_batches_do_not_matter(net, samples):
    whole, parts = observe(net, samples, batch_size=11), observe(net, samples, batch_size=3)
    assert torch.allclose(whole.logits, parts.logits, atol=1e-6)
    assert torch.equal(parts.labels, samples.labels)


def test_model_is_left_as_found(net, samples):
    net.train()
    net.body[3].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    state = torch.get_rng_state()
    observe(net, samples, batch_size=4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert hooks(net) == 0


def test_hooks_and_modes_are_put_back_when_the_model_fails(net, samples):
    net.train()
    with pytest.raises(RuntimeError, match="shapes"):
        observe(net, Samples(torch.zeros(2, 7), torch.zeros(2, dtype=torch.int64)), batch_size=2)
    assert hooks(net) == 0
    assert all(module.training for module in net.modules())


def test_outputs_carry_no_gradient(net, samples):
    seen = observe(net, samples, batch_size=4)
    assert not seen.logits.requires_grad
    assert not seen.features.requires_grad


def test_features_of_any_rank_are_flattened(samples):
    seen = observe(nn.Linear(2, 3), Samples(samples.inputs, samples.labels), batch_size=4)
    assert seen.features.shape == (11, 4)


def test_model_without_a_linear_layer_is_refused(samples):
    with pytest.raises(UsageError, match="no linear layer"):
        observe(nn.Flatten(), samples, batch_size=4)


def test_no_samples_are_refused(net, samples):
    with pytest.raises(UsageError, match="no samples"):
        observe(net, samples.subset(torch.arange(0)), batch_size=4)


def test_logits_that_are_not_finite_are_refused(net, samples):
    with torch.no_grad():
        net.head.bias[0] = float("nan")
    with pytest.raises(ModelError, match="11 of 11"):
        observe(net, samples, batch_size=4)


class Draw(Metric):
    """Measures what the global generator says."""

    name: str = "draw"

    def measure(self, subject, *, seed):
        return (Measurement(name="draw.global", value=float(torch.rand(()))),)


@pytest.fixture
def subject(net, samples):
    return Subject(3, (), {("test", "retain"): observe(net, samples, batch_size=4)})


def test_same_seed_gives_same_numbers_another_seed_others(subject):
    first, same, other = (evaluate([Draw()], subject, model_digest=DIGEST, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert first.measurements != other.measurements


def test_global_generator_is_left_as_found(subject):
    state = torch.get_rng_state()
    evaluate([Draw()], subject, model_digest=DIGEST, seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_evaluation_names_the_model_and_the_seed(subject):
    evaluation = evaluate([Accuracy()], subject, model_digest=DIGEST, seed=7)
    assert (evaluation.model, evaluation.seed) == (DIGEST, 7)
    assert evaluation.get("accuracy.test.retain").samples == 11


def test_name_measured_twice_is_refused(subject):
    with pytest.raises(UsageError, match=r"accuracy\.test\.retain"):
        evaluate([Accuracy(), Accuracy(per_class=())], subject, model_digest=DIGEST, seed=0)


def test_last_of_equal_samples_is_the_label_argmax():
    said = Outputs(torch.tensor([[0.0, 2.0], [3.0, 1.0]]), torch.zeros(2, 1), torch.tensor([1, 1]))
    assert said.correct().tolist() == [True, False]


@pytest.mark.parametrize("gone", [("audit", "forget"), ("audit", "retain"), ("test", "retain")])
def test_metrics_without_a_held_out_sample_are_not_measured_and_the_others_are(gone):
    subject = subjects.ordinary()
    del subject.views[gone]
    found = evaluate(DEFAULT, subject, model_digest=DIGEST, seed=0)
    assert found.find("accuracy.train.forget") is not None
    missing = {one.name for one in found.unmeasured if one.lacking}
    assert missing
    assert not any(found.lack(one.name) for one in found.measurements)
    if gone == ("audit", "forget"):
        assert {"accuracy.audit.forget", "mia", "probe", "recovery"} <= missing
        assert found.lack("probe.few.gap") == "not every forgotten class has a sample in the audit split"


def test_a_view_of_training_samples_is_never_taken_for_missing():
    subject = subjects.ordinary()
    del subject.views["train", "forget"]
    with pytest.raises(UsageError, match=r"train\.forget is absent"):
        evaluate(DEFAULT, subject, model_digest=DIGEST, seed=0)
