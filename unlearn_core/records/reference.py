"""Retrained models and shadows: what their bits depend on, what they would cost, and what they did cost."""

from typing import Literal

from pydantic import Field

from unlearn_core.kinds import EvidenceLevel
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import Normalisation
from unlearn_core.records.request import RequestId


class Training(Record):
    """Everything that a trained model's bits depend on; its digest is the model's name.

    ``data`` is the digest of the data set whose training rows it sees, ``code`` that of the code that
    trains, ``device`` what computes.
    """

    data: Sha256
    architecture: Architecture
    recipe: Recipe
    normalisation: Normalisation
    seed: int
    threads: int
    code: Sha256
    torch: str
    device: str


class Job(Record):
    """A training process's job: write the model to ``folder``, or measure a few steps if None.

    ``checkout`` is what works like a checkout, from the project's top folder, and has the data; ``folder`` is
    in it. ``processor`` is the kind that the training was planned on, if it is trained on one: another kind
    may round differently.
    """

    training: Training
    folder: str | None
    checkout: str = "."
    processor: str = ""


class TrialTraining(Record):
    """What a few steps of a training took in a separate process.

    ``start_seconds`` is the time before the first step: imports, and finding the pixels.
    """

    seconds_per_step: float
    peak_memory_mib: float
    model_mib: float
    start_seconds: float = 0.0


class BuildEstimate(Record):
    """What building would take, before anything is built.

    ``at_once`` trainings run in parallel; ``memory_mib`` is what they hold together and ``disk_mib`` what all
    models take with DVC's copies. All is zero if nothing is missing.
    """

    models: int
    finished: int
    at_once: int = 0
    seconds: float = 0.0
    seconds_each: float = 0.0
    memory_mib: float = 0.0
    memory_available_mib: float = 0.0
    disk_mib: float = 0.0
    disk_free_mib: float = 0.0

    @property
    def missing(self) -> int:
        """How many models would be trained."""
        return self.models - self.finished

    @property
    def memory_mib_each(self) -> float:
        """What one training holds."""
        return self.memory_mib / max(1, self.at_once)


class Holdings(Record):
    """How many finished models a request has, and the level of evidence that they allow.

    ``retrained`` counts the models trained without what is forgotten, ``pairs`` those of them that have a
    counterpart trained on all the data.
    """

    retrained: int = Field(ge=0)
    pairs: int = Field(ge=0)
    level: EvidenceLevel


class BuildCost(Record):
    """What building took, to compare with the estimate; times differ from run to run.

    ``built`` names the models. ``seconds`` is from the first training's start to the last one's end,
    ``memory_mib`` the largest peak of a training times those at once, ``disk_mib`` as estimated.
    """

    built: tuple[str, ...]
    seconds: float
    memory_mib: float
    disk_mib: float


class ReferenceReport(Record):
    """What ``lethe reference`` estimated, what it took (None: nothing was trained), and what there is."""

    schema_version: Literal["lethe.references/1"] = "lethe.references/1"
    request: RequestId
    estimate: BuildEstimate
    took: BuildCost | None
    holdings: Holdings
