"""When what was forgotten may be erased, as the policy says."""

from pydantic import Field

from unlearn_core.records.base import Record


class PurgePolicy(Record):
    """When what was forgotten may be erased, counted from the certificate: after ``grace_h`` hours.

    The model before is kept for ``keep_previous_h`` hours, to go back to.
    """

    grace_h: float = Field(default=0.0, ge=0, le=24 * 365)
    keep_previous_h: float = Field(default=0.0, ge=0, le=24 * 365)
