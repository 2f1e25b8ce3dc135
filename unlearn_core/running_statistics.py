"""Running statistics of batch normalisation, taken anew."""

import torch
from torch import nn

from unlearn_core.data import Samples
from unlearn_core.modes import mode


def running_norms(model: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """Return the layers that normalise by running statistics of batches."""
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
    ]


def take_statistics_anew(
    model: nn.Module, samples: Samples, *, batch_size: int, generator: torch.Generator
) -> None:
    """Replace the running statistics by the means over one pass, as ``torch.optim.swa_utils.update_bn`` does.

    Unlike there only the normalisations are in train mode, so nothing is dropped at random.

    Args:
        model: Changed in place; its modes are left as they were.
        samples: What to pass over. A last batch of one sample is left out.
        batch_size: Samples per batch.
        generator: Where the order of the samples comes from.
    """
    norms = running_norms(model)
    momenta = [norm.momentum for norm in norms]
    try:
        with mode(model, "eval"), torch.no_grad():
            for norm in norms:
                norm.reset_running_stats()
                norm.train()
                norm.momentum = None  # the mean over all batches
            for batch in samples.batches(batch_size, generator=generator):
                if len(batch) > 1:
                    model(batch.inputs)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
