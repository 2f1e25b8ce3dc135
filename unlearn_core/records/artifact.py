"""The cards beside files of tensors: of checkpoints and of second moments."""

from typing import Literal

from pydantic import Field

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import Normalisation


class Recipe(Record):
    """How a net is trained; ``retrain`` repeats exactly this.

    ``learning_rate`` is the peak. ``augmentation`` ``shift`` moves each image by up to ``max_shift``
    pixels, and fills the ``border`` with copies of its edge or with its reflection; ``flip_shift`` also
    mirrors half of them.
    """

    optimizer: Literal["sgd", "adamw"] = "adamw"
    learning_rate: float = Field(default=0.01, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    schedule: Literal["one_cycle", "cosine", "triangle", "constant"] = "one_cycle"
    epochs: int = Field(default=30, ge=1)
    batch_size: int = Field(default=64, ge=2)
    augmentation: Literal["none", "shift", "flip_shift"] = "none"
    max_shift: int = Field(default=1, ge=0)
    border: Literal["edge", "reflect"] = "edge"


class Architecture(Record):
    """Everything that is needed to build an untrained net.

    ``name`` is a net of ``unlearn_core.models``, ``torchvision:NAME`` or ``module:factory``.
    """

    name: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]


class CheckpointCard(Record):
    """A checkpoint's identity and origin; the weights are in the safetensors file beside it.

    For an adopted model the seed and the threads are unknown, and the recipe may be.

    ``trained`` is the last model that was trained in full, None if that is this one, and ``deletions`` how
    many requests were served on it since.
    """

    schema_version: Literal["lethe.checkpoint/1"] = "lethe.checkpoint/1"
    architecture: Architecture
    normalisation: Normalisation
    weights: Sha256
    data: Sha256
    seed: int | None
    threads: int | None
    recipe: Recipe | None
    method: str = "train"
    parent: Sha256 | None = None
    trained: Sha256 | None = None
    deletions: int = Field(default=0, ge=0)


class LayerMoments(Record):
    """One layer's second moment: ``groups`` matrices of ``dimension`` squared over ``positions`` rows."""

    layer: str
    groups: int
    dimension: int
    positions: int


class MomentsCard(Record):
    """Which weights and which data the second moments were taken at.

    ``carried_to`` is the later model that they are for, where they were kept up to date by subtraction.
    """

    schema_version: Literal["lethe.moments/1"] = "lethe.moments/1"
    model: Sha256
    data: Sha256
    tensors: Sha256
    samples: int
    layers: tuple[LayerMoments, ...]
    carried_to: Sha256 | None = None


class KeptState(Record):
    """A state of a training: how many of how many steps had been taken."""

    step: int = Field(ge=0)
    steps: int = Field(ge=1)


class StatesCard(Record):
    """The states that were kept beside a model, in order, and the digest of their tensors' file."""

    schema_version: Literal["lethe.states/1"] = "lethe.states/1"
    tensors: Sha256
    states: tuple[KeptState, ...]
