"""Convolutions of one to three dimensions and transposed ones, against explicit loops over positions."""

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.layer import Layer
from unlearn_core.layers import linear_layers, projection_coverage
from unlearn_core.moments import collect

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
QUICK = settings(max_examples=30, deadline=None)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def per_axis(draw: st.DrawFn, low: int, high: int, axes: int) -> Any:
    return tuple(draw(st.integers(low, high)) for _ in range(axes))


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Any, Tensor]:
    """Draw a convolution of any dimension, shape and padding, and images that fit it."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    axes, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2]))
    padding = draw(st.sampled_from(["valid", "same", 0, per_axis(draw, 0, 2, axes)]))
    conv = CONVOLUTIONS[axes - 1](
        in_channels=2 * draw(st.integers(1, 2)) * groups,
        out_channels=groups * draw(st.integers(1, 2)),
        kernel_size=per_axis(draw, 1, 3, axes),
        stride=(1,) * axes if padding == "same" else per_axis(draw, 1, 3, axes),
        dilation=per_axis(draw, 1, 2, axes),
        groups=groups,
        padding=padding,
        padding_mode=draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        bias=False,
    )
    inputs = torch.randn(draw(st.integers(1, 2)), conv.in_channels, *per_axis(draw, 5, 6, axes))
    return conv.double(), inputs.double()


@st.composite
def transposed(draw: st.DrawFn) -> tuple[Any, Tensor]:
    """Draw a transposed convolution of any dimension and shape, and images for it."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    axes, groups = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2]))
    conv = TRANSPOSED[axes - 1](
        in_channels=2 * draw(st.integers(1, 2)) * groups,
        out_channels=groups * draw(st.integers(1, 3)),
        kernel_size=per_axis(draw, 1, 3, axes),
        stride=per_axis(draw, 1, 3, axes),
        dilation=per_axis(draw, 1, 2, axes),
        groups=groups,
        bias=False,
    )
    inputs = torch.randn(draw(st.integers(1, 2)), conv.in_channels, *per_axis(draw, 2, 4, axes))
    return conv.double(), inputs.double()


ANY = st.one_of(convolutions(), transposed())


def only_layer(module: nn.Module) -> Layer:
    (layer,) = linear_layers(nn.Sequential(module))
    return layer


def moment_of(module: nn.Module, inputs: Tensor) -> Tensor:
    return collect(nn.Sequential(module), Samples(inputs, torch.zeros(len(inputs)).long())).layers["0"]


def spans_of(module: nn.Module, inputs: Tensor) -> Tensor:
    """Return the projector onto the rows of each group, ``[groups, d_in, d_in]``."""
    rows = torch.cat(list(only_layer(module).blocks(inputs)), dim=1)
    return torch.linalg.pinv(rows) @ rows


def looped_patches(conv: Any, inputs: Tensor) -> Tensor:
    """Return ``[groups, positions, d_in]``, patch by patch, from the padding of torch's own forward."""
    padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
    padded = F.pad(inputs, conv._reversed_padding_repeated_twice, mode=padding_mode)
    sizes = conv(inputs).shape[2:]
    rows: list[Tensor] = []
    for image in padded:
        for position in itertools.product(*map(range, sizes)):
            patch = image
            for axis, at in enumerate(position):
                taps = at * conv.stride[axis] + conv.dilation[axis] * torch.arange(conv.kernel_size[axis])
                patch = patch.index_select(1 + axis, taps)
            rows.append(patch.reshape(conv.groups, -1))
    return torch.stack(rows, dim=1)


def looped_pixels(conv: Any, inputs: Tensor) -> Tensor:
    """Return ``[groups, positions, d_in]``, pixel by pixel."""
    positions = itertools.product(range(len(inputs)), *map(range, inputs.shape[2:]))
    pixels = [inputs[(image, slice(None), *at)].reshape(conv.groups, -1) for image, *at in positions]
    return torch.stack(pixels, dim=1)


@QUICK
@given(convolutions())
def test_a_convolutions_moment_is_the_sum_over_its_patches(drawn: tuple[Any, Tensor]) -> None:
    rows = looped_patches(*drawn)
    torch.testing.assert_close(moment_of(*drawn), rows.mT @ rows)


@QUICK
@given(transposed())
def test_a_transposed_convolutions_moment_is_the_sum_over_its_pixels(drawn: tuple[Any, Tensor]) -> None:
    rows = looped_pixels(*drawn)
    torch.testing.assert_close(moment_of(*drawn), rows.mT @ rows)


@QUICK
@given(convolutions())
def test_rows_times_the_view_are_a_convolutions_outputs(drawn: tuple[Any, Tensor]) -> None:
    conv, inputs = drawn
    layer = only_layer(conv)
    outputs = torch.cat(list(layer.blocks(inputs)), dim=1) @ layer.view(layer.weight).mT
    by_group = conv(inputs).unflatten(1, (conv.groups, -1)).flatten(3)  # [images, groups, d_out, positions]
    torch.testing.assert_close(outputs, by_group.permute(1, 0, 3, 2).flatten(1, 2))


@QUICK
@given(transposed())
def test_rows_times_the_view_are_a_transposed_convolutions_patches(drawn: tuple[Any, Tensor]) -> None:
    conv, inputs = drawn
    layer = only_layer(conv)
    outputs = torch.cat(list(layer.blocks(inputs)), dim=1) @ layer.view(layer.weight).mT
    patches = outputs.unflatten(2, (-1, *conv.kernel_size))  # [groups, positions, d_out, *kernel]
    expected = torch.zeros_like(conv(inputs))
    positions = itertools.product(range(len(inputs)), *map(range, inputs.shape[2:]))
    for row, (image, *at) in enumerate(positions):
        where = [
            slice(start * conv.stride[axis], start * conv.stride[axis] + reach + 1, conv.dilation[axis])
            for axis, start in enumerate(at)
            for reach in [conv.dilation[axis] * (conv.kernel_size[axis] - 1)]
        ]
        expected[(image, slice(None), *where)] += patches[:, row].flatten(0, 1)
    torch.testing.assert_close(conv(inputs), expected)


@QUICK
@given(ANY)
def test_every_gradient_lies_in_the_span_of_the_rows(drawn: tuple[Any, Tensor]) -> None:
    conv, inputs = drawn
    (gradient,) = torch.autograd.grad(conv(inputs).sin().sum(), conv.weight)
    view = only_layer(conv).view(gradient)
    torch.testing.assert_close(view @ spans_of(conv, inputs), view, rtol=1e-7, atol=1e-7)


@QUICK
@given(ANY)
def test_projecting_the_weight_projects_its_gradient(drawn: tuple[Any, Tensor]) -> None:
    conv, inputs = drawn
    layer = only_layer(conv)
    direction = torch.randn(layer.view(layer.weight).shape[2], 1).double()
    projector = torch.eye(len(direction)) - direction @ direction.T / direction.square().sum()
    projected = layer.fold(layer.view(layer.weight) @ projector)
    loss = torch.func.functional_call(conv, {"weight": projected}, inputs).sin().sum()
    at_projected, at_weight = torch.autograd.grad(loss, [projected, layer.weight])
    torch.testing.assert_close(at_weight, layer.fold(layer.view(at_projected) @ projector))


@QUICK
@given(ANY)
def test_a_weight_projected_off_its_rows_answers_them_with_zeros(drawn: tuple[Any, Tensor]) -> None:
    conv, inputs = drawn
    layer, spans = only_layer(conv), spans_of(conv, inputs)
    view = layer.view(conv.weight.detach())
    with torch.no_grad():
        conv.weight.copy_(layer.fold(view - view @ spans))
    torch.testing.assert_close(conv(inputs), torch.zeros_like(conv(inputs)), rtol=0, atol=1e-9)


@QUICK
@given(ANY)
def test_folding_a_view_gives_the_weight_back(drawn: tuple[Any, Tensor]) -> None:
    layer = only_layer(drawn[0])
    assert torch.equal(layer.fold(layer.view(layer.weight)), layer.weight)


@QUICK
@given(ANY)
def test_a_single_image_is_a_batch_of_one(drawn: tuple[Any, Tensor]) -> None:
    layer, image = only_layer(drawn[0]), drawn[1][0]
    single, batch = (torch.cat(list(layer.blocks(images)), dim=1) for images in (image, image[None]))
    assert torch.equal(single, batch)


@pytest.mark.parametrize("kind", CONVOLUTIONS + TRANSPOSED)
def test_small_blocks_hold_the_same_rows(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    conv = kind(4, 6, 3, groups=2)
    axes = len(conv.kernel_size)
    inputs = torch.randn(3, 4, *[5] * axes)
    whole = torch.cat(list(only_layer(conv).blocks(inputs)), dim=1)
    monkeypatch.setattr("unlearn_core.convolutions.BLOCK_ELEMENTS", 1)
    blocks = list(only_layer(conv).blocks(inputs))
    assert len(blocks) == 3
    assert torch.equal(torch.cat(blocks, dim=1), whole)


@pytest.mark.parametrize("kind", CONVOLUTIONS + TRANSPOSED)
def test_a_depthwise_convolution_is_skipped_and_says_so(kind: Any) -> None:
    net = nn.Sequential(kind(4, 8, 3, groups=4))
    assert linear_layers(net) == []
    (weight, _) = projection_coverage(net, ()).parameters
    assert weight.treatment == "frozen"
    assert "depthwise" in weight.reason


def test_output_size_may_be_given_to_a_transposed_convolution() -> None:
    class Sized(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(2, 3, 3, stride=2)

        def forward(self, x: Tensor) -> Tensor:
            return self.up(x, output_size=[8, 8])

    moments = collect(Sized(), Samples(torch.randn(2, 2, 3, 3), torch.zeros(2).long()))
    assert moments.positions == {"up": 18}
