"""Where a retrained model stands on tuning data: what a search for settings aims at."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.policy import Failing

Quantity = Literal["accuracy", "confidence", "entropy", "loss"]
"""What a target is about: mean over samples of being right, the true class's probability, entropy, loss."""


class Target(Record):
    """A quantity on one side of the tuning data: the retrained model's, and how far others may be off."""

    quantity: Quantity
    side: Literal["forget", "retain"]
    value: float
    below: float
    above: float
    below_means: Failing
    above_means: Failing


class Aim(Record):
    """The targets of a search, and the weights of the retrained model that they are taken from.

    That model is of another seed than those that the gate judges by.
    """

    schema_version: Literal["lethe.aim/1"] = "lethe.aim/1"
    reference: Sha256
    targets: tuple[Target, ...]
