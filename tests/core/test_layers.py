"""Layers: rows and weight views against the obvious ones, and who is covered how."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.layer import Layer
from unlearn_core.layers import all_trained, linear_layers, projection_coverage

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
QUICK = settings(max_examples=40, deadline=None)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[nn.Conv2d, Tensor]:
    """Draw a convolution of any shape and padding, and images that fit it."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    groups = draw(st.sampled_from([1, 2]))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding: Any = draw(st.sampled_from(["valid", "same", 0, (1, 2), (2, 0)]))
    stride = (1, 1) if padding == "same" else (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    conv = nn.Conv2d(
        in_channels=groups * draw(st.integers(1, 2)) * (2 if groups > 1 else 1),
        out_channels=groups * draw(st.integers(1, 3)),
        kernel_size=kernel,
        stride=stride,
        dilation=dilation,
        groups=groups,
        padding=padding,
        padding_mode=draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        bias=False,
    )
    inputs = torch.randn(
        draw(st.integers(1, 3)), conv.in_channels, draw(st.integers(5, 7)), draw(st.integers(5, 7))
    )
    return conv.double(), inputs.double()


@st.composite
def dense(draw: st.DrawFn) -> tuple[nn.Linear, Tensor]:
    """Draw a linear layer, and inputs of rank one to four."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    shape = draw(st.lists(st.integers(1, 4), max_size=3))
    linear = nn.Linear(draw(st.integers(1, 6)), draw(st.integers(1, 5)), bias=False).double()
    return linear, torch.randn(*shape, linear.in_features).double()


def only_layer(module: nn.Module) -> Layer:
    (layer,) = linear_layers(nn.Sequential(module))
    return layer


def rows_of(layer: Layer, inputs: Tensor) -> Tensor:
    return torch.cat(list(layer.blocks(inputs)), dim=1)


def naive_patches(conv: nn.Conv2d, inputs: Tensor) -> Tensor:
    """Return ``[groups, positions, d_in]`` by padding as torch's own forward does, then unfolding."""
    padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    padded = F.pad(inputs, conv._reversed_padding_repeated_twice, mode=padding_mode)
    patches = F.unfold(padded, conv.kernel_size, conv.dilation, 0, conv.stride)
    return torch.stack([part.transpose(1, 2).flatten(0, 1) for part in patches.chunk(conv.groups, 1)])


@QUICK
@given(convolutions())
def test_a_convolutions_rows_are_its_unfolded_patches(drawn: tuple[nn.Conv2d, Tensor]) -> None:
    conv, inputs = drawn
    torch.testing.assert_close(rows_of(only_layer(conv), inputs), naive_patches(conv, inputs))


@QUICK
@given(convolutions())
def test_rows_times_the_weight_view_are_the_convolutions_outputs(drawn: tuple[nn.Conv2d, Tensor]) -> None:
    conv, inputs = drawn
    layer = only_layer(conv)
    outputs = rows_of(layer, inputs) @ layer.view(layer.weight).mT
    expected = conv(inputs).unflatten(1, (conv.groups, -1)).permute(1, 0, 3, 4, 2).flatten(1, 3)
    torch.testing.assert_close(outputs, expected)


@QUICK
@given(dense())
def test_rows_times_the_weight_view_are_the_linear_layers_outputs(drawn: tuple[nn.Linear, Tensor]) -> None:
    linear, inputs = drawn
    layer = only_layer(linear)
    outputs = rows_of(layer, inputs)[0] @ layer.view(layer.weight)[0].T
    torch.testing.assert_close(outputs, linear(inputs).reshape(-1, linear.out_features))


@QUICK
@given(st.one_of(convolutions(), dense()))
def test_every_gradient_lies_in_the_span_of_the_rows(drawn: tuple[nn.Module, Tensor]) -> None:
    module, inputs = drawn
    layer = only_layer(module)
    (gradient,) = torch.autograd.grad(module(inputs).sin().sum(), layer.weight)
    for rows, of_group in zip(rows_of(layer, inputs), layer.view(gradient), strict=True):
        onto_span = torch.linalg.pinv(rows) @ rows
        torch.testing.assert_close(of_group @ onto_span, of_group, rtol=1e-7, atol=1e-7)


@QUICK
@given(st.one_of(convolutions(), dense()))
def test_folding_a_view_gives_the_weight_back(drawn: tuple[nn.Module, Tensor]) -> None:
    layer = only_layer(drawn[0])
    assert torch.equal(layer.fold(layer.view(layer.weight)), layer.weight)


def test_small_blocks_hold_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = only_layer(nn.Conv2d(2, 3, 3, padding=1))
    inputs = torch.randn(5, 2, 6, 6)
    whole = rows_of(layer, inputs)
    monkeypatch.setattr("unlearn_core.convolutions.BLOCK_ELEMENTS", 700)
    blocks = list(layer.blocks(inputs))
    assert len(blocks) == 5
    assert torch.equal(torch.cat(blocks, dim=1), whole)


def test_an_image_without_a_batch_dimension_is_a_batch_of_one() -> None:
    layer = only_layer(nn.Conv2d(2, 3, 3))
    image = torch.randn(2, 5, 5)
    assert torch.equal(rows_of(layer, image), rows_of(layer, image[None]))


class Zoo(nn.Module):
    """One of everything that a projection has to say something about."""

    def __init__(self) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, 4))
        self.mixing = nn.Parameter(torch.zeros(4, 4))
        self.conv = nn.Conv2d(4, 4, 3)
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.norm = nn.BatchNorm2d(4)
        self.embedding = nn.Embedding(5, 4)
        self.unused = nn.Linear(4, 4)


def treatments(model: nn.Module, projected: tuple[str, ...]) -> dict[str, str]:
    return {one.parameter: one.treatment for one in projection_coverage(model, projected).parameters}


def test_every_parameter_has_a_treatment() -> None:
    assert treatments(Zoo(), ("conv",)) == {
        "class_token": "frozen",
        "mixing": "unsupported",
        "conv.weight": "projected",
        "conv.bias": "frozen",
        "depthwise.weight": "frozen",
        "depthwise.bias": "frozen",
        "norm.weight": "frozen",
        "norm.bias": "frozen",
        "embedding.weight": "frozen",
        "unused.weight": "unsupported",
        "unused.bias": "frozen",
    }


def test_whatever_is_not_projected_has_a_reason() -> None:
    entries = projection_coverage(Zoo(), ("conv",)).parameters
    assert all(one.reason for one in entries if one.treatment != "projected")


def test_a_layer_that_is_protected_entirely_counts_as_frozen() -> None:
    coverage = projection_coverage(Zoo(), ("conv", "unused"), protected=("conv",))
    assert {one.parameter: one.treatment for one in coverage.parameters}["conv.weight"] == "frozen"


@pytest.mark.parametrize("coverage", [projection_coverage(Zoo(), ("conv",)), all_trained(Zoo())])
def test_shares_add_up_to_one(coverage: Any) -> None:
    assert sum(one.share for one in coverage.parameters) == pytest.approx(1)


def test_attention_whose_weights_are_used_without_a_call_is_unsupported() -> None:
    found = treatments(nn.MultiheadAttention(4, 2), ())
    assert found["in_proj_weight"] == found["out_proj.weight"] == "unsupported"


def test_linear_layers_that_share_a_weight_share_the_name() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert [layer.name for layer in linear_layers(model)] == ["0", "0"]


def test_a_head_that_shares_its_weight_with_an_embedding_is_left_out() -> None:
    model = nn.Sequential(nn.Embedding(6, 4), nn.Linear(4, 6))
    model[1].weight = model[0].weight
    assert linear_layers(model) == []


class Doubled(nn.Linear):
    """Linear in its weight's square, not in its weight."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return F.linear(input, self.weight.square(), self.bias)


def test_a_subclass_that_computes_something_else_is_unsupported() -> None:
    assert linear_layers(nn.Sequential(Doubled(3, 2))) == []


def test_a_weight_that_is_computed_from_others_is_unsupported() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)))
    assert linear_layers(model) == []
