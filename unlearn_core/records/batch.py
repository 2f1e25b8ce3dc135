"""How requests wait for one another."""

from pydantic import Field

from unlearn_core.records.base import Record


class Batch(Record):
    """How long requests wait for one another, and how many one run serves; see ``audit.batching``."""

    wait_h: float = Field(gt=0, le=24 * 45)
    at_most: int = Field(ge=2, le=1000)
