"""Verify a certificate, and the model that it is about, with nothing else.

It loads no torch, uses no network and trusts only the given key, or else the keys in the user's trust folder;
nothing in a certificate can add to them.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from tasks.checkout.files import file_digest
from tasks.checkout.regular import read_regular
from tasks.keys.signing import (
    key_id,
    public_keys_in,
    read_certificate,
    read_public_key,
    trust_folder,
    verify_signature,
)
from unlearn_core.audit.envelope import MAX_BYTES
from unlearn_core.audit.policy import unjudged
from unlearn_core.audit.receipts import check_receipt, read_receipt
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.kinds import scope_kind
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate, Judgement
from unlearn_core.records.policy import NOT_JUDGED
from unlearn_core.records.request import RequestId

Summary = dict[str, JsonValue]

ACCURACIES = tuple(f"accuracy.{part}.{side}" for side in ("forget", "retain") for part in ("train", "test"))
"""What a reader asks first: how often a model is right about what was forgotten, and about the rest."""


def verify_files(
    certificate: Path,
    *,
    model: Path | None = None,
    key: Path | None = None,
    request: RequestId | None = None,
    policy: Sha256 | None = None,
    receipt: Path | None = None,
) -> Summary:
    """Verify a certificate file and, if given, the model's file and a person's receipt.

    Args:
        certificate: The certificate.
        model: The model that it should be about.
        key: The public key that should have signed it; the trust folder's keys by default.
        request: The id of the request that it should be about.
        policy: The digest of the policy that it should have been reached under.
        receipt: A receipt that should be one of this certificate.

    Returns:
        A summary of who signed what, and of the rows that the receipt shows.

    Raises:
        EvidenceError: If the certificate or the receipt is not valid, or the certificate is about another
            model, request or policy.
    """
    certified, signer = verify_bytes(read_certificate(certificate), key=key)
    if request is not None and certified.request.id != request:
        raise EvidenceError(f"the certificate is about request {certified.request.id}, not {request}")
    if policy is not None and (found := certified.judgement.verdict.policy) != policy:
        raise EvidenceError(
            f"the verdict was reached under the policy {found}, not under {policy}; ask the issuer which "
            "policy was agreed on"
        )
    if model is not None and (found := _digest(model)) != certified.models.unlearned:
        raise EvidenceError(
            f"the model {model} is {found}, the certificate is about {certified.models.unlearned}; "
            "take the model that was issued with it"
        )
    rows = None if receipt is None else _shown_rows(receipt, certified)
    return {**_summary(certified, signer=signer, model_checked=model is not None), "receipt": rows}


def _shown_rows(receipt: Path, certified: DeletionCertificate) -> list[JsonValue]:
    """Check a receipt.

    Returns:
        The rows that it shows to have been in, and to be out.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        given = read_receipt(read_regular(receipt, MAX_BYTES + 1))
    except OSError as error:
        raise SetupError(f"cannot read the receipt {receipt}: {error.strerror}") from error
    check_receipt(given, certified)
    return [{"sample": row.sample, "image": row.image} for row in given.rows]


def verify_bytes(raw: bytes, *, key: Path | None = None) -> tuple[DeletionCertificate, Sha256]:
    """Verify a certificate.

    Args:
        raw: The certificate file's content.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        The certificate, and the id of the key that signed it.

    Raises:
        SetupError: If no key is trusted.
    """
    if key is not None:
        public = read_public_key(key)
        trusted = {key_id(public): public}
    elif not (trusted := public_keys_in(trust_folder())):
        raise SetupError(f"no key is trusted; give the issuer's with --key, or put it in {trust_folder()}")
    statement, signer = verify_signature(raw, trusted)
    return statement.predicate, signer


def _digest(model: Path) -> Sha256:
    """Return the digest of the model's file.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return file_digest(model)
    except OSError as error:
        raise SetupError(f"cannot read the model {model}: {error.strerror}") from error


def _summary(certified: DeletionCertificate, *, signer: Sha256, model_checked: bool) -> Summary:
    """Select what a reader asks first."""
    judgement, provenance, group = certified.judgement, certified.provenance, certified.group
    verdict, method = judgement.verdict, str(certified.method["name"])
    return {
        "signed_by": signer,
        "shown": verdict.shown_of(method),
        "judged_again": judgement.policy is not None,
        "not_asked": [*_not_asked(certified)],
        "request": certified.request.id,
        "group": None if group is None else f"{group.id} of {len(group.members)} requests",
        "scope": certified.request.kind,
        "method": method,
        "extensions": "; ".join(f"{one}, code {one.code}" for one in certified.extensions) or None,
        "verdict": verdict.verdict,
        "removed": verdict.removal or NOT_JUDGED,
        "evidence_level": verdict.level,
        "model": certified.models.unlearned,
        "model_checked": model_checked,
        "parent": certified.models.parent,
        "started": provenance.started,
        "finished": provenance.finished,
        "commit": provenance.commit,
        "dirty": provenance.dirty,
        "note": certified.note,
        "earlier_runs": _earlier_runs(certified),
        "asked_again": [f"{one.request}: {one.in_words}" for one in certified.earlier],
        "accuracies": _accuracies(judgement),
        "findings": _findings(judgement),
        "policy": verdict.policy,
        "asked": None if judgement.policy is None else judgement.policy.model_dump(mode="json"),
    }


def _earlier_runs(certified: DeletionCertificate) -> str | None:
    """Say what was tried for the request before, and whether the policy was changed meanwhile."""
    if (history := certified.history) is None:
        return None
    told = ", ".join(f"{count} {result}" for result, count in history.results.items()) or "none"
    changed = history.policy_changed(certified.judgement.verdict.policy)
    return f"{told} ({history.source}){'; the policy was changed meanwhile' if changed else ''}"


def _not_asked(certified: DeletionCertificate) -> Iterator[str]:
    """Say what a certificate does not carry, as one of an earlier version, or what was not judged in it."""
    judgement = certified.judgement
    if judgement.policy is None:
        yield "whether the verdict follows from the numbers: the policy is not in it"
    else:
        scope = scope_kind(certified.request.kind)
        for name, why in unjudged(
            judgement.policy, scope, judgement.unlearned, calibrated=judgement.calibration is not None
        ).items():
            yield f"whether {name} is inside the policy's band: {why}"
    if certified.drift is None:
        yield "how far the model has drifted"
    elif certified.drift.requests > 1 and not certified.earlier:
        yield "whether what was forgotten before is still forgotten: no earlier request is in it"
    if certified.history is None:
        yield "how often it was tried before"
    if certified.provenance.code is None:
        yield "which code of Lethe's made it"
    if certified.pins is None:
        yield "which files it read beside the pipeline's lock"
    if certified.manifest is None:
        yield "whose rows were in the training data: it does not commit to them"
    if judgement.calibration is not None:
        yield (
            "whether the model behaves like one retrained for this request: there is none; a calibration "
            "stands in, and how far the weights had come from the calibrated model is not in it"
        )
    elif not judgement.references:
        yield "whether the model behaves like a retrained one: none is in it"
    if judgement.verdict.removed is None:
        yield "whether anything is left inside: its policy has no band for that"


def _findings(judgement: Judgement) -> list[JsonValue]:
    """Return what was judged: each band's bounds, the model's value in them and the original's."""
    return [
        {
            "claim": finding.claim,
            **finding.model_dump(mode="json"),
            "original": judgement.original.find(finding.measurement),
        }
        for finding in judgement.verdict.findings
    ]


def _accuracies(judgement: Judgement) -> list[JsonValue]:
    """Return how often each model is right on what was forgotten, and on the rest."""
    rows: list[JsonValue] = []
    for name in ACCURACIES:
        if (unlearned := judgement.unlearned.find(name)) is None:
            continue
        retrained: list[JsonValue] = [one.find(name) for one in judgement.references]
        original = judgement.original.find(name)
        rows.append(
            {"measurement": name, "original": original, "unlearned": unlearned, "retrained": retrained}
        )
    return rows
