"""What projection reaches of the usual vision nets, and what it says of the rest."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torchvision import models

from unlearn_core.data import Samples
from unlearn_core.layer import WIDEST
from unlearn_core.layers import projection_coverage
from unlearn_core.moments import collect
from unlearn_core.records.result import Coverage

NETS: dict[str, Callable[..., nn.Module]] = {
    "resnet18": models.resnet18,
    "vit": lambda num_classes: models.VisionTransformer(
        image_size=32,
        patch_size=16,
        num_layers=2,
        num_heads=2,
        hidden_dim=64,
        mlp_dim=256,
        num_classes=num_classes,
    ),
    "convnext_tiny": models.convnext_tiny,
    "mobilenet_v3_small": models.mobilenet_v3_small,
    "efficientnet_b0": models.efficientnet_b0,
    "swin_t": models.swin_t,
}


def coverage_of(build: Callable[..., nn.Module]) -> Coverage:
    torch.manual_seed(0)
    net = build(num_classes=4)
    images = Samples(torch.randn(2, 3, 32, 32), torch.zeros(2).long())
    return projection_coverage(net, collect(net, images).layers)


def unsupported(coverage: Coverage) -> list[str]:
    return [one.parameter for one in coverage.parameters if one.treatment == "unsupported"]


@pytest.mark.parametrize("name", ["resnet18", "vit", "mobilenet_v3_small", "efficientnet_b0"])
def test_every_weight_is_within_reach(name: str) -> None:
    coverage = coverage_of(NETS[name])
    assert unsupported(coverage) == []
    assert coverage.share("projected") > 0.94


@pytest.mark.slow
def test_every_weight_of_a_large_transformer_is_within_reach() -> None:
    coverage = coverage_of(lambda num_classes: models.vit_b_16(image_size=32, num_classes=num_classes))
    assert unsupported(coverage) == []
    assert coverage.share("projected") > 0.99


def test_a_layer_too_wide_for_second_moments_is_out_of_reach_by_name() -> None:
    net = nn.Sequential(nn.Conv2d(WIDEST + 1, 2, 1), nn.Flatten(), nn.Linear(2, 2))
    images = Samples(torch.ones(2, WIDEST + 1, 1, 1), torch.zeros(2).long())
    coverage = projection_coverage(net, collect(net, images).layers)
    assert unsupported(coverage) == ["0.weight"]
    assert "16,385 inputs" in coverage.parameters[0].reason


def test_a_wide_linear_layer_is_within_reach_in_blocks_and_says_so() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(WIDEST + 1, 2), nn.Linear(2, 2))
    images = Samples(torch.ones(2, 1, 1, WIDEST + 1), torch.zeros(2).long())
    coverage = projection_coverage(net, collect(net, images).layers)
    assert unsupported(coverage) == []
    assert "5 blocks of up to 3,277 inputs" in coverage.parameters[0].reason
    assert coverage.parameters[2].reason == ""


def test_a_vision_transformer_is_projected_attention_included() -> None:
    coverage = coverage_of(NETS["vit"])
    treatments = {one.parameter: one.treatment for one in coverage.parameters}
    attention = "encoder.layers.encoder_layer_1.self_attention"
    assert (
        treatments[f"{attention}.in_proj_weight"] == treatments[f"{attention}.out_proj.weight"] == "projected"
    )
    assert coverage.share("projected") >= 0.95
    assert treatments["class_token"] == treatments["encoder.pos_embedding"] == "frozen"


def test_the_layer_scales_of_convnext_are_out_of_reach() -> None:
    coverage = coverage_of(NETS["convnext_tiny"])
    assert {name.rpartition(".")[2] for name in unsupported(coverage)} == {"layer_scale"}
    assert coverage.share("unsupported") < 0.001


def test_attention_that_swin_computes_without_its_layers_is_out_of_reach_by_name() -> None:
    coverage = coverage_of(NETS["swin_t"])
    names = unsupported(coverage)
    assert len(names) == 24
    assert all(name.endswith((".attn.qkv.weight", ".attn.proj.weight")) for name in names)
    assert coverage.share("unsupported") == pytest.approx(0.313, abs=0.001)


@pytest.mark.parametrize("name", NETS)
def test_depthwise_convolutions_are_frozen_and_say_so(name: str) -> None:
    torch.manual_seed(0)
    net = NETS[name](num_classes=4)
    depthwise = {
        f"{path}.weight"
        for path, module in net.named_modules()
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1
    }
    said = {one.parameter for one in projection_coverage(net, ()).parameters if "depthwise" in one.reason}
    assert said == depthwise
