"""Learning from another model's outputs instead of labels."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def teacher(model: nn.Module) -> nn.Module:
    """Return a frozen copy of a model, in eval mode and without gradients."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def divergence(student: Tensor, taught: Tensor, *, temperature: float) -> Tensor:
    """Return how far a student's outputs are from a teacher's: ``T² · mean KL(teacher ‖ student)``.

    Both outputs are softened by the temperature, and the square keeps the size of gradients independent of it
    (Hinton, Vinyals & Dean, arXiv 1503.02531, section 2).

    Args:
        student: ``[samples, classes]`` logits.
        taught: ``[samples, classes]`` logits of the teacher.
        temperature: What the logits are divided by, T.

    Returns:
        A number, in nats.
    """
    mine, theirs = ((logits.float() / temperature).log_softmax(1) for logits in (student, taught))
    return F.kl_div(mine, theirs, reduction="batchmean", log_target=True) * temperature**2


def tilted(logits: Tensor, forgotten: tuple[int, ...], tilt: Tensor | float = 0.0) -> Tensor:
    """Return the softmax without the forgotten classes, times ``exp(tilt)``, and normalised over the others.

    Args:
        logits: ``[samples, classes]``.
        forgotten: The classes that are left out, of every sample: one that is taken for another forgotten
            class has not been forgotten.
        tilt: ``[classes]``; 0 masks and does nothing else.

    Returns:
        ``[samples, classes]`` probabilities.
    """
    shifted = logits.float() + tilt
    shifted[:, list(forgotten)] = -torch.inf
    return shifted.softmax(1)


def divergence_from(target: Tensor, logits: Tensor) -> Tensor:
    """Return the mean ``KL(target ‖ softmax(logits))`` over samples, in nats.

    Args:
        target: ``[samples, classes]`` probabilities; zeros are allowed.
        logits: ``[samples, classes]``.
    """
    return F.kl_div(logits.float().log_softmax(1), target, reduction="batchmean")
