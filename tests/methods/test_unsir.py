"""What is special to UNSIR."""

import pytest
import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.method import Materials
from unlearn_core.methods import unsir
from unlearn_core.methods.unsir import Unsir, learn_noise
from unlearn_core.unlearning import unlearn


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))


def retained(count: int) -> Samples:
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 2, 4]).repeat(count // 3)
    return Samples(torch.randn(len(labels), 1, 6, 6, generator=generator), labels)


def materials(count: int = 60) -> Materials:
    return Materials("classes", (1, 3), retain=retained(count))


def resolved(method: Unsir, count: int = 60) -> Unsir:
    found = unlearn(method, net(), materials(count), seed=0).method
    assert isinstance(found, Unsir)
    return found


def test_without_tuning_data_the_published_rates_are_taken() -> None:
    found = resolved(Unsir())
    assert (found.impair_lr, found.repair_lr) == unsir.PUBLISHED


def test_each_forgotten_class_has_noise_under_its_own_label(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Samples] = []
    original = unsir.train_on

    def watched(model, batches, *, rate):
        return original(model, [seen.append(batch) or batch for batch in batches], rate=rate)

    monkeypatch.setattr(unsir, "train_on", watched)
    unlearn(Unsir(noise_batch=7, noise_copies=3, repair_epochs=1), net(), materials(), seed=0)
    labels = torch.cat([batch.labels for batch in seen])
    assert torch.bincount(labels).tolist() == [40, 21, 40, 21, 40]


def test_little_data_means_smaller_batches_and_as_many_repair_steps() -> None:
    found = resolved(Unsir(noise_copies=1), count=240)
    assert found.batch_size == 16
    assert found.noise_batch == 16
    assert found.repair_epochs == 3


def test_the_published_amount_of_data_means_the_published_sizes() -> None:
    found = Unsir()._sized(8000)
    assert (found.batch_size, found.noise_batch, found.repair_epochs) == (256, 256, 1)


def test_noise_makes_the_model_doubt_the_class() -> None:
    model = net().eval()
    start = torch.randn(16, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    noise, losses = learn_noise(model, start, 1, steps=40, rate=0.1, penalty=0.1)
    assert losses[-1] < losses[0]
    with torch.no_grad():
        doubted, taken = (model(inputs).log_softmax(1)[:, 1].mean() for inputs in (noise.inputs, start))
    assert doubted < taken


def test_learning_noise_leaves_the_weights_alone() -> None:
    model = net().eval()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    learn_noise(model, torch.randn(4, 1, 6, 6), 0, steps=2, rate=0.1, penalty=0.1)
    assert all(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())
