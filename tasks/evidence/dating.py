"""Whether a certificate is later than what it rests on: receipt, run, code's commit, a person's approval."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import git_commit, now
from tasks.checkout.files import read_record
from tasks.checkout.git import ask_git
from tasks.requests.ledger.ledger import Ledger
from unlearn_core.audit.clocks import as_time, is_later
from unlearn_core.audit.deadlines import earliest_receipt
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import UtcTime
from unlearn_core.records.certificate import DeletionCertificate


def require_clock(checkout: Checkout, *, began: UtcTime, run: str) -> None:
    """Refuse to certify what has not happened yet by this machine's clock: nobody would believe it later.

    Args:
        checkout: The checkout, and the clone that it is in.
        began: When the deletion's run began.
        run: MLflow's id of that run.

    Raises:
        SetupError: If the run began, or the code was committed, later than now.
    """
    committed = _committed(checkout, git_commit(checkout.root))
    said = f"this machine's clock says {(time := now())}"
    remedy = "one of them is wrong, and nothing was signed. Set the clock right, and the same command goes on"
    if committed is not None and is_later(committed, time):
        raise SetupError(f"{said}, and the code was committed at {committed}: {remedy}")
    if began > time:
        raise SetupError(
            f"{said}, and the deletion began at {began}: {remedy}. If it is right and was wrong then, delete "
            f"the misdated run (`mlflow runs delete --run-id {run}`), and the same command begins another"
        )


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
    committed = _committed(checkout, commit)
    if committed is not None and is_later(committed, finished):
        raise EvidenceError(
            f"certified at {finished}, before its code was committed at {committed} ({commit}); one of them "
            "is misdated: ask the issuer"
        )
    if (approval := certified_approval(checkout, certified)) is None:
        return
    if problem := predates_approval(certified, approval):
        raise EvidenceError(f"{problem}; one of them is misdated: ask the issuer")


def require_received(ledger: Ledger, certified: DeletionCertificate, approval: Approval | None) -> None:
    """Refuse a certificate of work that began, or was approved, before the ledger received the request.

    A certificate without a head is left alone: no ledger held the request when it was served.

    Args:
        ledger: The ledger.
        certified: The certificate; the caller has verified it.
        approval: The decision that it rests on, if that is at hand.

    Raises:
        EvidenceError: If either is too early.
    """
    request = certified.request.id
    if certified.ledger is None or ledger.state(request) is None:
        return
    received = ledger.history(request)[0].submission.received
    times = {"its service began": certified.provenance.started}
    if approval is not None:
        times["it was approved"] = approval.time
    for what, time in times.items():
        if is_later(earliest_receipt(received), time):
            raise EvidenceError(
                f"{what} at {time}, before the request was received at {received}, as the ledger says; one "
                "of them is misdated: ask the issuer"
            )


def certified_approval(checkout: Checkout, certified: DeletionCertificate) -> Approval | None:
    """Return the decision that a certificate rests on, if the checkout holds it."""
    path = checkout.approval(certified.request.id)
    if certified.approval is None or not path.exists():
        return None
    approval = read_record(path, Approval)
    return approval if approval.digest == certified.approval else None


def _committed(checkout: Checkout, commit: str | None) -> UtcTime | None:
    """Return when a commit was made, if the clone holds it."""
    if commit is None:
        return None
    made = ask_git(checkout.root, "show", "-s", "--format=%ct", f"{commit}^{{commit}}")
    return None if made is None else as_time(int(made))
