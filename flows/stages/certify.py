"""Stage ``certify``: sign what was done, register the model, and tell it to people."""

from pathlib import Path

from flows.stages.process import run_stage
from tasks.approving import require_approval
from tasks.certification import accepted_rung, gather_certificate, note_on
from tasks.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.environment import git_commit
from tasks.evidence import push_missing, store_certificate
from tasks.files import read_record, write_atomically, write_record
from tasks.layout import Layout
from tasks.materials import read_split
from tasks.params import read_section
from tasks.registry import champion, promote, register_model
from tasks.report.page import write_report
from tasks.reporting import deletion_markdown
from tasks.signing import sign_statement
from tasks.tracking import (
    Run,
    connect,
    deletion_run,
    describe_run,
    end_run,
    log_documents,
    set_tags,
    started_at,
)
from unlearn_core.records.base import sha256
from unlearn_core.records.certificate import Statement
from unlearn_core.records.deletion import DeletionRecord, Outcome, Released, Rung, SplitRecord
from unlearn_core.records.params import RegistryParams


def certify(root: Path) -> Released:
    """Sign the certificate, register the accepted model, make it the champion, and write the report.

    Args:
        root: The checkout.

    Returns:
        What was released, and where its evidence is.
    """
    layout = Layout(root)
    require_approval(layout)
    split = read_split(layout)
    deletion = read_record(layout.deletion, DeletionRecord)
    rung = accepted_rung(deletion)
    run = deletion_run(connect(root), request_id=split.request, key=split.deletion_key)
    certificate = gather_certificate(layout, deletion, started=started_at(run))
    signed = sign_statement(Statement.of(certificate, name=WEIGHTS))
    path = layout.certificate(split.request)
    write_atomically(path, signed)
    store_certificate(layout, split.request)
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
    write_record(layout.released(split.request), released)
    layout.failure(split.request).unlink(missing_ok=True)
    report = write_report(layout, split.request)
    log_documents(run, path, report, layout.reports, artifact_path="evidence")
    describe_run(run, deletion_markdown(deletion, released))
    set_tags(run, {"lethe.verdict": outcome.verdict, "lethe.method": outcome.method})
    end_run(run, "FINISHED")
    return released


def certify_and_store(root: Path) -> None:
    """Certify, and complete the evidence in the store; the flow has a task for each."""
    push_missing(Layout(root), certify(root).outcome.request)


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
        note=note_on(rung),
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
        "lethe.commit": git_commit(layout.root) or "none",
    }
    version = register_model(
        run,
        name,
        weights=layout.unlearned / WEIGHTS,
        card=layout.unlearned / CARD,
        key=split.deletion_key,
        tags=tags,
        description=f"Request {split.request}: {outcome.method}, {outcome.verdict}, evidence {outcome.level}",
    )
    promote(run.tracking, name, version.version)
    return version.version


def _registry(layout: Layout) -> RegistryParams:
    return read_section(layout.root, "registry", RegistryParams)


if __name__ == "__main__":
    run_stage(certify_and_store)
