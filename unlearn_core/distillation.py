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


def masked(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the softmax without each sample's own class: 0 there, and normalised over the others.

    Args:
        logits: ``[samples, classes]``.
        labels: ``[samples]``, the classes that are left out.

    Returns:
        ``[samples, classes]`` probabilities.
    """
    return logits.float().scatter(1, labels[:, None], -torch.inf).softmax(1)


def divergence_from(target: Tensor, logits: Tensor) -> Tensor:
    """Return the mean ``KL(target ‖ softmax(logits))`` over samples, in nats.

    Args:
        target: ``[samples, classes]`` probabilities; zeros are allowed.
        logits: ``[samples, classes]``.
    """
    return F.kl_div(logits.float().log_softmax(1), target, reduction="batchmean")
