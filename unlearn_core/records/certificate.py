"""The certificate of one deletion, and the in-toto Statement that it travels in.

No personal data: a request is named by its id and by the digest of its scope, data by digests, and
neither classes nor pseudonyms are listed.
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, JsonValue, StringConstraints

from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.calibration import CalibratedKind, Calibration
from unlearn_core.records.drift import Drift, DriftSummary
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.evaluation import Cost, Evaluation
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.in_toto import InTotoStatement
from unlearn_core.records.policy import Failing, Policy, Verdict, VerdictName
from unlearn_core.records.provenance import Extension, Provenance
from unlearn_core.records.receipt import ManifestTrees
from unlearn_core.records.request import DeletionRequest, GroupSummary, RequestSummary
from unlearn_core.records.result import CoverageSummary, UnlearningRecord
from unlearn_core.records.shown import shown_in_words

PREDICATE_TYPE = "tag:lethe.example,2025:certificate/v1"
"""A tag URI (RFC 4151) under a reserved name (RFC 2606): stable, and no host that anybody owns."""

PinnedPath = Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z]+/[0-9a-f]{16}(\.moments)?\.dvc$")]


class DataDigests(Record):
    """The training data before, what was retained of it, and the splits, by name."""

    before: Sha256
    retained: Sha256
    splits: dict[str, Sha256]


class ModelDigests(Record):
    """The model that had learned the data, and the model that is certified."""

    parent: Sha256
    unlearned: Sha256


class Judgement(Record):
    """The gate's verdict, and every number that it was given.

    ``references`` are the evaluations of retrained models; none of them at evidence level E0. ``policy`` gave
    the verdict for these numbers; the first certificates carry only its digest. ``calibration`` stood in for
    retrained models where it is present; ``not_calibrated`` says why the one that the policy names did not.
    """

    verdict: Verdict
    original: Evaluation
    unlearned: Evaluation
    references: tuple[Evaluation, ...]
    policy: Policy | None = None
    calibration: Calibration | None = Field(default=None, exclude_if=lambda record: record is None)
    not_calibrated: str | None = Field(default=None, exclude_if=lambda why: why is None)

    def calibrated_for(self, kind: RequestKind) -> CalibratedKind | None:
        """Return the bands that stood in for retrained models; None if there are none for such requests."""
        return None if self.calibration is None else self.calibration.of(kind)


class Attempt(Record):
    """One rung of the ladder that was tried.

    ``failed`` means that the method gave no model, ``drifted`` that the gate accepted one whose drift was
    beyond the policy's budget, ``relapsed`` that it did not refuse one that knows again what an earlier
    request forgot. ``removed`` is the verdict on the claim *removed*, if that was judged.
    """

    method: str
    verdict: VerdictName | Literal["failed", "drifted", "relapsed"]
    removed: VerdictName | None = Field(default=None, exclude_if=lambda verdict: verdict is None)

    @property
    def in_words(self) -> str:
        """What was shown, in a few words."""
        return shown_in_words(self.verdict, self.removed)

    @property
    def has_remains(self) -> bool:
        """Whether the claim *removed* was judged, and the model is not like a retrained one inside."""
        return self.removed in get_args(Failing)


class ValidationSummary(Record):
    """How many expectations the data had to meet, and whether it met all of them."""

    expectations: int = Field(ge=0)
    all_succeeded: bool


class DeletionCertificate(Record):
    """The predicate: what was asked, what was done, what the result was, and how that is known.

    ``method`` is the method's own JSON with every hyper-parameter; ``lock`` the digest of the pipeline's
    lock before certification; ``ledger`` the head of the audit ledger at that moment; ``attempts`` every
    rung in ladder order, the accepted one last, unless it behaves and no later one showed more; ``note``
    what the reader must know where a claim was judged and not shown; ``drift`` is absent from the first
    certificates; ``earlier`` are the earlier requests of the model's lineage, asked again of the models, if
    there were any; ``group`` is present if the request was served together with others, and then data, models
    and judgement are those of all of them; ``approval``, the digest of a person's decision, if the policy
    asks for one; ``history`` tells the runs before this one and the policy at receipt, where that is known;
    ``extensions`` name whichever of the source, the method and the metrics is not Lethe's own. ``pins`` are
    the digests of the ``.dvc`` files that the deletion read beside the lock, absent from the first
    certificates; ``manifest`` commits to the training rows before and after, so that receipts can be checked.
    ``schema_version`` has no default: bytes without it are refused.
    """

    schema_version: Literal["lethe.certificate/1"]
    request: RequestSummary
    group: GroupSummary | None = Field(default=None, exclude_if=lambda group: group is None)
    approval: Sha256 | None = Field(default=None, exclude_if=lambda approval: approval is None)
    data: DataDigests
    manifest: ManifestTrees | None = Field(default=None, exclude_if=lambda trees: trees is None)
    models: ModelDigests
    method: dict[str, JsonValue]
    seed: int
    moments: Sha256 | None
    lock: Sha256
    pins: dict[PinnedPath, Sha256] | None = Field(default=None, exclude_if=lambda pins: pins is None)
    ledger: Sha256 | None
    coverage: CoverageSummary
    judgement: Judgement
    attempts: tuple[Attempt, ...] = Field(min_length=1)
    validation: ValidationSummary
    cost: Cost | None
    provenance: Provenance
    note: str | None
    drift: DriftSummary | None = None
    earlier: tuple[AskedAgain, ...] = Field(default=(), exclude_if=lambda asked: not asked)
    history: RequestHistory | None = Field(default=None, exclude_if=lambda history: history is None)
    extensions: tuple[Extension, ...] = Field(default=(), exclude_if=lambda extensions: not extensions)

    @classmethod
    def of(
        cls,
        *,
        request: DeletionRequest,
        result: UnlearningRecord,
        judgement: Judgement,
        drift: Drift | None = None,
        source: Extension | None = None,
        **others: Any,
    ) -> Self:
        """Build a certificate from the records that the pipeline already has.

        Args:
            request: The request, a single one; only its id, kind and scope digest are taken.
            result: The accepted attempt: method, seed, digests and coverage are taken from it.
            judgement: The gate's verdict and the evaluations that it rests on.
            drift: How far the model has come from the last one that was trained in full.
            source: Where the data's source is from, if that is not Lethe.
            others: The other fields, as they are.

        Returns:
            The certificate, valid as a record; ``audit.certificate.check`` checks whether its parts agree.
        """
        given: dict[str, Any] = {"cost": None, "note": None, "moments": None, "ledger": None, **others}
        return cls(
            schema_version="lethe.certificate/1",
            request=request.summary,
            models=ModelDigests(parent=result.parent, unlearned=result.weights),
            method=result.method,
            seed=result.seed,
            coverage=CoverageSummary.of(result.coverage),
            judgement=judgement,
            drift=None if drift is None else DriftSummary.of(drift),
            extensions=tuple(filter(None, (source, result.extension, *judgement.unlearned.extensions))),
            **given,
        )


class Statement(InTotoStatement):
    """An in-toto Statement v1 about exactly one model."""

    predicate_type: Literal["tag:lethe.example,2025:certificate/v1"] = Field(alias="predicateType")
    predicate: DeletionCertificate

    @classmethod
    def of(cls, certificate: DeletionCertificate, *, name: str) -> Self:
        """Make the statement of a certificate about its own model.

        Args:
            certificate: The predicate.
            name: What the model is called, e.g. its file's name.

        Returns:
            The statement that is signed.
        """
        unlearned = certificate.models.unlearned
        return cls.about(unlearned, name=name, predicateType=PREDICATE_TYPE, predicate=certificate)
