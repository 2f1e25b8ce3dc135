"""A layer that is linear in its weight, brought to one shape.

Such a layer computes ``y = W x`` for many input rows ``x``: a linear layer for every input vector, a
convolution for every patch under its kernel, a transposed convolution for every pixel (the patches made of
them overlap in its output), attention for every token. So each is described by

* its rows, ``[groups, positions, d_in]``, and
* a view of its weight, ``[groups, d_out, d_in]``,

with ``outputs[g] = rows[g] @ view[g].T``, or, where the groups are blocks of inputs, with outputs that are
the sum of these products. It follows that every gradient of ``view[g]`` lies in the span of ``rows[g]``
(Hoang et al., arXiv 2312.04095, section 4), which is all that the projection methods need to know: they
multiply the view on the right, even where the stored weight would be multiplied on the left. Only the files
that hold a kind of layer, and the list of them in ``layers``, know the kinds.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.grams import Gram, mirrored, upper_products

BLOCK_ELEMENTS = 2**22
"""How many numbers one block of rows may hold; a single sample's rows are never split."""

WIDEST = 16_384
"""The second moment of more inputs than that would take more than 2 GiB, and its decomposition hours."""

WIDE_BLOCK = 4_096
"""The inputs of a linear layer that is wider than that are taken in blocks of at most so many."""


class Layer(ABC):
    """One weight of one module, in which the module is linear.

    Attributes:
        name: The weight's layer name. Modules that share a weight share the name, so sums by name are
            sums over all uses of the weight.
        module: The module whose inputs give the rows.
        path: The weight's path within the module.
        groups: How many blocks the weight has.
        padded: Which tokens of the current call are padding, as far as an enclosing module knows.
    """

    def __init__(self, name: str, module: nn.Module, path: str = "weight") -> None:
        self.name = name
        self.module = module
        self.path = path
        self.groups = int(getattr(module, "groups", 1))
        self.padded: Tensor | None = None

    @property
    def weight(self) -> nn.Parameter:
        """The weight itself."""
        return self.module.get_parameter(self.path)

    @property
    def d_in(self) -> int:
        """How many numbers a row has."""
        return self.view(self.weight.detach()).shape[2]

    @abstractmethod
    def blocks(self, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
        """Yield the rows of one call in blocks of bounded size.

        Args:
            *args: What the module was called with.
            **kwargs: What it was called with by name.

        Yields:
            Rows, ``[groups, positions, d_in]``, in the inputs' type; ``[1, positions, d_in]`` if all groups
            have the same, and zeros if a group has none.
        """

    def gram(self, *args: Any, **kwargs: Any) -> Gram:
        """Multiply the rows of one call with each other.

        Args:
            *args: What the module was called with.
            **kwargs: What it was called with by name.

        Returns:
            The summed products; ``moment`` turns them into the second moment.
        """
        blocks = self.blocks(*args, **kwargs)
        first = next(blocks)
        sums, positions = upper_products(first), first.shape[1]
        for rows in blocks:
            sums += upper_products(rows)
            positions += rows.shape[1]
        return Gram(len(sums), sums, positions)  # the rows of all groups may be the same

    def moment(self, form: Hashable, sums: Tensor) -> Tensor:  # noqa: ARG002
        """Return the second moment, ``[groups, d_in, d_in]``, for sums of a form; the sums are consumed."""
        return mirrored(sums)

    def view(self, tensor: Tensor) -> Tensor:
        """Return a tensor of the weight's shape as ``[groups, d_out, d_in]``."""
        return tensor.reshape(self.groups, tensor.shape[0] // self.groups, -1)

    def fold(self, view: Tensor) -> Tensor:
        """Return ``[groups, d_out, d_in]`` as a tensor of the weight's shape."""
        return view.reshape(self.weight.shape)


class Dense(Layer):
    """A linear layer: inputs of any rank, one row per vector.

    With more than ``WIDEST`` inputs its groups are blocks of inputs that lie next to each other. What is
    known of each block is exact; how inputs of two blocks go together is not, as if their products were zero.
    """

    def __init__(self, name: str, module: nn.Module, path: str = "weight") -> None:
        super().__init__(name, module, path)
        self._width = self.weight.shape[1]
        if self._width > WIDEST:
            self.groups = ceil(self._width / WIDE_BLOCK)

    def blocks(self, input: Tensor) -> Iterator[Tensor]:  # noqa: A002
        """Yield the inputs that are not padding, ``[groups, positions, d_in]``; see ``Layer.blocks``."""
        if self.padded is not None and self.padded.shape == input.shape[:-1]:
            input = input[kept(self.padded)]  # noqa: A001
        rows = input.reshape(-1, input.shape[-1])
        for block in rows.split(max(1, BLOCK_ELEMENTS // rows.shape[1])):
            yield self.view(block)

    def view(self, tensor: Tensor) -> Tensor:
        """Return rows or a weight, ``[rows, width]``, by blocks of columns, ``[groups, rows, d_in]``.

        The last block is filled with zeros, as inputs that never occur.
        """
        each = ceil(self._width / self.groups)
        filled = F.pad(tensor, (0, each * self.groups - self._width)) if self._width % each else tensor
        return filled.unflatten(1, (self.groups, each)).transpose(0, 1)

    def fold(self, view: Tensor) -> Tensor:
        """Return ``[groups, d_out, d_in]`` as a tensor of the weight's shape."""
        return view.transpose(0, 1).flatten(1)[:, : self._width]


def kept(padded: Tensor) -> Tensor:
    """Return where tokens are not padding, from a mask that is True, or minus infinity, where they are."""
    return ~padded if padded.dtype == torch.bool else padded != -torch.inf
