"""What a person decided about a deletion before its model came into use."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256, UtcTime
from unlearn_core.records.ledger import Actor, Reason
from unlearn_core.records.request import RequestId


class Approval(Record):
    """A decision about one deletion; ``deletion`` is the digest of the record that it rests on.

    ``by`` is what that person was called at the time. Lethe cannot know who it was: that is for the access
    control in front of it to prove.
    """

    schema_version: Literal["lethe.approval/1"] = "lethe.approval/1"
    request: RequestId
    deletion: Sha256
    approved: bool
    by: Actor
    reason: Reason | None
    time: UtcTime
