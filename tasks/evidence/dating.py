"""Whether a certificate is later than what it rests on: its code's commit, and a person's approval."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.git import ask_git
from unlearn_core.audit.clocks import as_time, is_later
from unlearn_core.errors import EvidenceError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate


def predates_approval(certified: DeletionCertificate, approval: Approval) -> str | None:
    """Say why a certificate cannot rest on a person's decision; None if it can.

    Args:
        certified: The certificate, which carries the decision's digest.
        approval: The decision.

    Returns:
        Both times, if the decision is the later one.
    """
    finished = certified.provenance.finished
    later = is_later(approval.time, finished)
    return f"approved at {approval.time}, after it was certified at {finished}" if later else None


def require_later(checkout: Checkout, certified: DeletionCertificate) -> None:
    """Refuse a certificate that is older than what it rests on, as far as the checkout holds that.

    Args:
        checkout: The checkout, and the clone that it is in.
        certified: The certificate; the caller has verified it.

    Raises:
        EvidenceError: If its commit was made, or its approval given, after it was signed.
    """
    finished, commit = certified.provenance.finished, certified.provenance.commit
    made = (
        None
        if commit is None
        else ask_git(checkout.root, "show", "-s", "--format=%ct", f"{commit}^{{commit}}")
    )
    if made is not None and is_later(committed := as_time(int(made)), finished):
        raise EvidenceError(
            f"certified at {finished}, before its code was committed at {committed} ({commit}); one of them "
            "is misdated: ask the issuer"
        )
    if (approval := _approval(checkout, certified.request.id, certified.approval)) is None:
        return
    if problem := predates_approval(certified, approval):
        raise EvidenceError(f"{problem}; one of them is misdated: ask the issuer")


def _approval(checkout: Checkout, request_id: str, certified: Sha256 | None) -> Approval | None:
    """Return the decision that a certificate rests on, if the checkout holds it."""
    path = checkout.approval(request_id)
    if certified is None or not path.exists():
        return None
    approval = read_record(path, Approval)
    return approval if approval.digest == certified else None
