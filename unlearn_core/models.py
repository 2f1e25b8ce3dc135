"""Nets by name: Lethe's small ones, torchvision's, or a user's own factory."""

import importlib
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.artifact import Architecture


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions around a shortcut (He et al., arXiv 1512.03385, figure 2)."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, channels_in, h, w]`` to ``[n, channels_out, h / stride, w / stride]``."""
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """A residual net of about 0.1 million weights, for images of a few pixels."""

    def __init__(self, classes: int, channels_in: int, width: int = 32) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels_in, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.block1 = ResidualBlock(width, width, stride=1)
        self.block2 = ResidualBlock(width, 2 * width, stride=2)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images ``[n, channels_in, h, w]`` to logits ``[n, classes]``."""
        x = F.relu(self.bn(self.stem(x)))
        x = self.block2(self.block1(x))
        return self.head(x.mean(dim=(2, 3)))


def small_resnet(architecture: Architecture) -> nn.Module:
    """Build a ``SmallResNet``."""
    return SmallResNet(len(architecture.classes), architecture.input_shape[0])


SMALL_NETS: dict[str, Callable[[Architecture], nn.Module]] = {"small_resnet": small_resnet}


def build(architecture: Architecture) -> nn.Module:
    """Build an untrained net, with fresh weights from torch's global generator.

    Args:
        architecture: ``small_resnet``; ``torchvision:NAME`` for a classification net of torchvision; or
            ``module:factory`` for a function of yours that takes ``classes`` (how many) and
            ``input_shape`` (channels, height, width) by name and returns a module.

    Returns:
        The net, in train mode.

    Raises:
        ConfigurationError: If there is no such net; the message lists the available ones.
    """
    source, _, name = architecture.name.partition(":")
    if not name:
        return _small(architecture)
    if source == "torchvision":
        return _from_torchvision(name, len(architecture.classes))
    factory = _factory(source, name)
    return factory(classes=len(architecture.classes), input_shape=architecture.input_shape)


def build_seeded(architecture: Architecture, seed: int) -> nn.Module:
    """Build an untrained net whose weights depend on ``seed`` alone; the global generator is untouched."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(architecture)


def _small(architecture: Architecture) -> nn.Module:
    if architecture.name not in SMALL_NETS:
        raise ConfigurationError(
            f"there is no net {architecture.name!r}; use {', '.join(SMALL_NETS)}, "
            "torchvision:NAME or module:factory"
        )
    return SMALL_NETS[architecture.name](architecture)


def _from_torchvision(name: str, classes: int) -> nn.Module:
    from torchvision.models import get_model, list_models

    if name not in (known := list_models()):
        raise ConfigurationError(f"torchvision has no net {name!r}; it has {', '.join(known)}")
    return get_model(name, weights=None, num_classes=classes)


def _factory(module: str, name: str) -> Callable[..., nn.Module]:
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"cannot find {name!r} in module {module!r} ({error}); it must be importable where Lethe runs"
        ) from error
