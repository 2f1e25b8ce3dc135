"""What a measurement is called and means, for people who have never heard of unlearning."""

from typing import Literal

from unlearn_core.records.base import Record

Unit = Literal["fraction", "difference", "number", "count"]
"""What a number is: a share, written as a percentage; a difference of two shares, in points; any other
number; or something counted."""


class Words(Record):
    """The plain words for one kind of measurement.

    ``explanation`` says what the number tells, and what a good and a bad one is. ``title`` heads the table of
    all measurements whose names begin with the same word, where that is more than the label of one.
    """

    label: str
    explanation: str
    unit: Unit = "number"
    title: str = ""
