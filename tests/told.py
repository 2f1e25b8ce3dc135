"""The facts of a deletion that nobody ran, to render reports from."""

from world import content

from unlearn_core.records.certificate import Attempt as Tried
from unlearn_core.records.certificate import DataDigests, DeletionCertificate, Judgement, ValidationSummary
from unlearn_core.records.deletion import DeletionRecord, LeftOut, Outcome, Released, Rung
from unlearn_core.records.drift import Drift
from unlearn_core.records.evaluation import Cost, Evaluation, Measurement
from unlearn_core.records.policy import ClaimVerdict, Finding, Verdict
from unlearn_core.records.provenance import Provenance
from unlearn_core.records.report import BINS, RATES, Picture, Pictures, ReportFacts
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.result import Coverage, Curve, ParameterCoverage, UnlearningRecord
from unlearn_core.records.scope import ClassScope

CLASSES = ("cat", "dog", "owl")
COVERAGE = Coverage(
    parameters=(
        ParameterCoverage(parameter="stem.weight", treatment="projected", elements=3, share=0.3),
        ParameterCoverage(parameter="stem.bias", treatment="frozen", elements=1, share=0.1),
        ParameterCoverage(parameter="head.weight", treatment="unsupported", elements=6, share=0.6),
    )
)


def measured(model, forget, *others):
    """Return an evaluation of a model that is right about so much of what was to be forgotten."""
    entries = [
        Measurement(name="accuracy.test.forget", value=forget, low=0.0, high=1.0, samples=9),
        Measurement(name="accuracy.test.retain", value=0.9, low=0.85, high=0.95, samples=90),
        Measurement(name="mia.loss_auc", value=0.55, low=0.4, high=0.7, samples=9),
        Measurement(name="probe.accuracy", value=0.7, low=0.5, high=0.8, samples=9),
        Measurement(name="mystery.of_life", value=42.0),
        *(Measurement(name=f"accuracy.test.class.{index}", value=0.5 + index / 10) for index in range(3)),
        *others,
    ]
    return Evaluation(model=content(model), seed=0, measurements=tuple(entries))


def judged(verdict="passes", *, level="E1", outcome="inside", removed=None):
    finding = Finding(
        measurement="accuracy.test.forget", value=0.1, lowest=-0.05, highest=0.2, outcome=outcome
    )
    return Verdict(
        verdict=verdict,
        level=level,
        decided_by=(),
        reason="because",
        findings=(finding,),
        policy=content("policy"),
        removed=removed and ClaimVerdict(verdict=removed, decided_by=(), reason="because of the inside"),
    )


def rung(
    method="svd",
    *,
    verdict="passes",
    removed=None,
    accepted=True,
    drift=None,
    level="E1",
    why="because it is so",
):
    unlearning = UnlearningRecord(
        method={"name": method},
        seed=0,
        parent=content("original"),
        weights=content(method),
        coverage=COVERAGE,
        curves=(Curve(name="search.alpha", values=(1.0, 2.0, 3.0)),),
    )
    return Rung(
        unlearning=unlearning,
        evaluation=measured(method, 0.1),
        verdict=judged(verdict, level=level, removed=removed),
        accepted=accepted,
        why=why,
        drift=drift,
    )


def drifted(requests):
    return Drift(
        origin=content("origin"),
        requests=requests,
        weight_distance=0.25,
        layer_weight_distance=0.5,
        retained_energy=0.75,
        staleness=0.125 if requests else None,
        accuracy=0.9,
        accuracy_at_origin=0.95,
        layers=(),
    )


def record_of(*rungs, reference=True, failed=(), left_out=()):
    return DeletionRecord(
        request="r-17",
        split=content("split"),
        original=measured("original", 0.95),
        original_verdict=judged("under_forgotten", outcome="under_forgotten"),
        references=(measured("retrained", 0.05),) if reference else (),
        tried=(*(entry.method for entry in failed), *(one.unlearning.name for one in rungs)),
        rungs=rungs,
        failed=failed,
        left_out=left_out,
    )


def picture():
    return Picture(
        forgotten=(1,) * BINS,
        unseen=(2,) * BINS,
        attack=tuple(index / (RATES - 1) for index in range(RATES)),
        members=20,
        confusion=((8, 1, 0), (0, 9, 0), (2, 0, 7)),
        relearn_steps=(0, 5, 10),
        relearn_accuracy=(0.0, 0.5, 1.0),
    )


def released_of(record):
    accepted = record.accepted
    outcome = Outcome(
        request=record.request,
        deletion=record.digest,
        data=content("data"),
        retained=content("retained"),
        parent=accepted.unlearning.parent,
        model=accepted.unlearning.weights,
        method=accepted.unlearning.name,
        verdict=accepted.verdict.verdict,
        level=accepted.verdict.level,
        policy=content("policy"),
        note=accepted.why if accepted.verdict.verdict == "inconclusive" else None,
    )
    return Released(
        outcome=outcome,
        registered_model="pets",
        registered_version=7,
        certificate="evidence/r-17/certificate.dsse.json",
        certificate_digest=content("certificate"),
        run="run",
    )


def certificate_of(record):
    accepted = record.accepted
    return DeletionCertificate.of(
        request=DeletionRequest(id=record.request, scope=ClassScope(classes=("dog",))),
        data=DataDigests(before=content("data"), retained=content("retained"), splits={}),
        result=accepted.unlearning,
        judgement=Judgement(
            verdict=accepted.verdict,
            original=record.original,
            unlearned=accepted.evaluation,
            references=() if record.reference is None else (record.reference,),
        ),
        attempts=(Tried(method=accepted.unlearning.name, verdict=accepted.verdict.verdict),),
        validation=ValidationSummary(expectations=27, all_succeeded=True),
        cost=None,
        provenance=Provenance(
            commit=None,
            dirty=True,
            constraints=None,
            versions={},
            platform="Linux",
            device="cpu",
            threads=1,
            seeds={},
            started="2026-11-21T08:50:00Z",
            finished="2026-11-21T08:55:12Z",
        ),
        lock=content("lock"),
        note=accepted.why if accepted.verdict.verdict == "inconclusive" else None,
    )


def facts_of(record, **changes):
    """Return the facts of a deletion of the class dog, quick to draw: without pictures."""
    accepted = record.accepted is not None
    facts = ReportFacts(
        request="r-17",
        kind="classes",
        named=1,
        dataset="pets",
        classes=CLASSES,
        forgotten_classes=(1,),
        rows=1200,
        forgotten_rows=400,
        deletion=record,
        pictures=None,
        costs={
            name: Cost(seconds=seconds, peak_memory_mib=100.0, samples_seen=5000)
            for name, seconds in {"original": 90.0, "retrained": 60.0, "svd": 0.5}.items()
        },
        released=released_of(record) if accepted else None,
        certificate=certificate_of(record) if accepted else None,
        signer=content("key") if accepted else None,
    )
    return facts.model_copy(update=changes)


PICTURES = Pictures(models=dict.fromkeys(("original", "retrained", "unlearned"), picture()))
FAILED = (LeftOut(method="pgu", why="it stopped"),)
LEFT_OUT = (LeftOut(method="unsir", why="it cannot"),)
