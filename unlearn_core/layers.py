"""Layers that are linear in their weight, brought to one shape.

Such a layer computes ``y = W x`` for many input rows ``x``: a linear layer for every vector that it is
given, a convolution for every patch that its kernel sees. So each is described by

* its rows, ``[groups, positions, d_in]``, and
* a view of its weight, ``[groups, d_out / groups, d_in]``,

with ``outputs[g] = rows[g] @ view[g].T``. It follows that every gradient of ``view[g]`` lies in the span
of ``rows[g]`` (Hoang et al., arXiv 2312.04095, section 4), which is all that the projection methods
need to know. Beyond this file no code asks what kind of layer it has.

To add a kind: one class with its rows (and its view, if a plain reshape does not give it), and one line
in ``KINDS``.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from math import prod

from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.records.result import Coverage, ParameterCoverage, Treatment

BLOCK_ELEMENTS = 2**22
"""How many numbers one block of rows may hold; a single sample's rows are never divided."""

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


class Layer(ABC):
    """One module, seen as linear in its weight.

    Attributes:
        name: The weight's layer name. Modules that share a weight share the name, so sums by name are
            sums over all uses of the weight.
        module: The module whose inputs are the rows' origin.
        groups: How many independent blocks the weight has.
    """

    def __init__(self, name: str, module: nn.Module) -> None:
        self.name = name
        self.module = module
        self.groups = int(getattr(module, "groups", 1))

    @property
    def weight(self) -> nn.Parameter:
        """The weight itself."""
        weight = self.module.weight
        assert isinstance(weight, nn.Parameter)
        return weight

    @abstractmethod
    def blocks(self, inputs: Tensor) -> Iterator[Tensor]:
        """Yield the rows of one call's inputs in blocks of bounded size.

        Args:
            inputs: What the module was called with.

        Yields:
            Rows, ``[groups, positions, d_in]``, in the inputs' type.
        """

    def view(self, tensor: Tensor) -> Tensor:
        """Return a tensor of the weight's shape as ``[groups, d_out / groups, d_in]``."""
        return tensor.reshape(self.groups, tensor.shape[0] // self.groups, -1)

    def fold(self, view: Tensor) -> Tensor:
        """Return ``[groups, d_out / groups, d_in]`` as a tensor of the weight's shape."""
        return view.reshape(self.weight.shape)


class Dense(Layer):
    """A linear layer: inputs of any rank, one row per vector."""

    def blocks(self, inputs: Tensor) -> Iterator[Tensor]:
        """Yield the input vectors, ``[1, positions, in_features]``; see ``Layer.blocks``."""
        rows = inputs.reshape(-1, inputs.shape[-1])
        for block in rows.split(max(1, BLOCK_ELEMENTS // rows.shape[1])):
            yield block[None]


class Convolution(Layer):
    """A two-dimensional convolution: one row per patch, in the order of ``torch.nn.functional.unfold``."""

    module: nn.Conv2d

    def blocks(self, inputs: Tensor) -> Iterator[Tensor]:
        """Yield the patches, channels split by group, ``[groups, positions, d_in]``; see ``Layer.blocks``."""
        conv = self.module
        padding_mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        padded = F.pad(inputs if inputs.dim() == 4 else inputs[None], self._borders(), mode=padding_mode)
        for images in padded.split(self._images_per_block(padded)):
            patches = F.unfold(
                images, _pair(conv.kernel_size), _pair(conv.dilation), stride=_pair(conv.stride)
            )
            split = patches.unflatten(1, (self.groups, -1))  # [images, groups, d_in, positions]
            yield split.permute(1, 0, 3, 2).flatten(1, 2)

    def _borders(self) -> list[int]:
        """Return left, right, top and bottom padding; an odd total is wider at the end, as torch has it."""
        conv = self.module
        borders: list[int] = []
        for axis in (1, 0):
            if conv.padding == "same":
                total = conv.dilation[axis] * (conv.kernel_size[axis] - 1)
            else:
                total = 0 if isinstance(conv.padding, str) else 2 * int(conv.padding[axis])
            borders += [total // 2, total - total // 2]
        return borders

    def _images_per_block(self, padded: Tensor) -> int:
        conv = self.module
        reach = [conv.dilation[axis] * (conv.kernel_size[axis] - 1) for axis in (0, 1)]
        positions = prod(
            (padded.shape[2 + axis] - reach[axis] - 1) // conv.stride[axis] + 1 for axis in (0, 1)
        )
        return max(1, BLOCK_ELEMENTS // (positions * conv.in_channels * prod(conv.kernel_size)))


def _pair(value: tuple[int, ...]) -> tuple[int, int]:
    return (value[0], value[1])


KINDS: dict[type[nn.Module], type[Layer]] = {nn.Linear: Dense, nn.Conv2d: Convolution}
"""Which modules are linear in their weight, and how."""


def linear_layers(model: nn.Module) -> list[Layer]:
    """Find the modules whose weight can be projected.

    A depthwise convolution is left out: the few coordinates of its rows are all in use, so nothing of it
    would be left to edit. So is a weight that any module uses in another way (an embedding that shares
    its matrix with the head), and a subclass that computes its output differently.

    Args:
        model: The model to look through.

    Returns:
        One entry per module, in the model's order; modules that share a weight share the name.
    """
    found: list[Layer] = []
    for uses in _uses(model).values():
        name, _, first = uses[0]
        if all(leaf == "weight" and _is_like(module, first) for _, leaf, module in uses):
            found += [KINDS[kind](name, module) for _, _, module in uses if (kind := _kind(module))]
    return found


def projection_coverage(
    model: nn.Module, projected: Collection[str], *, protected: Collection[str] = ()
) -> Coverage:
    """Say for every parameter whether a projection method edits, freezes or cannot reach it.

    Args:
        model: The model.
        projected: Names of the layers whose inputs were observed and whose weight is projected. A linear
            layer that is not among them was never seen at work, and counts as unsupported.
        protected: Those of them whose inputs are protected entirely, so that their weight stays.

    Returns:
        The coverage, one entry per parameter.
    """
    weights = {id(layer.weight): layer.name for layer in linear_layers(model)}
    entries: list[tuple[str, Tensor, Treatment, str]] = []
    for name, parameter in model.named_parameters():
        owner_name, _, leaf = name.rpartition(".")
        treatment, reason = _frozen_or_unsupported(model.get_submodule(owner_name), leaf)
        if (layer := weights.get(id(parameter))) in protected:
            treatment, reason = "frozen", "its input space is protected entirely"
        elif layer in projected:
            treatment, reason = "projected", ""
        elif layer is not None:
            treatment, reason = "unsupported", "its layer was never called, so its inputs are unknown"
        entries.append((name, parameter, treatment, reason))
    return _coverage(entries)


def all_trained(model: nn.Module) -> Coverage:
    """Return the coverage of a method that trains every parameter freely."""
    return _coverage([(name, parameter, "trained", "") for name, parameter in model.named_parameters()])


def _coverage(entries: list[tuple[str, Tensor, Treatment, str]]) -> Coverage:
    total = sum(parameter.numel() for _, parameter, _, _ in entries)
    return Coverage(
        parameters=tuple(
            ParameterCoverage(
                parameter=name,
                treatment=treatment,
                elements=parameter.numel(),
                share=parameter.numel() / total,
                reason=reason,
            )
            for name, parameter, treatment, reason in entries
        )
    )


def _uses(model: nn.Module) -> dict[int, list[tuple[str, str, nn.Module]]]:
    """Return for every parameter where it is held: module name, name within the module, module."""
    uses: dict[int, list[tuple[str, str, nn.Module]]] = {}
    for name, module in model.named_modules():
        for leaf, parameter in module.named_parameters(recurse=False):
            uses.setdefault(id(parameter), []).append((name, leaf, module))
    return uses


def _kind(module: nn.Module) -> type[nn.Module] | None:
    """Return the kind of a module that computes exactly what its kind does."""
    for kind in KINDS:
        methods = [name for name in ("forward", "_conv_forward") if hasattr(kind, name)]
        if isinstance(module, kind) and all(
            getattr(type(module), name) is getattr(kind, name) for name in methods
        ):
            return None if _is_depthwise(module) else kind
    return None


def _is_like(module: nn.Module, first: nn.Module) -> bool:
    """Whether two modules see a weight that they share in the same way."""
    same_groups = getattr(module, "groups", 1) == getattr(first, "groups", 1)
    return _kind(module) is not None and _kind(module) is _kind(first) and same_groups


def _is_depthwise(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels


def _frozen_or_unsupported(owner: nn.Module, leaf: str) -> tuple[Treatment, str]:
    """Return how a projection method treats a parameter that is not a linear layer's weight."""
    if isinstance(owner, NORMS):
        return "frozen", "normalisation"
    if isinstance(owner, EMBEDDINGS):
        return "frozen", "embedding"
    if leaf.startswith("bias") or leaf.endswith("bias"):
        return "frozen", "bias"
    if _is_depthwise(owner):
        return "frozen", "depthwise convolution: its input space is in use entirely"
    if re.search(r"(^|_)(pos|position|token|tokens)(_|$)", leaf):
        return "frozen", "positional or class token"
    return "unsupported", f"{type(owner).__name__} is not known to be linear in it"
