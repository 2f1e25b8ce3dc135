"""The state of a model, kept aside to go back to."""

from torch import Tensor, nn


def copied_state(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's parameters and buffers, for ``load_state_dict``."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
