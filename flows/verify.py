"""Prefect flow ``verify``: every certificate of a checkout, and the models in it and in its registry."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from tasks.checkout.checkout import Checkout
from tasks.evidence.attestation import Attestors, attested
from tasks.evidence.dating import certified_approval, require_later, require_received
from tasks.evidence.verification import verify_bytes, verify_files
from tasks.keys.signing import read_certificate
from tasks.lifecycle.held_models import CHAMPION_OF, UNLEARNED, Held, held_models
from tasks.orchestration.flow_runs import project_tags, tag_flow_run
from tasks.orchestration.own_server import with_server
from tasks.requests.ledger.finding import find_ledger
from tasks.tracking.server import has_store
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.certificate import DeletionCertificate

CheckedCertificate = dict[str, str]
VERIFIED, NOT_COMPARED, UNJUDGED = "verified", "not compared", "not judged again"


@task(name="verify", task_run_name="verify {request_id}")
def verify_release(
    checkout: Checkout, request_id: str, held: Sequence[Held] | None = None
) -> CheckedCertificate:
    """Verify one request's certificate, and compare its model; a fault is a result, not an error.

    Only the certificate is trusted: the record of the release beside it is not signed.

    Args:
        checkout: The checkout.
        request_id: The request's id.
        held: The models that the certified one is looked for among; those of the checkout by default.

    Returns:
        The request, its model if known, and ``verified``, ``not compared`` if the model is nowhere,
        ``not judged again`` if the certificate carries no policy, or what is wrong; the places in which the
        model was compared, and what could not be compared and why.
    """
    places = held_models(checkout) if held is None else held
    try:
        certified, _ = _read(checkout, request_id)
    except EvidenceError as error:
        return _checked(request_id, "unknown", str(error))
    model = certified.models.unlearned
    same = [one for one in places if one.weights == model and not one.false]
    compared = [one.place for one in same if not one.gone]
    missing = [one.gone for one in same if one.gone]
    if not has_store(checkout.root):
        missing.append("the registry: this checkout has none, and no server is named")
    if not compared:
        missing.append("the model: it is neither in this checkout nor in use in the registry")
    result = VERIFIED if compared else NOT_COMPARED
    if certified.judgement.policy is None:
        result = UNJUDGED
        missing.append("the verdict with its numbers: the policy is not in the certificate")
    return _checked(request_id, model, result, compared=compared, missing=missing)


@with_server
@flow(name="verify", flow_run_name="{checkout.params.registry.model}: verify", validate_parameters=False)
def verify(checkout: Checkout) -> list[CheckedCertificate]:
    """Verify every certificate that the checkout holds, and report those that it should hold but does not.

    The models of the checkout and those in use in the registry are compared with the certificates, and the
    files of the artifact store with the registry. Certificates of models that were only judged are among
    them.

    Args:
        checkout: The checkout. Its root is stored, so it must name nobody.

    Returns:
        One entry per certificate, and one per model that is not a certificate's and should be.

    Raises:
        EvidenceError: If any of them is false; all are listed, and the artifact names each.
    """
    tag_flow_run(project_tags(checkout))
    found, held = checkout.with_evidence(), held_models(checkout)
    checked = [verify_release(checkout, request_id, held) for request_id in found]
    checked += _without_certificate(held, _certificates(checkout, found))
    checked += map(verify_judgement, checkout.with_judgements())
    title = "Certificates and models of this checkout"
    show_checked(checked, key="certificates", title=title, false="certificates and models are false")
    return checked


def show_checked(checked: list[CheckedCertificate], *, key: str, title: str, false: str) -> None:
    """Put what was verified on the flow run's page, and refuse what is false.

    Args:
        checked: What was verified, and what is wrong with it.
        key: The table's name; the same key again makes its next version.
        title: One sentence, shown where the table itself is not.
        false: What follows the count in the error, e.g. ``certificates are false``.

    Raises:
        EvidenceError: If any of it is false; every false one is listed.
    """
    create_table_artifact(checked, key=key, description=title)
    wrong = [
        f"  {entry['request']}: {entry['result']}"
        for entry in checked
        if entry["result"] not in {VERIFIED, NOT_COMPARED, UNJUDGED}
    ]
    if wrong:
        raise EvidenceError("\n".join([f"{len(wrong)} of {len(checked)} {false}:", *wrong]))


def verify_judgement(path: Path) -> CheckedCertificate:
    """Verify the certificate of a model that was judged and not made; a fault is a result, not an error."""
    request_id = path.parts[-4]
    try:
        told = verify_files(path, request=request_id, kind="judged")
    except EvidenceError as error:
        return _checked(f"{request_id} (judged)", "unknown", str(error))
    missing = ["the model: it was handed in, and its file is not kept here"]
    return _checked(f"{request_id} (judged)", str(told["model"]), VERIFIED, missing=missing)


def _read(checkout: Checkout, request_id: str) -> tuple[DeletionCertificate, Sha256]:
    """Return a request's certificate and the digest of its file.

    Raises:
        EvidenceError: If it is missing, false, or about another request, or its time stamp is false.
    """
    path = checkout.certificate(request_id)
    if not path.exists():
        raise EvidenceError("the certificate is missing")
    certified, _ = verify_bytes(raw := read_certificate(path))
    if (about := certified.request.id) != request_id:
        raise EvidenceError(f"the certificate is about request {about}")
    require_later(checkout, certified)
    if (ledger := find_ledger(checkout.root)) is not None:
        require_received(ledger, certified, certified_approval(checkout, certified))
    attested(path, raw, {}, finished=certified.provenance.finished, asked=Attestors())
    return certified, sha256(raw)


def _certificates(checkout: Checkout, found: Iterable[str]) -> dict[Sha256, DeletionCertificate]:
    """Return the valid certificates by digest."""
    valid = dict[Sha256, DeletionCertificate]()
    for request_id in found:
        try:
            certified, digest = _read(checkout, request_id)
        except EvidenceError:
            continue
        valid[digest] = certified
    return valid


def _without_certificate(
    held: Iterable[Held], certificates: Mapping[Sha256, DeletionCertificate]
) -> Iterator[CheckedCertificate]:
    """Yield the models that are false, and those that should have a certificate here and have none."""
    certified = {one.models.unlearned for one in certificates.values()}
    for one in held:
        if one.false:
            yield _checked(one.place, one.weights, one.false)
        elif one.weights not in certified:
            yield from _uncertified(one, certificates)


def _uncertified(
    one: Held, certificates: Mapping[Sha256, DeletionCertificate]
) -> Iterator[CheckedCertificate]:
    """Yield what is wrong or unknown of a model that no certificate here is about.

    A model that was trained or adopted has none. It is in use only before the first deletion.
    """
    own = [certificates[digest] for digest in one.certificates if digest in certificates]
    if one.place == UNLEARNED:
        ids = {one.request.id if one.group is None else one.group.id: one for one in certificates.values()}
        own = [ids[one.request]] if one.request in ids else []
    if own:
        expected = own[0].models.unlearned
        problem = f"its model is {one.weights}, the certificate of {own[0].request.id} is about {expected}"
        yield _checked(one.place, one.weights, problem)
    elif one.request is not None or (certificates and one.place.startswith(CHAMPION_OF)):
        of = "a model that no request was served on" if one.request is None else f"of request {one.request}"
        missing = [f"a certificate: none here is about it; it is {of}"]
        yield _checked(one.place, one.weights, NOT_COMPARED, missing=missing)


def _checked(
    request: str, model: str, result: str, *, compared: Iterable[str] = (), missing: Iterable[str] = ()
) -> CheckedCertificate:
    return {
        "request": request,
        "model": model,
        "result": result,
        "compared": "; ".join(compared),
        "not_compared": "; ".join(missing),
    }
