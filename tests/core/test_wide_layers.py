"""Linear layers too wide for one second moment: blocks of inputs, against the same layers taken whole."""

from math import ceil

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.guarding import guard
from unlearn_core.layer import Layer
from unlearn_core.layers import linear_layers
from unlearn_core.methods.svd import apply_edits, edits_of
from unlearn_core.moments import collect

WIDEST, WIDE_BLOCK = 4, 3
QUICK = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def narrow_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make layers of five inputs wide ones."""
    monkeypatch.setattr("unlearn_core.layer.WIDEST", WIDEST)
    monkeypatch.setattr("unlearn_core.layer.WIDE_BLOCK", WIDE_BLOCK)


@st.composite
def wide(draw: st.DrawFn) -> tuple[nn.Linear, Tensor]:
    """Draw a wide linear layer, and inputs, float64."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    linear = nn.Linear(draw(st.integers(WIDEST + 1, 14)), draw(st.integers(1, 5)), bias=False).double()
    return linear, torch.randn(draw(st.integers(1, 12)), linear.in_features).double()


def only_layer(module: nn.Module) -> Layer:
    (layer,) = linear_layers(nn.Sequential(module))
    return layer


def as_blocks(width: int) -> list[slice]:
    """Return which inputs belong together."""
    each = ceil(width / ceil(width / WIDE_BLOCK))
    return [slice(start, min(start + each, width)) for start in range(0, width, each)]


@QUICK
@given(wide())
def test_the_products_of_all_blocks_add_up_to_the_outputs(drawn: tuple[nn.Linear, Tensor]) -> None:
    linear, inputs = drawn
    layer = only_layer(linear)
    rows = torch.cat(list(layer.blocks(inputs)), dim=1)
    torch.testing.assert_close((rows @ layer.view(linear.weight).mT).sum(0), linear(inputs))
    assert torch.equal(layer.fold(layer.view(linear.weight)), linear.weight)


@QUICK
@given(wide())
def test_a_blocks_moment_is_its_part_of_the_whole_ones_diagonal(drawn: tuple[nn.Linear, Tensor]) -> None:
    linear, inputs = drawn
    net = nn.Sequential(linear)
    (moment,) = collect(net, Samples(inputs, torch.zeros(len(inputs)).long())).layers.values()
    whole = inputs.T @ inputs
    for block, of_block in zip(as_blocks(linear.in_features), moment, strict=True):
        size = block.stop - block.start
        torch.testing.assert_close(of_block[:size, :size], whole[block, block])
        assert not of_block[size:].any()
        assert not of_block[:, size:].any()


@QUICK
@given(wide())
def test_a_protected_layer_answers_kept_inputs_as_before(drawn: tuple[nn.Linear, Tensor]) -> None:
    linear, inputs = drawn
    net = nn.Sequential(linear)
    kept = inputs[: max(1, WIDE_BLOCK - 1)]
    retained = collect(net, Samples(kept, torch.zeros(len(kept)).long()))
    (guarded,) = guard(net, retained, {"0": 1.0})
    step = guarded.outside(torch.randn_like(linear.weight))
    before = linear(kept)
    with torch.no_grad():
        linear.weight.sub_(step)
    torch.testing.assert_close(linear(kept), before)


@QUICK
@given(wide(), st.floats(0.1, 1000), st.floats(0.1, 1000))
def test_an_edit_is_that_of_a_moment_without_products_between_blocks(
    drawn: tuple[nn.Linear, Tensor], alpha_r: float, alpha_f: float
) -> None:
    linear, inputs = drawn
    net, half = nn.Sequential(linear), ceil(len(inputs) / 2)
    parts = [inputs[:half], inputs[-half:]]
    projections = []
    for part, alpha in zip(parts, (alpha_r, alpha_f), strict=True):
        moment = torch.block_diag(
            *(
                (block := part[:, one]).T @ block / block.square().sum()
                for one in as_blocks(linear.in_features)
            )
        )
        values, vectors = torch.linalg.eigh(moment)
        values = values.clamp_min(0)
        projections.append(vectors * (alpha * values / ((alpha - 1) * values + 1)) @ vectors.T)
    of_retained, of_forgotten = projections
    expected = linear.weight @ (torch.eye(linear.in_features) - (of_forgotten - of_retained @ of_forgotten))
    moments = [collect(net, Samples(part, torch.zeros(len(part)).long())) for part in parts]
    apply_edits(edits_of(net, *moments), alpha_r, alpha_f)
    torch.testing.assert_close(linear.weight, expected)
