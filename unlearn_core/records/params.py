"""The sections of ``params.yaml`` that need no torch to be read."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import Record, Sha256


class DigitsSource(Record):
    """Scikit-learn's 1,797 scanned digits, split by fractions of each class.

    ``canaries`` training rows of one extra subject get a wrong label: a net memorises them, so that
    forgetting single samples can be measured.
    """

    source: Literal["digits"] = "digits"
    seed: int = 0
    tuning: float = Field(default=0.10, gt=0, lt=1)
    audit: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.20, gt=0, lt=1)
    rows_per_subject: int = Field(default=10, ge=1)
    canaries: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if (held_out := self.tuning + self.audit + self.test) > 0.95:
            raise ValueError(f"tuning, audit and test take {held_out:g} of all rows; leave 0.05 to train on")
        return self


class RetainedSource(Record):
    """The retained data set of an earlier deletion, by its rows' digest."""

    source: Literal["retained"] = "retained"
    rows_digest: Sha256


DatasetParams = Annotated[DigitsSource | RetainedSource, Field(discriminator="source")]


class TrainedParent(Record):
    """A parent that the pipeline trains itself."""

    source: Literal["train"] = "train"
    architecture: str = "small_resnet"
    recipe: Recipe = Recipe()


class ChampionParent(Record):
    """The accepted model of an earlier deletion, by its weights' digest."""

    source: Literal["champion"] = "champion"
    weights: Sha256


ParentParams = Annotated[TrainedParent | ChampionParent, Field(discriminator="source")]


class RunParams(Record):
    """What every computing stage shares: the base seed and the number of threads."""

    seed: int = 0
    threads: int = Field(default=2, ge=1)


class MomentsParams(Record):
    """How the second moments are collected; the batch size bounds the memory."""

    batch_size: int = Field(default=256, ge=1)


class RegistryParams(Record):
    """The name under which accepted models are registered."""

    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = "digits"
