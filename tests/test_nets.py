"""The nets of torchvision that people have, each through the three methods that Lethe is about."""

import pytest
import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.errors import CoverageError
from unlearn_core.method import Materials, Method
from unlearn_core.methods import Pgu, Svd, Unsir
from unlearn_core.models import build_seeded
from unlearn_core.moments import collect
from unlearn_core.records.artifact import Architecture
from unlearn_core.unlearning import Unlearned, unlearn

pytestmark = pytest.mark.slow

PIXELS = {
    "resnet18": 64,
    "resnet50": 64,
    "vit_b_16": 224,  # it takes no other size
    "convnext_tiny": 64,
    "mobilenet_v3_small": 64,
    "efficientnet_b0": 64,
}
CLASSES = ("a", "b", "c", "d")
METHODS: dict[str, Method] = {
    "svd": Svd(alpha_r=100.0, alpha_f=3.0),
    "pgu": Pgu(lr_start=0.01, stop_after=1, batch_size=8),
    "unsir": Unsir(
        noise_steps=1, noise_batch=4, noise_copies=1, impair_lr=0.001, repair_epochs=1, batch_size=4
    ),
}


def a_net(name: str, pixels: int) -> nn.Module:
    shape = (3, pixels, pixels)
    net = Architecture(name=f"torchvision:{name}", classes=CLASSES, input_shape=shape)
    return build_seeded(net, 0).eval()


def materials_of(net: nn.Module, method: Method, pixels: int) -> Materials:
    """Return eight images of each class, each class with a colour of its own."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(4).repeat_interleave(8)
    colours = torch.randn(4, 3, 1, 1, generator=generator)
    noise = 0.5 * torch.randn(32, 3, pixels, pixels, generator=generator)
    images = Samples(colours[labels] + noise, labels)
    moments = collect(net, images, batch_size=8) if method.name == "pgu" else None
    return Materials(
        scope="classes",
        classes=(0,),
        forget=images.of_classes((0,)),
        retain=images.of_classes((0,), exclude=True),
        moments=moments,
    )


def run(name: str, pixels: int, method: str) -> Unlearned:
    net = a_net(name, pixels)
    return unlearn(METHODS[method], net, materials_of(net, METHODS[method], pixels), seed=0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PIXELS)
def test_a_net_goes_through_with_every_parameter_reported(name: str, method: str) -> None:
    found = run(name, PIXELS[name], method)
    coverage = found.coverage
    assert {one.parameter for one in coverage.parameters} == {
        one for one, _ in found.model.named_parameters()
    }
    treatments = ("projected", "trained", "frozen", "unsupported")
    assert sum(coverage.share(treatment) for treatment in treatments) == pytest.approx(1)
    assert coverage.share("projected") + coverage.share("trained") > 0.9


def test_a_vision_transformer_is_reached_in_95_of_100_weights() -> None:
    coverage = run("vit_b_16", 224, "svd").coverage
    weights = [one for one in coverage.parameters if not one.parameter.endswith("bias")]
    reached = sum(one.elements for one in weights if one.treatment == "projected")
    assert reached / sum(one.elements for one in weights) >= 0.95


@pytest.mark.parametrize("method", ["svd", "pgu"])
def test_attention_that_no_hook_sees_is_refused_by_name(method: str) -> None:
    with pytest.raises(CoverageError, match=r"features\.1\.0\.attn\.qkv\.weight"):
        run("swin_t", 64, method)


@pytest.mark.parametrize("method", ["svd", "pgu"])
def test_a_layer_of_25_088_inputs_is_refused_by_name(method: str) -> None:
    with pytest.raises(CoverageError, match=r"classifier\.0\.weight.*25,088 inputs"):
        run("vgg11_bn", 64, method)


@pytest.mark.parametrize("name", ["swin_t", "vgg11_bn"])
def test_a_net_that_cannot_be_projected_is_still_trained(name: str) -> None:
    assert run(name, 64, "unsir").coverage.share("trained") == pytest.approx(1)
