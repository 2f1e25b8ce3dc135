"""Hyper-parameters by architecture, for what ``params.yaml`` leaves open.

Only values that were measured to be better than a method's own defaults on that architecture are listed; the
defaults themselves were chosen on ``small_resnet`` and the digits.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

_Settings = Mapping[str, Mapping[str, Any]]
"""Hyper-parameters by method."""

SGD = {"optimizer": "sgd", "weight_decay": 0.0, "schedule": "constant", "batch_size": 64}
ADAM = {**SGD, "optimizer": "adamw"}

PRESETS: Mapping[str, _Settings] = {
    "small_resnet": {  # the digits, classes 3 and 8; SCRUB also canaries
        "scrub": {"max_epochs": 3, "recipe": {**ADAM, "learning_rate": 0.004, "epochs": 6}},
        "ssd": {"alpha": 5.0},
        "salun": {"recipe": {**SGD, "learning_rate": 0.03, "epochs": 5}},
        "bad_teacher": {"recipe": {**ADAM, "learning_rate": 0.01, "epochs": 5}},
        "neg_grad_plus": {"recipe": {**SGD, "momentum": 0.0, "learning_rate": 0.05, "epochs": 5}},
        "gradient_ascent": {"recipe": {**SGD, "learning_rate": 0.0015, "epochs": 6}},
        "random_labels": {"recipe": {**ADAM, "learning_rate": 0.001, "epochs": 5}},
    },
}
"""By a pattern for the architecture's name, such as ``torchvision:resnet*``; the first match counts."""


def with_presets(
    settings: _Settings, architecture: str, presets: Mapping[str, _Settings] = PRESETS
) -> dict[str, dict[str, Any]]:
    """Fill in what the settings leave open.

    Args:
        settings: Hyper-parameters by method, as ``params.yaml`` holds them; a given null counts as given.
        architecture: The architecture's name.
        presets: The table.

    Returns:
        The settings of the same methods; where neither gives a value, the method's own default holds.
    """
    matching = (found for pattern, found in presets.items() if fnmatchcase(architecture, pattern))
    preset = next(matching, {})
    return {name: {**preset.get(name, {}), **given} for name, given in settings.items()}
