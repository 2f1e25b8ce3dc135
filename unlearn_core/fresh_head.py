"""A new last layer for a net whose features stay as they are."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.data import Samples
from unlearn_core.errors import UsageError
from unlearn_core.modes import mode
from unlearn_core.tracing import last_linear

DECAY, ITERATIONS = 1e-3, 100
"""Of the fit: weight decay, which makes its solution the only one, and steps of L-BFGS."""


def with_new_head(model: nn.Module, retained: Samples, *, batch_size: int) -> nn.Module:
    """Return a copy of a net whose last linear layer is new and fitted on retained data alone.

    All of it starts at zero, and the rows of classes that do not occur in the retained data stay there: as
    the rows that are fitted have a mean of zero, these classes are neither favoured nor avoided. With
    random rows there, how soon such a class was learned depended more on the draw than on the model.

    Args:
        model: Left as it is; on the samples' device.
        retained: Labelled samples; at least one.
        batch_size: Samples per forward pass.

    Returns:
        The copy, in the model's modes.
    """
    pupil = deepcopy(model).requires_grad_(True)
    head, features = _head_and_features(pupil, retained, batch_size)
    _fit(head, features, retained.labels)
    return pupil


def _head_and_features(model: nn.Module, samples: Samples, batch_size: int) -> tuple[nn.Linear, Tensor]:
    """Return the linear layer that runs last, and its inputs, averaged over tokens, ``[samples, d]``."""
    inputs: list[Tensor] = []
    with mode(model, "eval"), torch.no_grad(), last_linear(model) as ran:
        for batch in samples.batches(batch_size):
            model(batch.inputs)
            if not ran:
                raise UsageError("no linear layer ran; a new head takes the place of the last one")
            inputs.append(ran[0].input.flatten(1, -2).mean(1) if ran[0].input.ndim > 2 else ran[0].input)
    return ran[0].module, torch.cat(inputs)


def _fit(head: nn.Linear, features: Tensor, labels: Tensor) -> None:
    """Fit the rows of the classes that occur by logistic regression, and set all others to zero."""
    classes, targets = labels.unique(return_inverse=True)
    fitted = [torch.zeros_like(parameter[classes]).requires_grad_(True) for parameter in head.parameters()]
    optimizer = torch.optim.LBFGS(fitted, max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        found = F.cross_entropy(F.linear(features, *fitted), targets) + DECAY * fitted[0].square().sum()
        found.backward()
        return found

    with torch.enable_grad():
        optimizer.step(loss)
    with torch.no_grad():
        for parameter, rows in zip(head.parameters(), fitted, strict=True):
            parameter.zero_()
            parameter[classes] = rows.detach()
