"""The kernels as textbooks write them: what Lethe's own are compared with.

Float64 ``unfold`` and whole products for second moments, dense ``d × d`` projectors for projected
gradients, eigenvectors of whole moments for class projection. None of ``unlearn_core``'s kernels is used.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.methods.pgu import forget_loss


def layers_of(net: nn.Module) -> dict[str, nn.Module]:
    """Return the convolutions (of two dimensions, one group, padded with zeros) and linear layers."""
    return {
        name: module for name, module in net.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))
    }


def rows_of(module: nn.Module, inputs: Tensor) -> Tensor:
    """Return a layer's input rows, ``[positions, d_in]``."""
    if isinstance(module, nn.Conv2d):
        patches = F.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride)  # pyright: ignore
        return patches.transpose(1, 2).flatten(0, 1)
    return inputs.reshape(-1, inputs.shape[-1])


def moments(net: nn.Module, samples: Samples, *, batch_size: int) -> dict[str, Tensor]:
    """Return second moments: every row unfolded, every product whole, all of it in float64."""
    sums: dict[str, Tensor] = {}

    def hook(name: str) -> Callable[..., None]:
        def see(module: nn.Module, args: tuple[Tensor, ...]) -> None:
            rows = rows_of(module, args[0].double())
            product = rows.T @ rows
            sums[name] = sums[name] + product if name in sums else product

        return see

    handles = [module.register_forward_pre_hook(hook(name)) for name, module in layers_of(net).items()]
    with torch.no_grad():
        for batch in samples.batches(batch_size):
            net(batch.inputs)
    for handle in handles:
        handle.remove()
    return sums


def pgu_epoch(
    net: nn.Module, projectors: dict[str, Tensor], batches: Iterable[Samples], *, learning_rate: float
) -> None:
    """Descend once over all batches with ``g - g P``, P dense; steps are a fraction of the weights' norm."""
    modules = layers_of(net)
    weights = [modules[name].weight for name in projectors]
    for batch in batches:
        on_labels, negative_entropy = forget_loss(net(batch.inputs), batch.labels, offset=0.05)
        gradients = torch.autograd.grad(on_labels + 0.2 * negative_entropy, weights)
        steps = [
            gradient - (gradient.flatten(1) @ projector).view_as(gradient)
            for gradient, projector in zip(gradients, projectors.values(), strict=True)
        ]
        rate = learning_rate * _norm(weights) / _norm(steps)
        with torch.no_grad():
            for weight, step in zip(weights, steps, strict=True):
                weight.sub_(rate * step)


def _norm(tensors: list[Tensor]) -> float:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).norm().item()


def class_projections(
    weight: Tensor, retain: Tensor, forget: Tensor, alphas: list[tuple[float, float]]
) -> list[Tensor]:
    """Return ``W (I - (M_f - M_f M_r))^T`` for pairs of alphas (Kodge et al., eq. 4-6), M as matrices."""
    of_retain, of_forget = (torch.linalg.eigh(moment) for moment in (retain, forget))
    retained = {alpha: _scaled(*of_retain, alpha) for alpha, _ in alphas}
    forgotten = {alpha: _scaled(*of_forget, alpha) for _, alpha in alphas}
    identity = torch.eye(len(retain), dtype=weight.dtype, device=weight.device)
    return [weight @ (identity - (forgotten[f] - forgotten[f] @ retained[r])).T for r, f in alphas]


def _scaled(values: Tensor, vectors: Tensor, alpha: float) -> Tensor:
    share = values.clamp_min(0) / values.sum()
    return (vectors * (alpha * share / ((alpha - 1) * share + 1))) @ vectors.T
