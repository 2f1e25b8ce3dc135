"""What a released model has beside its certificate for programs that know nothing of Lethe."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.evidence.bill_of_materials import BILL_OF_MATERIALS, write_bill
from tasks.evidence.model_signature import MODEL_SIGNATURE, sign_model
from tasks.keys.releasing import release_key
from tasks.keys.signing import load_signer, read_certificate
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.records.base import sha256
from unlearn_core.records.deletion import Released


def write_release_papers(checkout: Checkout, released: Released) -> None:
    """Write ``model.sig`` and the bill of materials of a model that was just released.

    Args:
        checkout: The checkout, which holds the model and has signed its certificate.
        released: What was released.
    """
    request = released.outcome.request
    raw, folder = read_certificate(checkout.certificate(request)), checkout.evidence(request)
    certified = read_statement(decode_envelope(raw).payload).predicate
    name, version = released.registered_model, released.registered_version
    write_atomically(folder / MODEL_SIGNATURE, sign_model(checkout.unlearned, release_key(load_signer())))
    write_atomically(
        folder / BILL_OF_MATERIALS, write_bill(certified, sha256(raw), name=name, version=version)
    )


def papers_of(certificate: Path) -> list[Path]:
    """Return those files beside a certificate, as far as they are there: earlier releases have none."""
    return [
        path
        for name in (BILL_OF_MATERIALS, MODEL_SIGNATURE)
        if (path := certificate.with_name(name)).is_file()
    ]
