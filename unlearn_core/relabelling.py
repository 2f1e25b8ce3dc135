"""Wrong labels, drawn at random, to teach the model about the samples that it is to forget."""

from dataclasses import replace

import torch
from torch import Tensor

from unlearn_core.data import Samples
from unlearn_core.errors import UnlearningError


def relabelled(samples: Samples, classes: Tensor, *, generator: torch.Generator) -> Samples:
    """Give every sample one of the other classes as its label, all equally likely.

    Args:
        samples: What is relabelled.
        classes: ``[classes]``, int64: the labels to draw from; a sample's own is never drawn.
        generator: A CPU generator.

    Returns:
        The same inputs in the same order, with the drawn labels.

    Raises:
        UnlearningError: If a sample has no other class.
    """
    choices, labels = classes.cpu(), samples.labels.cpu()
    others = (choices != labels[:, None]).float()
    if not others.any(1).all():
        raise UnlearningError(
            f"there is no wrong label to draw: the classes are {choices.tolist()} and a sample's own is the "
            "only one of them; use a method that does not relabel"
        )
    drawn = choices[torch.multinomial(others, 1, generator=generator).squeeze(1)]
    return replace(samples, labels=drawn.to(samples.labels.device))
