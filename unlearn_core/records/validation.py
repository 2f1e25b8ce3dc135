"""What was expected of a data set, and whether it held."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256


class ValidationRecord(Record):
    """Every expectation that was evaluated, in words, and those among them that failed.

    ``data`` is the rows' digest on the card of the data set that was checked. Counts and times of a run are
    in the report beside it, never here, so that equal data give equal bytes.
    """

    schema_version: Literal["lethe.validation/1"] = "lethe.validation/1"
    subject: Literal["dataset", "split"]
    data: Sha256
    expectations: tuple[str, ...]
    failed: tuple[str, ...] = ()

    @property
    def evaluated(self) -> int:
        """How many expectations were evaluated."""
        return len(self.expectations)

    @property
    def succeeded(self) -> int:
        """How many expectations held."""
        return len(self.expectations) - len(self.failed)
