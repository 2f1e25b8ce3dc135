"""Models that were trained elsewhere: what is claimed of one, and what was found."""

from typing import Literal

from pydantic import Field

from unlearn_core.kinds import EvidenceLevel
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import Normalisation


class Claims(Record):
    """The card that may stand beside a checkpoint; whatever is not claimed is determined, or unknown.

    ``classes`` are in the order of the model's outputs, ``accuracy`` is on held-out data, between 0 and 1.
    ``part`` is the name under which the net lies among the weights, if they hold it several times. Without a
    ``recipe`` the model cannot be retrained.
    """

    architecture: str | None = None
    classes: tuple[str, ...] | None = Field(default=None, min_length=2)
    normalisation: Normalisation | None = None
    channels: Literal[1, 3] | None = None
    image_size: int | None = Field(default=None, ge=1)
    orientation: Literal["follow", "ignore"] | None = None
    accuracy: float | None = Field(default=None, ge=0, le=1)
    part: str | None = None
    recipe: Recipe | None = None


class Outlook(Record):
    """What deletions on a model can get: the methods that serve each kind of request, and the evidence."""

    classes: tuple[str, ...]
    samples: tuple[str, ...]
    level: EvidenceLevel


class Adopted(Record):
    """An adopted model as it stands in this checkout."""

    schema_version: Literal["lethe.adopted/1"] = "lethe.adopted/1"
    weights: Sha256
    data: Sha256
    architecture: str
    accuracy: float
    claimed: float | None
    samples: int
    registered_model: str
    registered_version: int
    reference: Literal["none", "cached", "calibrated", "build"]
    outlook: Outlook
