"""Attention: its moments against attention written out head by head, whatever the layout and the masks."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.guarding import guard
from unlearn_core.layers import observed_layers
from unlearn_core.moments import Moments, collect

pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask and attn_mask")
QUICK = settings(max_examples=40, deadline=None)


@dataclass
class Case:
    """One call of attention; inputs are ``[batch, tokens, features]``, whatever the module wants."""

    attention: nn.MultiheadAttention
    query: Tensor
    key: Tensor
    value: Tensor
    padded: Tensor | None
    forbidden: Tensor | None
    batched: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def call(self) -> Tensor:
        """Return the module's output, ``[batch, tokens, features]``."""
        given: dict[int, Tensor] = {}
        for x in (self.query, self.key, self.value):  # the same tensor stays the same tensor
            if id(x) not in given:
                given[id(x)] = self._laid_out(x)
        inputs = [given[id(x)] for x in (self.query, self.key, self.value)]
        padded = self.padded if self.padded is None or self.batched else self.padded[0]
        options = self.options | {"key_padding_mask": padded, "attn_mask": self.forbidden}
        return self._laid_out(self.attention(*inputs, **options)[0], back=True)

    def _laid_out(self, x: Tensor, *, back: bool = False) -> Tensor:
        if not self.batched:
            return x[None] if back else x[0]
        return x if self.attention.batch_first else x.transpose(0, 1)

    def kept_queries(self) -> Tensor:
        """Return ``[batch, tokens]``, False where a query is known to be padding."""
        if self.query is self.key and self.padded is not None:
            return ~self.padded
        return torch.ones(self.query.shape[:2], dtype=torch.bool)

    def kept_keys(self) -> Tensor:
        """Return ``[batch, tokens]``, False where a key is padding."""
        return torch.ones(self.key.shape[:2], dtype=torch.bool) if self.padded is None else ~self.padded


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw attention of any make, self or cross, with any masks that leave each query a key."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    heads, source = draw(st.sampled_from([1, 2])), draw(st.integers(1, 4))
    kind = draw(st.sampled_from(["self", "cross", "own_values", "sizes"]))
    batched = draw(st.booleans())
    features, batch = 2 * heads, draw(st.integers(1, 3)) if batched else 1
    attention = nn.MultiheadAttention(
        features,
        heads,
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        add_bias_kv=draw(st.booleans()),
        add_zero_attn=draw(st.booleans()),
        kdim=3 if kind == "sizes" else None,
        vdim=5 if kind == "sizes" else None,
        dropout=0.5,
    )
    key = torch.randn(batch, source, 3 if kind == "sizes" else features)
    query = key if kind == "self" else torch.randn(batch, draw(st.integers(1, 4)), features)
    value = torch.randn(batch, source, 5 if kind == "sizes" else features)
    padded = torch.rand(batch, source) < 0.4
    padded[:, 0] = False
    forbidden = torch.rand(*draw(st.sampled_from([(), (batch * heads,)])), query.shape[1], source) < 0.3
    forbidden[..., 0] = False
    case = Case(
        attention.double(),
        query.double(),
        key.double(),
        value.double(),
        padded if draw(st.booleans()) else None,
        forbidden if draw(st.booleans()) else None,
        batched,
        {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())},
    )
    if kind == "self":
        case.query = case.key = case.value
    elif kind == "cross":
        case.key = case.value
    return case


class Calling(nn.Module):
    """A model whose forward pass is one call of attention."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.attention = case.attention
        self.case = case

    def forward(self, _: Tensor) -> Tensor:
        return self.case.call()


ONE = Samples(torch.zeros(1, 1), torch.zeros(1).long())


def moments_of(case: Case) -> Moments:
    return collect(Calling(case), ONE)


def attended(case: Case) -> Tensor:
    """Return ``[batch, tokens, features]``, head by head and from the definition."""
    mha = case.attention
    weights = (
        [mha.q_proj_weight, mha.k_proj_weight, mha.v_proj_weight]
        if mha.in_proj_weight is None
        else list(mha.in_proj_weight.chunk(3))
    )
    biases = [0, 0, 0] if mha.in_proj_bias is None else list(mha.in_proj_bias.chunk(3))
    outputs = []
    for n in range(len(case.query)):
        inputs = (case.query[n], case.key[n], case.value[n])
        q, k, v = (x @ w.T + b for x, w, b in zip(inputs, weights, biases, strict=True))
        if mha.bias_k is not None and mha.bias_v is not None:
            k, v = torch.cat([k, mha.bias_k[0]]), torch.cat([v, mha.bias_v[0]])
        if mha.add_zero_attn:
            k, v = torch.cat([k, torch.zeros_like(k[:1])]), torch.cat([v, torch.zeros_like(v[:1])])
        heads = []
        for h in range(mha.num_heads):
            part = slice(h * mha.head_dim, (h + 1) * mha.head_dim)
            scores = q[:, part] @ k[:, part].T / mha.head_dim**0.5
            source = case.key.shape[1]
            if case.padded is not None:
                scores[:, :source][:, case.padded[n]] = -torch.inf
            if case.forbidden is not None:
                mask = case.forbidden if case.forbidden.dim() == 2 else case.forbidden[n * mha.num_heads + h]
                scores[:, :source][mask] = -torch.inf
            heads.append(scores.softmax(1) @ v[:, part])
        outputs.append(torch.cat(heads, dim=1))
    return torch.stack(outputs)


def second(rows: Tensor) -> Tensor:
    return sum((torch.outer(row, row) for row in rows.detach()), torch.zeros(rows.shape[1], rows.shape[1]))


@QUICK
@given(cases())
def test_the_outputs_moment_is_that_of_attention_written_out(case: Case) -> None:
    expected = second(attended(case)[case.kept_queries()])
    torch.testing.assert_close(moments_of(case).layers["attention.out_proj"][0], expected.double())


@QUICK
@given(cases())
def test_the_inputs_moments_are_those_of_the_tokens_that_are_not_padding(case: Case) -> None:
    found = moments_of(case).layers
    queries, keys = case.query[case.kept_queries()], case.key[case.kept_keys()]
    expected = [second(rows).double() for rows in (queries, keys, case.value[case.kept_keys()])]
    if case.attention.in_proj_weight is None:
        names = [f"attention.{letter}_proj" for letter in "qkv"]
        torch.testing.assert_close([found[name][0] for name in names], expected)
    elif case.query is case.key and case.key is case.value:
        torch.testing.assert_close(found["attention.in_proj"], expected[0][None])
    else:
        torch.testing.assert_close(found["attention.in_proj"], torch.stack(expected))


@QUICK
@given(cases())
def test_every_gradient_lies_in_the_span_of_the_rows(case: Case) -> None:
    model = Calling(case).eval()
    moments = moments_of(case)
    loss = model(ONE.inputs)[case.kept_queries()].sin().sum()
    for name, layer in observed_layers(model, moments.layers).items():
        (gradient,) = torch.autograd.grad(loss, layer.weight, retain_graph=True)
        view, moment = layer.view(gradient), moments.layers[name]
        onto_span = torch.linalg.pinv(moment, rtol=1e-12, hermitian=True) @ moment
        torch.testing.assert_close(view @ onto_span, view, rtol=1e-5, atol=1e-5)
        assert torch.equal(layer.fold(view), gradient)


@QUICK
@given(cases())
def test_a_gradient_outside_everything_that_is_protected_is_zero(case: Case) -> None:
    model = Calling(case).eval()
    moments = moments_of(case)
    loss = model(ONE.inputs)[case.kept_queries()].sin().sum()
    for one in guard(model, moments, dict.fromkeys(moments.layers, 1.0)):
        (gradient,) = torch.autograd.grad(loss, one.layer.weight, retain_graph=True)
        torch.testing.assert_close(one.outside(gradient), torch.zeros_like(gradient), rtol=0, atol=1e-5)


@QUICK
@given(cases())
def test_masks_of_numbers_are_masks_of_truth_values(case: Case) -> None:
    expected = moments_of(case)
    for name in ("padded", "forbidden"):
        mask = getattr(case, name)
        if mask is not None:
            numbers = torch.zeros(mask.shape, dtype=torch.float64).masked_fill(mask, -torch.inf)
            setattr(case, name, numbers)
    assert_same(moments_of(case), expected)


def assert_same(found: Moments, expected: Moments) -> None:
    assert found.positions == expected.positions
    torch.testing.assert_close(found.layers, expected.layers)


def test_a_call_may_give_everything_by_position() -> None:
    class Positional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            return self.attention(x, x, x, None, False, torch.zeros(3, 3).bool())[0]

    moments = collect(Positional(), Samples(torch.randn(5, 3, 4), torch.zeros(5).long()))
    assert moments.positions == {"attention.in_proj": 15, "attention.out_proj": 15}
