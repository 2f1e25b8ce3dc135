"""The record that a key was destroyed."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256, UtcTime


class Shredded(Record):
    """A pseudonym key that was destroyed on purpose: its id, and when."""

    schema_version: Literal["lethe.shredded/1"] = "lethe.shredded/1"
    key: Sha256
    time: UtcTime
