"""Stage ``certify``: sign what was done, register the model, and write the reports.

A group of requests has one model and one version of it, and each member has a certificate, a record of the
release and a report. All certificates are signed and stored before the model is promoted; an interrupted
step is repeated, and nothing is signed, registered or promoted twice.
"""

import shutil
from pathlib import Path

from flows.stages.timing import keeping_time
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import git_commit
from tasks.checkout.files import copy_folder, read_record, write_record
from tasks.checkout.tags import Tag, certificate_tags
from tasks.computing.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.data.fingerprints import with_fingerprints
from tasks.data.tombstones import write_tombstones
from tasks.evidence.attestation import beside
from tasks.evidence.certification import gather_certificates, note_on, sign_once
from tasks.evidence.dating import require_clock
from tasks.evidence.papers import papers_of, write_release_papers
from tasks.evidence.stamping import stamp_if_wanted
from tasks.evidence.uploading import push_missing, store_certificate
from tasks.lifecycle.pins import pins_read
from tasks.report.page import write_report
from tasks.requests.request_file import read_request
from tasks.requests.runs import find_history
from tasks.tracking.closing import close_released, describe_version
from tasks.tracking.histories import history_in_tracking
from tasks.tracking.registry import champion, promote, register_model
from tasks.tracking.runs import (
    Run,
    deletion_run,
    log_documents,
    started_at,
    tracking_of,
)
from unlearn_core.audit.attempts import accepted_rung
from unlearn_core.records.base import Sha256
from unlearn_core.records.deletion import DeletionRecord, Outcome, Released, Rung, SplitRecord
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.params import RegistryParams
from unlearn_core.records.policy import NOT_JUDGED
from unlearn_core.records.request import DeletionRequest, RequestId


@keeping_time("certificate")
def certify(checkout: Checkout) -> tuple[Released, ...]:
    """Sign the certificates, register the accepted model, make it the champion, and write the reports.

    Returns:
        What was released, and where its evidence is: for the request, or for each member of the group.
    """
    split = read_split(checkout)
    deletion = read_record(checkout.deletion, DeletionRecord)
    run = deletion_run(tracking_of(checkout), request_id=split.request, key=split.deletion_key)
    certificates = _sign(checkout, deletion, run)
    _bury(checkout, split)
    request = read_request(checkout, split.request)
    outcome = _outcome(checkout, split, deletion, accepted_rung(deletion))
    version = _register(checkout, split, outcome, run, certificates)
    write_record(checkout.outcome, outcome)
    released = tuple(
        Released(
            outcome=Outcome(**{**dict(outcome), "request": single.id}),
            group=request.group,
            registered_model=_registry(checkout).model,
            registered_version=version,
            certificate=str(checkout.certificate(single.id).relative_to(checkout.root)),
            certificate_digest=certificates[single.id],
            run=run.id,
        )
        for single in request.singles
    )
    for one in released:
        _release(checkout, request, one)
    checkout.failure(split.request).unlink(missing_ok=True)
    _log_evidence(checkout, run, released)
    close_released(checkout, run, *released)
    return released


def _bury(checkout: Checkout, split: SplitRecord) -> None:
    """Write the tombstones of what is forgotten, before the model that forgot it is put into use."""
    before, after = (with_fingerprints(checkout, folder) for folder in (checkout.dataset, checkout.retained))
    write_tombstones(checkout, split.request, before, after)


def certify_and_store(checkout: Checkout) -> None:
    """Certify, and complete the evidence in the store; the flow has one task for each."""
    for released in certify(checkout):
        push_missing(checkout, released.outcome.request)


def _sign(checkout: Checkout, deletion: DeletionRecord, run: Run) -> dict[RequestId, Sha256]:
    """Sign all certificates, then store them; return their digests by request."""
    require_clock(checkout, began=(started := started_at(run)), run=run.id)
    histories = _histories(checkout, deletion, run)
    certificates = gather_certificates(
        checkout, deletion, started=started, pins=pins_read(checkout), histories=histories
    )
    signed = {one.request.id: sign_once(one, checkout.certificate(one.request.id)) for one in certificates}
    stamp_if_wanted(*map(checkout.certificate, signed), later="lethe evidence stamp REQUEST")
    for request_id in signed:
        store_certificate(checkout, request_id)
    return signed


def _histories(checkout: Checkout, deletion: DeletionRecord, run: Run) -> dict[RequestId, RequestHistory]:
    """Return what was tried for each request before this run: from the ledger, else as MLflow knows it."""
    own = history_in_tracking(run, deletion)
    singles = read_request(checkout, deletion.request).singles
    found = {one.id: find_history(checkout, one, deletion.digest) or own for one in singles}
    return {request: history for request, history in found.items() if history is not None}


def _release(checkout: Checkout, request: DeletionRequest, released: Released) -> None:
    """Write one request's release beside its certificate, and its report."""
    request_id = released.outcome.request
    if request.members:
        _copy_data_docs(checkout.data_docs(request.id), checkout.data_docs(request_id))
        if (decision := checkout.approval(request.id)).is_file():
            shutil.copyfile(decision, checkout.approval(request_id))
    write_record(checkout.released(request_id), released)
    write_release_papers(checkout, released)
    checkout.failure(request_id).unlink(missing_ok=True)
    write_report(checkout, request_id)


def _copy_data_docs(source: Path, folder: Path) -> None:
    """Give a member its group's Data Docs; those of its own earlier attempt do not apply."""
    if source.is_dir():
        copy_folder(source, folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(checkout: Checkout, split: SplitRecord, deletion: DeletionRecord, rung: Rung) -> Outcome:
    return Outcome(
        request=split.request,
        deletion=deletion.digest,
        data=split.data,
        retained=split.retained,
        parent=rung.unlearning.parent,
        model=read_checkpoint_card(checkout.unlearned).weights,
        method=rung.unlearning.name,
        verdict=rung.verdict.verdict,
        removed=rung.verdict.removal,
        level=rung.verdict.level,
        policy=rung.verdict.policy,
        note=note_on(rung),
        earlier=rung.earlier,
    )


def _register(
    checkout: Checkout, split: SplitRecord, outcome: Outcome, run: Run, certificates: dict[RequestId, Sha256]
) -> int:
    """Register the model once, and point ``champion`` to it."""
    name = _registry(checkout).model
    before = champion(run.tracking, name)
    version = register_model(
        run,
        name,
        weights=checkout.unlearned / WEIGHTS,
        card=checkout.unlearned / CARD,
        key=split.deletion_key,
        tags={
            **_version_tags(checkout, split, outcome, certificates),
            Tag.PARENT_VERSION: str(before.version) if before else "none",
        },
        description=describe_version(checkout, run, outcome, *certificates),
    )
    promote(run.tracking, name, version.version)
    return version.version


def _version_tags(
    checkout: Checkout, split: SplitRecord, outcome: Outcome, certificates: dict[RequestId, Sha256]
) -> dict[str, str]:
    """Return a version's tags in the registry; request and scope are used to find it again."""
    data = read_card(checkout.dataset)
    return {
        Tag.REQUEST: split.request,
        Tag.VERDICT: outcome.verdict,
        Tag.REMOVED: outcome.removed or NOT_JUDGED,
        Tag.SHOWN: outcome.in_words,
        Tag.METHOD: outcome.method,
        Tag.LEVEL: outcome.level,
        Tag.SCOPE_KIND: split.scope_kind,
        Tag.SCOPE: split.scope,
        Tag.DATA: split.data,
        Tag.RETAINED: split.retained,
        Tag.SOURCES: " ".join((data.rows_digest, *data.lineage)),
        Tag.COMMIT: git_commit(checkout.root) or "none",
        **certificate_tags(certificates),
    }


def _log_evidence(checkout: Checkout, run: Run, released: tuple[Released, ...]) -> None:
    """Log reports, certificates and pages as artifacts of the run."""
    log_documents(run, checkout.reports, artifact_path="evidence")
    for one in released:
        request_id = one.outcome.request
        certificate, page = checkout.certificate(request_id), checkout.report(request_id)
        folder = "evidence" if one.group is None else f"evidence/{request_id}"
        papers = papers_of(certificate)
        log_documents(run, certificate, *beside(certificate), *papers, page, artifact_path=folder)


def _registry(checkout: Checkout) -> RegistryParams:
    return checkout.params.registry
