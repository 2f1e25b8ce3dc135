"""The core gives on an accelerator what it gives on the CPU."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.method import Materials, Origin, Tuning
from unlearn_core.methods import CATALOGUE, Pgu, Svd
from unlearn_core.moments import collect
from unlearn_core.progress import Step
from unlearn_core.records.artifact import Recipe
from unlearn_core.rewinding import TrainingState, recording, steps_in
from unlearn_core.training import fit
from unlearn_core.tuning import accuracy
from unlearn_core.unlearning import unlearn

pytestmark = pytest.mark.gpu

CLASSES, FORGOTTEN = 4, 1
RECIPE = Recipe(epochs=3, batch_size=64)
SETTINGS = {"ssd": {"alpha": 1.1, "dampening": 0.1}, "repair": {"epochs": 1}}
"""The published thresholds select nothing in a net as small as this one, and it needs no repair."""


class Net(nn.Module):
    """A convolution, attention over pixels, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        tokens = F.relu(self.norm(self.stem(images))).flatten(2).mT
        return self.head((tokens + self.attention(tokens, tokens, tokens)[0]).mean(1))


def images(count: int, seed: int) -> Samples:
    patterns = torch.randn(CLASSES, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count) % CLASSES
    noise = torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return Samples(patterns[labels] + 0.7 * noise, labels)


@cache
def training() -> tuple[nn.Module, tuple[TrainingState, ...]]:
    """Train the net, and keep a state of it."""
    torch.manual_seed(0)
    net = Net()
    with recording(net, (0.5,), steps=steps_in(RECIPE, 800)) as states:
        fit(net, images(800, 1), RECIPE, generator=torch.Generator().manual_seed(0))
    return net, tuple(states)


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    return training()[0]


def on(device: torch.device, net: nn.Module) -> tuple[nn.Module, Materials]:
    """Return a copy of the net, and everything that a method may be handed, on a device."""
    copied = Net()
    copied.load_state_dict(net.state_dict())
    copied = copied.to(device).eval()
    train, held_out = images(800, 1).to(device), images(200, 2).to(device)
    classes = (FORGOTTEN,)
    return copied, Materials(
        scope="classes",
        classes=classes,
        forget=train.of_classes(classes),
        retain=train.of_classes(classes, exclude=True),
        moments=collect(copied, train),
        tuning=Tuning(held_out.of_classes(classes), held_out.of_classes(classes, exclude=True)),
        origin=Origin(Net, RECIPE),
        states=training()[1],
    )


def test_moments_are_the_cpus(trained: nn.Module, device: torch.device) -> None:
    found = collect(trained.to(device), images(800, 1).to(device), batch_size=100).layers
    expected = collect(trained.cpu(), images(800, 1)).layers
    assert found.keys() == expected.keys()
    for name, moment in expected.items():
        assert (found[name].cpu() - moment).norm() <= 1e-5 * moment.norm(), name


@pytest.mark.parametrize("method", [Svd(alpha_r=100.0, alpha_f=3.0), Pgu(lr_start=0.003, stop_after=2)])
def test_projection_gives_the_cpus_weights(trained: nn.Module, device: torch.device, method) -> None:
    found = unlearn(method, *on(device, trained), seed=0).model.cpu().state_dict()
    expected = unlearn(method, *on(torch.device("cpu"), trained), seed=0).model.state_dict()
    for name, tensor in expected.items():
        assert torch.allclose(found[name], tensor, rtol=1e-3, atol=1e-4), name


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.__name__)
def test_a_method_runs_where_the_model_is_and_repeats_itself(kind, trained, device) -> None:
    model, materials = on(device, trained)
    if "classes" not in kind.scopes:
        materials = replace(materials, scope="samples", classes=())
    method = kind(**SETTINGS.get(kind().name, {}))
    found = [unlearn(method, model, materials, seed=0).model for _ in range(2)]
    assert {parameter.device.type for parameter in found[0].parameters()} == {device.type}
    assert all(map(torch.equal, found[0].state_dict().values(), found[1].state_dict().values()))


def test_svd_forgets_a_class(trained: nn.Module, device: torch.device) -> None:
    model, materials = on(device, trained)
    test = images(400, 3).to(device)
    found = unlearn(Svd(), model, materials, seed=0).model
    assert accuracy(found, test.of_classes((FORGOTTEN,))) < 0.3
    assert accuracy(found, test.of_classes((FORGOTTEN,), exclude=True)) > 0.7


def test_a_batch_that_does_not_fit_is_halved(trained: nn.Module, device: torch.device) -> None:
    if device.type != "cuda":
        pytest.skip("only an accelerator runs out of memory in a way that can be caught")
    model = nn.Sequential(nn.Conv2d(3, 256, 3, padding=1), nn.AdaptiveAvgPool2d(1)).to(device).eval()
    data = Samples(torch.randn(512, 3, 64, 64), torch.zeros(512, dtype=torch.int64)).to(device)
    whole = collect(model, data, batch_size=32)
    torch.cuda.empty_cache()
    fraction = (torch.cuda.memory_allocated() + 2**30) / torch.cuda.get_device_properties(0).total_memory
    steps: list[Step] = []
    torch.cuda.set_per_process_memory_fraction(fraction)
    try:
        halved = collect(model, data, batch_size=512, on_step=steps.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any(step.phase != "moments" or step.values for step in steps)
    assert halved.positions == whole.positions
