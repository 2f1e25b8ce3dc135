"""Attention as layers that are linear in their weight: its input projections and its output projection.

The rows of the output projection are what the heads compute from the values. torch computes them inside one
function and does not expose them, so they are computed again, by the same function with the identity in place
of the projection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.layer import BLOCK_ELEMENTS, Layer, kept


@dataclass(frozen=True)
class _Call:
    """The arguments of one attention call, as its ``forward`` receives them."""

    query: Tensor
    key: Tensor
    value: Tensor
    key_padding_mask: Tensor | None = None
    need_weights: bool = True
    attn_mask: Tensor | None = None
    average_attn_weights: bool = True
    is_causal: bool = False

    @property
    def padded_queries(self) -> Tensor | None:
        """The mask of the keys where it also masks the queries, that is where they are the keys."""
        return self.key_padding_mask if self.query is self.key else None


class PackedProjection(Layer):
    """The projections of queries, keys and values in one weight.

    Self-attention has one set of rows for all three. Otherwise the weight splits into three groups.
    """

    module: nn.MultiheadAttention

    def blocks(self, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
        """Yield the tokens, ``[1 or 3, positions, embed_dim]``; see ``Layer.blocks``."""
        call = _Call(*args, **kwargs)
        keys = _tokens(self.module, call.key, call.key_padding_mask)
        if call.query is call.key and call.key is call.value:
            yield from (block[None] for block in _split(keys))
            return
        for block in _split(_tokens(self.module, call.query, call.padded_queries)):
            yield torch.stack([block, torch.zeros_like(block), torch.zeros_like(block)])
        values = _tokens(self.module, call.value, call.key_padding_mask)
        for of_key, of_value in zip(_split(keys), _split(values), strict=True):
            yield torch.stack([torch.zeros_like(of_key), of_key, of_value])


class SeparateProjection(Layer):
    """The projection of queries, of keys or of values, each in its own weight."""

    module: nn.MultiheadAttention

    def blocks(self, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
        """Yield the tokens, ``[1, positions, d_in]``; see ``Layer.blocks``."""
        call = _Call(*args, **kwargs)
        inputs, padded = {
            "q_proj_weight": (call.query, call.padded_queries),
            "k_proj_weight": (call.key, call.key_padding_mask),
            "v_proj_weight": (call.value, call.key_padding_mask),
        }[self.path]
        yield from (block[None] for block in _split(_tokens(self.module, inputs, padded)))


class OutputProjection(Layer):
    """The projection of the heads' output."""

    module: nn.MultiheadAttention

    def blocks(self, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
        """Yield what the heads return for each query, ``[1, positions, embed_dim]``; see ``Layer.blocks``."""
        call = _Call(*args, **kwargs)
        rows = _tokens(self.module, _attend(self.module, call), call.padded_queries)
        yield from (block[None] for block in _split(rows))


def _attend(attention: nn.MultiheadAttention, call: _Call) -> Tensor:
    """Return the heads' output, before the output projection, in the query's layout."""
    swap = attention.batch_first and call.query.dim() == 3
    query, key, value = (x.transpose(0, 1) if swap else x for x in (call.query, call.key, call.value))
    attended, _ = F.multi_head_attention_forward(
        query,
        key,
        value,
        attention.embed_dim,
        attention.num_heads,
        attention.in_proj_weight,
        attention.in_proj_bias,
        attention.bias_k,
        attention.bias_v,
        attention.add_zero_attn,
        dropout_p=0.0,
        out_proj_weight=torch.eye(attention.embed_dim).to(attention.out_proj.weight),
        out_proj_bias=None,  # pyright: ignore[reportArgumentType]
        training=False,
        key_padding_mask=call.key_padding_mask,
        need_weights=False,
        attn_mask=call.attn_mask,
        use_separate_proj_weight=attention.in_proj_weight is None,
        q_proj_weight=attention.q_proj_weight,
        k_proj_weight=attention.k_proj_weight,
        v_proj_weight=attention.v_proj_weight,
    )
    return attended.transpose(0, 1) if swap else attended


def _tokens(attention: nn.MultiheadAttention, inputs: Tensor, padded: Tensor | None) -> Tensor:
    """Return the tokens of a batch, ``[positions, features]``, without those that a mask marks as padding.

    Args:
        attention: Says whether the batch comes first.
        inputs: ``[batch, tokens, features]``, ``[tokens, batch, features]`` or ``[tokens, features]``.
        padded: ``[batch, tokens]`` or ``[tokens]``: True, or minus infinity, where a token is padding.
    """
    if padded is None:
        return inputs.reshape(-1, inputs.shape[-1])
    by_batch = inputs.transpose(0, 1) if inputs.dim() == 3 and not attention.batch_first else inputs
    return by_batch[kept(padded)]


def _split(rows: Tensor) -> tuple[Tensor, ...]:
    return rows.split(max(1, BLOCK_ELEMENTS // rows.shape[1]))


@contextmanager
def modules_called() -> Iterator[None]:
    """Keep torch from computing whole encoder layers in one function, so that their parts are called."""
    found = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(found)
