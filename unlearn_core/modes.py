"""Train and eval modes of a model's modules, and putting them back."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def mode(model: nn.Module, name: str) -> Iterator[None]:
    """Put a model into one mode inside, and restore every module's own mode afterwards.

    Args:
        model: The model; its modules may be in different modes.
        name: ``"eval"`` or ``"train"``.
    """
    found = [(module, module.training) for module in model.modules()]
    model.train(name == "train")
    try:
        yield
    finally:
        for module, training in found:
            module.training = training
