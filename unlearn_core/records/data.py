"""What a data set is: its card, without any of its rows."""

from typing import Literal

from pydantic import Field

from unlearn_core.kinds import Split
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.earlier import EarlierRequest
from unlearn_core.records.provenance import Extension

SPLITS: tuple[Split, ...] = ("train", "tuning", "audit", "test")
"""The splits of every data set."""

CANARY_SPLIT: Split = "canary"
"""Of canaries that are held out; only a data set with canaries has it."""

FORGOTTEN_SPLIT: Split = "forgotten"
"""Of held-out rows of classes that were forgotten earlier: no model learns from them, all are asked."""


class Normalisation(Record):
    """Per-channel shift and scale of images in [0, 1]: ``(x - mean) / std``."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


class SplitCard(Record):
    """One split: how many rows of each class, and the digest of its rows."""

    split: Split
    rows: int
    rows_per_class: tuple[int, ...]
    rows_digest: Sha256


class DatasetCard(Record):
    """A data set's identity.

    ``rows_digest`` is over the rows ``(sample_id, label, split, subject_id, sha256)`` in the order of their
    ids, whatever the layout of the files. ``lineage`` holds the digests of the data sets that this one was
    retained from, newest first, and ``earlier`` the requests that it was retained for, oldest first.
    ``extension`` is the source that the rows came from, if that is not Lethe's own.
    """

    schema_version: Literal["lethe.dataset/1"] = "lethe.dataset/1"
    name: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    normalisation: Normalisation
    splits: tuple[SplitCard, ...]
    rows_digest: Sha256
    lineage: tuple[Sha256, ...] = ()
    earlier: tuple[EarlierRequest, ...] = Field(default=(), exclude_if=lambda requests: not requests)
    extension: Extension | None = Field(default=None, exclude_if=lambda extension: extension is None)


class ImportCard(Record):
    """What a data set was imported from: the digest of its settings, and what was left out.

    ``skipped`` counts the images that could not be read; ``skipped_digest`` is over their ids and the
    reasons.
    """

    schema_version: Literal["lethe.import/1"] = "lethe.import/1"
    settings: Sha256
    skipped: int = Field(ge=0)
    skipped_digest: Sha256
