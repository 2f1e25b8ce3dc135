"""Prefect flow ``verify``: every certificate of a checkout, and the models still in it."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from tasks.checkout.checkout import CERTIFICATE, RELEASED, Checkout
from tasks.computing.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.evidence.verification import verify_files
from tasks.orchestration.own_server import with_server
from unlearn_core.errors import EvidenceError

CheckedCertificate = dict[str, str]
VERIFIED = "verified"


@task(name="verify", task_run_name="verify {request_id}")
def verify_release(checkout: Checkout, request_id: str) -> CheckedCertificate:
    """Verify one request's certificate; a fault is a result, not an error.

    Only the certificate is trusted: the record of the release beside it is not signed.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        The request, its model if known, and ``verified`` or what is wrong.
    """
    certificate = checkout.certificate(request_id)
    model, result = "unknown", "the certificate is missing"
    try:
        if certificate.is_file():
            summary = verify_files(certificate)
            model, about = str(summary["model"]), summary["request"]
            result = VERIFIED if about == request_id else f"the certificate is about request {about}"
            verify_files(certificate, model=_find_model(checkout, model))
    except EvidenceError as error:
        result = str(error)
    return {"request": request_id, "model": model, "result": result}


@with_server
@flow(name="verify", flow_run_name="verify", validate_parameters=False)
def verify(checkout: Checkout) -> list[CheckedCertificate]:
    """Verify every certificate that the checkout holds, and report those that it should hold but does not.

    Args:
        checkout: The checkout. Its root is stored, so it must name nobody.

    Returns:
        One entry per certificate.

    Raises:
        EvidenceError: If any of them is false; all are listed, and the artifact names each.
    """
    evidence = checkout.root / "evidence"
    found = sorted(
        {path.parent.name for name in (CERTIFICATE, RELEASED) for path in evidence.glob(f"*/{name}")}
    )
    checked = [verify_release(checkout, request_id) for request_id in found]
    show_checked(
        checked, key="certificates", title="Certificates of this checkout", false="certificates are false"
    )
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
    wrong = [f"  {entry['request']}: {entry['result']}" for entry in checked if entry["result"] != VERIFIED]
    if wrong:
        raise EvidenceError("\n".join([f"{len(wrong)} of {len(checked)} {false}:", *wrong]))


def _find_model(checkout: Checkout, weights: str) -> Path | None:
    """Return the file of a model if it is still in the checkout."""
    kept = (checkout.generation("models", weights), checkout.unlearned)
    there = (folder for folder in kept if (folder / CARD).is_file() and (folder / WEIGHTS).is_file())
    return next(
        (folder / WEIGHTS for folder in there if read_checkpoint_card(folder).weights == weights), None
    )
