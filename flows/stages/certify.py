"""Stage ``certify``: sign what was done, and register the model."""

from pathlib import Path

from flows.stages.process import run_stage
from tasks import environment
from tasks.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.compute import device_name
from tasks.datasets import read_card
from tasks.files import read_record, write_atomically, write_record
from tasks.layout import Layout
from tasks.materials import read_split
from tasks.params import read_section
from tasks.registry import champion, promote, register_model
from tasks.requests import read_request
from tasks.signing import sign_statement
from tasks.tracking import Run, connect, deletion_run, end_run, log_documents, set_tags, started_at
from tasks.versioning import lock_digest
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.base import sha256
from unlearn_core.records.certificate import (
    Attempt,
    DataDigests,
    DeletionCertificate,
    Judgement,
    Statement,
    ValidationSummary,
)
from unlearn_core.records.deletion import DeletionRecord, Outcome, Released, Rung, SplitRecord
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.params import RegistryParams, RunParams
from unlearn_core.records.provenance import Provenance
from unlearn_core.records.validation import ValidationRecord
from unlearn_core.seeds import derive_seed


def certify(root: Path) -> Released:
    """Sign the certificate, register the accepted model and make it the champion.

    Args:
        root: The checkout.

    Returns:
        What was released, and where its evidence is.
    """
    layout = Layout(root)
    split = read_split(layout)
    deletion = read_record(layout.deletion, DeletionRecord)
    rung = accepted_rung(deletion)
    run = deletion_run(connect(root), request_id=split.request, key=split.deletion_key)
    certificate = _certificate(layout, split, deletion, rung, run)
    signed = sign_statement(Statement.of(certificate, name=WEIGHTS))
    path = layout.evidence(split.request) / "certificate.dsse.json"
    write_atomically(path, signed)
    outcome = _outcome(layout, split, deletion, rung)
    version = _register(layout, split, outcome, run, sha256(signed))
    released = Released(
        outcome=outcome,
        registered_model=_registry(layout).model,
        registered_version=version,
        certificate=str(path.relative_to(root)),
        certificate_digest=sha256(signed),
        run=run.id,
    )
    write_record(layout.outcome, outcome)
    write_record(layout.evidence(split.request) / "released.json", released)
    log_documents(run, path, layout.reports, artifact_path="evidence")
    set_tags(run, {"lethe.verdict": outcome.verdict, "lethe.method": outcome.method})
    end_run(run, "FINISHED")
    return released


def accepted_rung(deletion: DeletionRecord) -> Rung:
    """Return the accepted rung; a pinned record has one."""
    rung = deletion.accepted
    assert rung is not None, "the stage before pins nothing without an accepted model"
    return rung


def _certificate(
    layout: Layout, split: SplitRecord, deletion: DeletionRecord, rung: Rung, run: Run
) -> DeletionCertificate:
    data = read_card(layout.dataset)
    references = () if deletion.reference is None else (deletion.reference,)
    return DeletionCertificate.of(
        request=read_request(layout, split.request),
        data=DataDigests(
            before=data.rows_digest,
            retained=split.retained,
            splits={entry.split: entry.rows_digest for entry in data.splits},
        ),
        result=rung.unlearning,
        judgement=Judgement(
            verdict=rung.verdict,
            original=deletion.original,
            unlearned=rung.evaluation,
            references=references,
        ),
        attempts=_attempts(deletion),
        validation=_validation(layout),
        cost=_cost(layout, deletion),
        provenance=_provenance(layout, rung, run),
        lock=lock_digest(layout.root),
        moments=read_record(layout.moments / CARD, MomentsCard).tensors,
        note=_note(rung),
    )


def _attempts(deletion: DeletionRecord) -> tuple[Attempt, ...]:
    """Return every method that was tried, in the order of trying."""
    judged = {
        rung.unlearning.name: Attempt(method=rung.unlearning.name, verdict=rung.verdict.verdict)
        for rung in deletion.rungs
    }
    return tuple(judged.get(name) or Attempt(method=name, verdict="failed") for name in deletion.tried)


def _validation(layout: Layout) -> ValidationSummary:
    records = [
        read_record(layout.split / f"validation_{name}.json", ValidationRecord)
        for name in ("dataset", "split")
    ]
    return ValidationSummary(
        expectations=sum(record.evaluated for record in records),
        all_succeeded=not any(record.failed for record in records),
    )


def _cost(layout: Layout, deletion: DeletionRecord) -> Cost | None:
    """Return what all rungs together cost, or None where a pinned result came without its times."""
    paths = [layout.cost(rung.unlearning.weights) for rung in deletion.rungs]
    if not all(path.is_file() for path in paths):
        return None
    costs = [read_record(path, Cost) for path in paths]
    return Cost(
        seconds=sum(cost.seconds for cost in costs),
        peak_memory_mib=max(cost.peak_memory_mib for cost in costs),
        samples_seen=sum(cost.samples_seen for cost in costs),
    )


def _provenance(layout: Layout, rung: Rung, run: Run) -> Provenance:
    params = read_section(layout.root, "run", RunParams)
    commit = environment.git_commit(layout.root)
    return Provenance(
        commit=commit,
        dirty=commit is None or environment.git_is_dirty(layout.root),
        constraints=environment.constraints_digest(layout.root),
        versions=environment.versions(),
        platform=environment.platform_name(),
        device=device_name(),
        threads=params.threads,
        seeds={
            "base": params.seed,
            "method": rung.unlearning.seed,
            "reference": derive_seed(params.seed, "reference"),
            "evaluation": rung.evaluation.seed,
        },
        started=started_at(run),
        finished=environment.now(),
    )


def _note(rung: Rung) -> str | None:
    """Return what a reader must know of a model that was accepted without a pass."""
    return rung.why if rung.verdict.verdict == "inconclusive" else None


def _outcome(layout: Layout, split: SplitRecord, deletion: DeletionRecord, rung: Rung) -> Outcome:
    return Outcome(
        request=split.request,
        deletion=deletion.digest,
        data=split.data,
        retained=split.retained,
        parent=rung.unlearning.parent,
        model=read_checkpoint_card(layout.unlearned).weights,
        method=rung.unlearning.name,
        verdict=rung.verdict.verdict,
        level=rung.verdict.level,
        policy=rung.verdict.policy,
        note=_note(rung),
    )


def _register(layout: Layout, split: SplitRecord, outcome: Outcome, run: Run, certificate: str) -> int:
    """Register the model once, and let ``champion`` point to it."""
    name = _registry(layout).model
    before = champion(run.tracking, name)
    tags = {
        "lethe.request": split.request,
        "lethe.scope": split.scope,
        "lethe.method": outcome.method,
        "lethe.verdict": outcome.verdict,
        "lethe.certificate": certificate,
        "lethe.parent_version": str(before.version) if before else "none",
        "lethe.data": split.data,
        "lethe.retained": split.retained,
        "lethe.commit": environment.git_commit(layout.root) or "none",
    }
    version = register_model(
        run,
        name,
        weights=layout.unlearned / WEIGHTS,
        card=layout.unlearned / CARD,
        key=split.deletion_key,
        tags=tags,
    )
    promote(run.tracking, name, version.version)
    return version.version


def _registry(layout: Layout) -> RegistryParams:
    return read_section(layout.root, "registry", RegistryParams)


if __name__ == "__main__":
    run_stage(certify)
