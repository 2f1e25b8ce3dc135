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


def with_new_head(model: nn.Module, retained: Samples, *, batch_size: int, seed: int) -> nn.Module:
    """Return a copy of a net whose last linear layer is new and fitted on retained data alone.

    Rows of classes that do not occur in the retained data stay as they were drawn.

    Args:
        model: Left as it is; on the samples' device.
        retained: Labelled samples; at least one.
        batch_size: Samples per forward pass.
        seed: For the new layer: the same for models that are compared.

    Returns:
        The copy, in the model's modes.
    """
    pupil = deepcopy(model).requires_grad_(True)
    head, features = _head_and_features(pupil, retained, batch_size)
    _draw(head, seed)
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


def _draw(head: nn.Linear, seed: int) -> None:
    """Give a layer fresh weights, the same ones on every device."""
    fresh = nn.Linear(head.in_features, head.out_features, bias=head.bias is not None)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        fresh.reset_parameters()
    head.load_state_dict(fresh.state_dict())


def _fit(head: nn.Linear, features: Tensor, labels: Tensor) -> None:
    """Fit the rows of the classes that occur by logistic regression."""
    classes, targets = labels.unique(return_inverse=True)
    fitted = [parameter[classes].detach().clone().requires_grad_(True) for parameter in head.parameters()]
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
            parameter[classes] = rows.detach()
