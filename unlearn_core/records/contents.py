"""What is in a data set, for whoever runs Lethe: counts of its classes, and its rows with their ids."""

from unlearn_core.kinds import Split
from unlearn_core.records.base import Record, Sha256


class ClassContents(Record):
    """How many rows a class has in each split; ``forgotten_by`` are the requests that named it."""

    name: str
    splits: dict[str, int]
    forgotten_by: tuple[str, ...] = ()


class DataContents(Record):
    """What is in a data set. ``persons`` counts those whose rows can be found by an id.

    ``without_held_out`` are the classes with training rows and no row that a model could be judged on.
    """

    rows: int
    rows_digest: Sha256
    classes: tuple[ClassContents, ...]
    persons: int
    rows_of_persons: int
    without_held_out: tuple[str, ...]


class PersonContents(Record):
    """How many rows of a person there are in each split."""

    person: str
    splits: dict[str, int]


class FoundRow(Record):
    """One row of a data set; ``person`` is None if it belongs to nobody, ``content`` the image's digest."""

    sample: str
    label: str
    split: Split
    person: str | None
    content: Sha256
