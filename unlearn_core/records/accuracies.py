"""How often a model is right."""

from unlearn_core.records.base import Record


class Accuracy(Record):
    """The share of ``samples`` images that a model classifies correctly; None of no image."""

    value: float | None
    samples: int


class Accuracies(Record):
    """The accuracy on the images that a model was trained on, on all others, and on those of each class."""

    training: Accuracy
    held_out: Accuracy
    held_out_by_class: dict[str, Accuracy]
