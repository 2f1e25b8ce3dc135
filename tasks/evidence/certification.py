"""The certificates of a deletion, gathered from a checkout and signed once."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.checkout import environment
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_atomically
from tasks.checkout.software import installed
from tasks.computing.checkpoints import CARD, WEIGHTS
from tasks.computing.costs import read_cost
from tasks.computing.execution import device_name
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.evidence.approving import require_approval
from tasks.evidence.attestation import beside
from tasks.evidence.receipts import manifest_trees
from tasks.keys.signing import key_id, load_signer, read_certificate, sign_statement, verify_signature
from tasks.requests.request_file import read_request
from tasks.storage.versioning import lock_digest
from unlearn_core.audit.attempts import accepted_rung, attempts_of
from unlearn_core.errors import EvidenceError, PipelineError
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.base import Sha256, UtcTime, sha256
from unlearn_core.records.certificate import (
    DataDigests,
    DeletionCertificate,
    Judgement,
    Statement,
    ValidationSummary,
)
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.deletion import DeletionRecord, Rung, SplitRecord
from unlearn_core.records.evaluation import Cost, Evaluation
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.provenance import Provenance
from unlearn_core.records.request import DeletionRequest, RequestId
from unlearn_core.records.validation import ValidationRecord
from unlearn_core.seeds import derive_seed


def gather_certificates(
    checkout: Checkout,
    deletion: DeletionRecord,
    *,
    started: UtcTime,
    pins: dict[str, Sha256] | None = None,
    histories: Mapping[RequestId, RequestHistory] | None = None,
) -> tuple[DeletionCertificate, ...]:
    """Build the certificates of the checkout's deletion from what its stages wrote.

    Args:
        checkout: The checkout.
        deletion: The ladder, which ended in an accepted model.
        started: When the deletion began.
        pins: The digests of the ``.dvc`` files that the deletion read.
        histories: What was tried before for each request, as far as that is known.

    Returns:
        One certificate, to be stated and signed; for a group, one per member, in order, which differ only in
        the request.

    Raises:
        PipelineError: If the ladder was for another request or data set than the checkout holds now.
        GateError: If the policy asks for a person's approval, and there is none.
    """
    approval = require_approval(checkout)
    split, rung = read_split(checkout), accepted_rung(deletion)
    request = read_request(checkout, split.request)
    if deletion.split != split.digest or request.scope_digest != split.scope:
        raise PipelineError(
            f"the accepted model is of request {deletion.request!r} with split {deletion.split}; the "
            f"checkout holds request {request.id!r} with split {split.digest}. Run `dvc repro`"
        )
    data = read_card(checkout.dataset)
    digests = data_digests(data, split)
    certificate = partial(
        DeletionCertificate.of,
        group=request.group,
        approval=None if approval is None else approval.digest,
        data=digests,
        manifest=manifest_trees(checkout, digests),
        result=rung.unlearning,
        judgement=Judgement(
            verdict=rung.verdict,
            original=deletion.original,
            unlearned=rung.evaluation,
            references=deletion.references,
            policy=checkout.params.policy,
            calibration=deletion.calibration,
            not_calibrated=deletion.not_calibrated,
        ),
        attempts=attempts_of(deletion),
        validation=validation_summary(checkout),
        cost=_cost(checkout, deletion),
        provenance=provenance_of(checkout, rung.evaluation, started, method=rung.unlearning.seed),
        lock=lock_digest(checkout.root),
        pins=pins,
        moments=read_record(checkout.moments / CARD, MomentsCard).tensors,
        ledger=ledger_head(checkout, request.singles),
        note=note_on(rung),
        drift=rung.drift,
        earlier=rung.earlier,
        source=data.extension,
    )
    known = histories or {}
    return tuple(certificate(request=one, history=known.get(one.id)) for one in request.singles)


def data_digests(data: DatasetCard, split: SplitRecord) -> DataDigests:
    """Return the data set before and its splits, and what was retained, by their digests."""
    splits = {entry.split: entry.rows_digest for entry in data.splits}
    return DataDigests(before=data.rows_digest, retained=split.retained, splits=splits)


def ledger_head(checkout: Checkout, requests: tuple[DeletionRequest, ...]) -> Sha256 | None:
    """Return the head of the ledger that holds some requests.

    Args:
        checkout: The checkout.
        requests: The requests.

    Returns:
        The digest of its whole history; None if there is no ledger, or it does not hold every one of exactly
        these requests.
    """
    from tasks.requests.ledger.finding import find_ledger

    if (ledger := find_ledger(checkout.root)) is None or not ledger.holds(requests):
        return None
    return ledger.head()


def sign_once(certificate: DeletionCertificate, path: Path) -> Sha256:
    """Sign a certificate, unless the file already holds it: a resumed run signs nothing twice.

    It is the same if it differs at most in the time of signing, and the ledger's head and the pins at that
    time.

    Args:
        certificate: The certificate.
        path: The file.

    Returns:
        The digest of the file.
    """
    if (kept := _find_signed(path)) is not None and _timeless(kept[1]) == _timeless(certificate):
        return sha256(kept[0])
    signed = sign_statement(Statement.of(certificate, name=WEIGHTS))
    for attesting in beside(path):
        attesting.unlink()  # it is of the certificate that is replaced
    write_atomically(path, signed)
    return sha256(signed)


def _find_signed(path: Path) -> tuple[bytes, DeletionCertificate] | None:
    """Return a certificate file that this machine's key signed, and its certificate."""
    if not path.is_file():
        return None
    own = load_signer().public_key()
    try:
        raw = read_certificate(path)
        return raw, verify_signature(raw, {key_id(own): own})[0].predicate
    except EvidenceError:
        return None


def _timeless(certificate: DeletionCertificate) -> dict[str, Any]:
    """Return a certificate's content, without what depends on when it was signed."""
    return certificate.model_dump(exclude={"ledger": True, "pins": True, "provenance": {"finished"}})


def validation_summary(checkout: Checkout) -> ValidationSummary:
    """Return how many expectations the data set and the split had to meet, and whether they did."""
    records = [
        read_record(checkout.split / f"validation_{name}.json", ValidationRecord)
        for name in ("dataset", "split")
    ]
    return ValidationSummary(
        expectations=sum(record.evaluated for record in records),
        all_succeeded=not any(record.failed for record in records),
    )


def _cost(checkout: Checkout, deletion: DeletionRecord) -> Cost | None:
    """Return what all rungs together cost, or None if a pinned result came without its times."""
    costs = [read_cost(checkout, rung.unlearning.weights) for rung in deletion.rungs]
    known = [cost for cost in costs if cost is not None]
    return Cost.total(known) if len(known) == len(costs) else None


def provenance_of(checkout: Checkout, evaluation: Evaluation, started: UtcTime, **seeds: int) -> Provenance:
    """Return where and when a model was judged.

    Args:
        checkout: The checkout.
        evaluation: What was measured on it.
        started: When the work began.
        seeds: Of what else was seeded.

    Returns:
        The provenance, which ends now.
    """
    params = checkout.params.run
    commit = environment.git_commit(checkout.root)
    return Provenance(
        commit=commit,
        dirty=commit is None or environment.git_is_dirty(checkout.root),
        constraints=environment.constraints_digest(checkout.root),
        versions=environment.versions(),
        code=installed().code,
        platform=environment.platform_name(),
        device=device_name(),
        threads=params.threads,
        seeds={
            "base": params.seed,
            **seeds,
            "reference": derive_seed(params.seed, "reference"),
            "evaluation": evaluation.seed,
        },
        started=started,
        finished=environment.now(),
    )


def note_on(rung: Rung) -> str | None:
    """Return what a reader must know about a model of which a claim was judged and not shown."""
    return None if rung.verdict.is_shown else rung.why
