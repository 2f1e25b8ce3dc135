"""Which modules are linear in their weight, and what a projection does to every parameter of a model.

Every kind of layer has one form (see ``layer``): input rows, and a view of the weight.

To add a kind: one class with its rows (and its view, if a plain reshape does not give it), and one line
in ``_KINDS``.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial

from torch import Tensor, nn

from unlearn_core.attention import OutputProjection, PackedProjection, SeparateProjection
from unlearn_core.convolutions import Convolution, TransposedConvolution, is_depthwise
from unlearn_core.layer import WIDEST, Dense, Layer
from unlearn_core.records.result import Coverage, ParameterCoverage, Treatment

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)

_KINDS: dict[type[nn.Module], dict[str, type[Layer]]] = {
    nn.Linear: {"weight": Dense},
    nn.Conv1d: {"weight": Convolution},
    nn.Conv2d: {"weight": Convolution},
    nn.Conv3d: {"weight": Convolution},
    nn.ConvTranspose1d: {"weight": TransposedConvolution},
    nn.ConvTranspose2d: {"weight": TransposedConvolution},
    nn.ConvTranspose3d: {"weight": TransposedConvolution},
    nn.MultiheadAttention: {
        "in_proj_weight": PackedProjection,
        "q_proj_weight": SeparateProjection,
        "k_proj_weight": SeparateProjection,
        "v_proj_weight": SeparateProjection,
        "out_proj.weight": OutputProjection,
    },
}
"""In which of their weights modules are linear, and how."""

COMPUTING = ("forward", "_conv_forward", "_output_padding")
"""A subclass that overrides one of these methods is not of its parent's kind."""


def linear_layers(model: nn.Module) -> list[Layer]:
    """Find the modules whose weight can be projected.

    A depthwise convolution is left out: the few coordinates of its rows are all in use, so nothing would be
    left to edit. So is a weight that any module uses in another way (an embedding that shares its matrix with
    the head), a subclass that computes its output differently, and a convolution whose patches have more than
    ``WIDEST`` numbers.

    Args:
        model: The model to search.

    Returns:
        One entry per module, in the model's order; modules that share a weight share the name.
    """
    return [layer for layer in _linear_in_their_weight(model) if layer.d_in <= WIDEST]


def _linear_in_their_weight(model: nn.Module) -> list[Layer]:
    """Find what ``linear_layers`` returns, and the layers that are too wide for it."""
    claims = _claims(model)
    found: list[Layer] = []
    for uses in _uses(model).values():
        claimed = [claims.get((id(holder), leaf)) for _, leaf, holder in uses]
        layers = [claim(_layer_name(*uses[0][:2])) for claim in claimed if claim]
        if len(layers) == len(uses) and len({(type(layer), layer.groups) for layer in layers}) == 1:
            found += layers
    return found


def observed_layers(model: nn.Module, moments: Mapping[str, Tensor]) -> dict[str, Layer]:
    """Return the observed layers, with their weights in as many groups as the moments have.

    Args:
        model: The model that the moments were taken of.
        moments: By layer name, ``[groups, d_in, d_in]``.

    Returns:
        One layer per weight, by name.
    """
    layers = {layer.name: layer for layer in linear_layers(model) if layer.name in moments}
    for name, layer in layers.items():
        layer.groups = len(moments[name])
    return layers


def projection_coverage(
    model: nn.Module, projected: Collection[str], *, protected: Collection[str] = ()
) -> Coverage:
    """Say for every parameter whether a projection method edits, freezes or cannot reach it.

    Args:
        model: The model.
        projected: Names of the layers whose inputs were observed and whose weight is projected. A linear
            layer that is not among them was never called, or is too wide, and counts as unsupported.
        protected: Those of them whose inputs are protected entirely, so that their weight does not change.

    Returns:
        The coverage, one entry per parameter.
    """
    layers = _linear_in_their_weight(model)
    by_weight = {id(layer.weight): layer for layer in layers}
    uses = Counter(layer.name for layer in layers)
    entries: list[tuple[str, Tensor, Treatment, str]] = []
    for name, parameter in model.named_parameters():
        layer = by_weight.get(id(parameter))
        if layer is None:
            owner, _, leaf = name.rpartition(".")
            treatment, reason = _frozen_or_unsupported(model.get_submodule(owner), leaf)
        elif layer.name in protected:
            treatment, reason = "frozen", "its input space is protected entirely"
        elif layer.name in projected:
            treatment, reason = "projected", _sharing(uses[layer.name]) or _blocked(layer)
        else:
            treatment, reason = "unsupported", _unobserved(layer.d_in)
        entries.append((name, parameter, treatment, reason))
    return _coverage(entries)


def _unobserved(d_in: int) -> str:
    """Say why nothing is known about the inputs of a layer."""
    if d_in > WIDEST:
        return f"its layer has {d_in:,} inputs, and second moments are taken of at most {WIDEST:,}"
    return "its layer was never called, so its inputs are unknown"


def _blocked(layer: Layer) -> str:
    """Say that only blocks of a layer's inputs are known, if it is so wide."""
    if not isinstance(layer, Dense) or layer.groups == 1:
        return ""
    return (
        f"it is projected in {layer.groups} blocks of up to {layer.d_in:,} inputs; how inputs of two blocks "
        "go together is not known"
    )


def _sharing(uses: int) -> str:
    """Say that a weight is tied, since one projection then serves inputs of several places."""
    return f"{uses} modules share it: it is projected for the inputs of all together" if uses > 1 else ""


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
        for leaf, parameter in module.named_parameters(recurse=False, remove_duplicate=False):
            uses.setdefault(id(parameter), []).append((name, leaf, module))
    return uses


def _claims(model: nn.Module) -> dict[tuple[int, str], Callable[[str], Layer]]:
    """Return by holder and name within it which weights are read linearly, and how to make their layer.

    Modules come before those within them: attention claims the weight of its own output layer.
    """
    claims: dict[tuple[int, str], Callable[[str], Layer]] = {}
    for module in model.modules():
        for path, layer in _readings(module).items():
            holder, _, leaf = path.rpartition(".")
            make = partial(layer, module=module, path=path)
            claims.setdefault((id(module.get_submodule(holder)), leaf), make)
    return claims


def _readings(module: nn.Module) -> dict[str, type[Layer]]:
    """Return how a module reads its weights, if it computes exactly what its kind does."""
    for kind, readings in _KINDS.items():
        own = [getattr(type(module), name, None) is not getattr(kind, name, None) for name in COMPUTING]
        if isinstance(module, kind) and not any(own) and not is_depthwise(module):
            return readings
    return {}


def _layer_name(holder: str, leaf: str) -> str:
    """Return a weight's name without "weight": ``a`` of ``a.weight``, ``q_proj`` of ``q_proj_weight``."""
    return ".".join(part for part in (holder, leaf.removesuffix("weight").removesuffix("_")) if part)


def _frozen_or_unsupported(owner: nn.Module, leaf: str) -> tuple[Treatment, str]:
    """Return how a projection method treats a parameter that is not a linear layer's weight."""
    if isinstance(owner, NORMS):
        return "frozen", "normalisation"
    if isinstance(owner, EMBEDDINGS):
        return "frozen", "embedding"
    if leaf.startswith("bias") or leaf.endswith("bias"):
        return "frozen", "bias"
    if is_depthwise(owner):
        return "frozen", "depthwise convolution: its input space is in use entirely"
    if re.search(r"(^|_)(pos|position|token|tokens)(_|$)", leaf):
        return "frozen", "positional or class token"
    return "unsupported", f"{type(owner).__name__} is not known to be linear in it"
