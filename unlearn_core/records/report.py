"""What the report of a deletion is made from: every fact on the page, and no name of a sample or person."""

from typing import Literal

from pydantic import Field

from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.deletion import DeletionRecord, Released
from unlearn_core.records.earlier import EarlierRequest
from unlearn_core.records.evaluation import Cost, TimeSpent
from unlearn_core.records.request import GroupSummary, RequestId
from unlearn_core.records.words import Words

BINS, RATES = 20, 101
"""Bars of a histogram from 0 to 1, and points of an attack's curve."""


class Picture(Record):
    """What one model says of many samples, summed up.

    ``forgotten`` and ``unseen`` count samples by the probability that the model gives their true class, in
    ``BINS`` equal bins. ``attack`` is the share of forgotten samples that the attack by the loss takes for
    training data, at each of ``RATES`` equally spaced shares of unseen samples that it wrongly takes for it;
    it rests on ``members`` forgotten samples, none if there was nothing unseen to compare with.
    ``confusion`` counts test samples as ``[true][predicted]``, and is empty if there are too many classes to
    show. ``relearn_accuracy`` is that on the forgotten data after each of ``relearn_steps`` steps of training
    on it; both are empty if it was not measured.
    """

    forgotten: tuple[int, ...] = Field(min_length=BINS, max_length=BINS)
    unseen: tuple[int, ...] = Field(min_length=BINS, max_length=BINS)
    attack: tuple[float, ...] = Field(min_length=RATES, max_length=RATES)
    members: int
    confusion: tuple[tuple[int, ...], ...]
    relearn_steps: tuple[int, ...] = ()
    relearn_accuracy: tuple[float, ...] = ()


class Pictures(Record):
    """The pictures of the original, the unlearned and the retrained model, as far as they exist."""

    schema_version: Literal["lethe.pictures/1"] = "lethe.pictures/1"
    models: dict[str, Picture]


class ReportFacts(Record):
    """Every fact in a report.

    ``named`` counts what the request names, or all of its ``group``: classes, samples or persons. ``rows``
    and ``forgotten_rows`` count training rows; ``earlier`` are the requests that the data set was retained
    for. ``costs`` maps ``original``, ``retrained`` and the names of methods to what making that model cost on
    this machine; ``time`` says where that of the deletion went, and is None if it was run elsewhere. For a
    deletion without an accepted model, ``released`` and ``certificate`` are None, as they are in a checkout
    that holds pinned results but no evidence. ``words`` and ``does`` are the plain words of metrics and
    methods that are not Lethe's own.
    """

    schema_version: Literal["lethe.report/1"] = "lethe.report/1"
    request: RequestId
    group: GroupSummary | None = Field(default=None, exclude_if=lambda group: group is None)
    kind: RequestKind
    named: int
    dataset: str
    classes: tuple[str, ...]
    forgotten_classes: tuple[int, ...]
    earlier: tuple[EarlierRequest, ...] = Field(default=(), exclude_if=lambda requests: not requests)
    rows: int
    forgotten_rows: int
    deletion: DeletionRecord
    pictures: Pictures | None
    costs: dict[str, Cost]
    time: TimeSpent | None = Field(default=None, exclude_if=lambda time: time is None)
    released: Released | None
    certificate: DeletionCertificate | None
    signer: Sha256 | None
    words: dict[str, Words] = Field(default_factory=dict, exclude_if=lambda words: not words)
    does: dict[str, str] = Field(default_factory=dict, exclude_if=lambda does: not does)

    @property
    def class_remarks(self) -> dict[int, str]:
        """What became of each class that was forgotten, now or earlier, in a few words."""
        earlier = {
            index: f"forgotten earlier, {request.request}"
            for request in self.earlier
            for index in request.classes
        }
        return {**earlier, **dict.fromkeys(self.forgotten_classes, "forgotten")}
