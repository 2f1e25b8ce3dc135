"""What one deletion did: the split, and every rung of the ladder with its evaluation."""

from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.kinds import EvidenceLevel, RequestKind, ScopeKind, scope_kind
from unlearn_core.records.base import Pseudonym, Record, Sha256, canonical_json, sha256
from unlearn_core.records.calibration import Calibration
from unlearn_core.records.drift import Drift
from unlearn_core.records.earlier import AskedAgain
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.policy import Verdict, VerdictName
from unlearn_core.records.request import GroupSummary, RequestId
from unlearn_core.records.result import UnlearningRecord
from unlearn_core.records.shown import shown_in_words


class SplitRecord(Record):
    """A request, resolved on one data set.

    ``forget_rows`` are positions in the data set; ``forgotten`` are the pseudonyms of the same rows'
    ids, so that whoever holds the key can tell later whether a sample was among them.
    """

    quotes: ClassVar[bool] = False

    schema_version: Literal["lethe.split/1"] = "lethe.split/1"
    request: RequestId
    scope_kind: RequestKind
    scope: Sha256
    data: Sha256
    retained: Sha256
    classes: tuple[int, ...]
    forget_rows: tuple[int, ...]
    forgotten: tuple[Pseudonym, ...]

    @property
    def method_scope(self) -> ScopeKind:
        """The scope as a method sees it: a subject's rows are samples."""
        return scope_kind(self.scope_kind)

    @property
    def deletion_key(self) -> Sha256:
        """What makes two deletions the same one: request id, scope and data."""
        return sha256(canonical_json([self.request, self.scope, self.data]))


class LeftOut(Record):
    """A method without a model to judge, and why."""

    method: str
    why: str


class Rung(Record):
    """One method that was tried: what it did, what was measured, what the gate said.

    ``drift`` is measured where the gate accepts; beyond the policy's budget the model is not accepted after
    all, and ``why`` says so. ``earlier`` are the earlier requests of the model's lineage, asked again; if one
    of them relapsed, the model is not accepted either.
    """

    unlearning: UnlearningRecord
    evaluation: Evaluation
    verdict: Verdict
    accepted: bool
    why: str
    drift: Drift | None = None
    earlier: tuple[AskedAgain, ...] = Field(default=(), exclude_if=lambda asked: not asked)

    @property
    def ending(self) -> VerdictName | Literal["drifted", "relapsed"]:
        """The verdict, or what speaks against a model that the gate alone would not have refused."""
        if self.has_drifted:
            return "drifted"
        return "relapsed" if self.has_relapsed else self.verdict.verdict

    @property
    def in_words(self) -> str:
        """What was shown, or what speaks against the model, in a few words."""
        verdict, method = self.verdict, self.unlearning.name
        return shown_in_words(self.ending, verdict.removal, level=verdict.level, method=method)

    @property
    def has_relapsed(self) -> bool:
        """Whether the gate does not refuse the model, but an earlier request is no longer forgotten."""
        back = any(one.outcome == "relapsed" for one in self.earlier)
        return back and self.verdict.verdict in ("passes", "inconclusive")

    @property
    def has_drifted(self) -> bool:
        """Whether only the drift budget speaks against the model."""
        return self.drift is not None and not self.accepted


class DeletionRecord(Record):
    """The whole ladder of one deletion, without times and costs.

    ``tried`` names the methods in the order tried. Those with a model to judge are in ``rungs``, those
    without in ``failed``; ``left_out`` were not tried. ``references`` are models retrained to compare with;
    ``calibration`` stood in for them where it is present; ``not_calibrated`` says why the one that the policy
    names did not.
    """

    schema_version: Literal["lethe.deletion/1"] = "lethe.deletion/1"
    request: RequestId
    split: Sha256
    original: Evaluation
    original_verdict: Verdict
    references: tuple[Evaluation, ...]
    tried: tuple[str, ...]
    rungs: tuple[Rung, ...]
    failed: tuple[LeftOut, ...]
    left_out: tuple[LeftOut, ...]
    calibration: Calibration | None = Field(default=None, exclude_if=lambda record: record is None)
    not_calibrated: str | None = Field(default=None, exclude_if=lambda why: why is None)

    @property
    def accepted(self) -> Rung | None:
        """The rung whose model was accepted, if one was."""
        return next((rung for rung in self.rungs if rung.accepted), None)

    @property
    def not_tried(self) -> dict[str, list[str]]:
        """The methods that were left out, by the reason for which they were."""
        found: dict[str, list[str]] = {}
        for left in self.left_out:
            found.setdefault(left.why, []).append(left.method)
        return found

    @property
    def drift(self) -> Drift | None:
        """How far the accepted model has come from the last one that was trained in full."""
        return None if self.accepted is None else self.accepted.drift

    @property
    def reference(self) -> Evaluation | None:
        """The evaluation of the first retrained model, shown with the others, if there is one."""
        return next(iter(self.references), None)

    def evaluations(self, rung: Rung | None) -> dict[str, Evaluation]:
        """Return what was measured on the original, on a rung's model and on a retrained one, if any."""
        found = {
            "original": self.original,
            "unlearned": None if rung is None else rung.evaluation,
            "retrained": self.reference,
        }
        return {model: evaluation for model, evaluation in found.items() if evaluation is not None}


class Outcome(Record):
    """The result of an accepted deletion, without anything that differs from run to run.

    ``removed`` is the verdict on the claim *removed*, if that was judged; ``verdict`` is that on *behaves*.
    ``earlier`` are the earlier requests of the model's lineage, asked again.
    """

    schema_version: Literal["lethe.outcome/1"] = "lethe.outcome/1"
    request: RequestId
    deletion: Sha256
    data: Sha256
    retained: Sha256
    parent: Sha256
    model: Sha256
    method: str
    verdict: VerdictName
    removed: VerdictName | None = Field(default=None, exclude_if=lambda verdict: verdict is None)
    level: EvidenceLevel
    policy: Sha256
    note: str | None
    earlier: tuple[AskedAgain, ...] = Field(default=(), exclude_if=lambda asked: not asked)

    @property
    def in_words(self) -> str:
        """What was shown, in a few words."""
        return shown_in_words(self.verdict, self.removed, level=self.level, method=self.method)


class Released(Record):
    """An accepted deletion as it stands in this checkout: the outcome, and where its evidence is.

    ``group`` is set if the request was served together with others: they share model, version and run.
    """

    schema_version: Literal["lethe.released/1"] = "lethe.released/1"
    outcome: Outcome
    group: GroupSummary | None = Field(default=None, exclude_if=lambda group: group is None)
    registered_model: str
    registered_version: int
    certificate: str
    certificate_digest: Sha256
    run: str
