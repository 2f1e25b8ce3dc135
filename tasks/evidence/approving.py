"""People's decisions, each a file in a request's evidence about one deletion.

Once a certificate covers a decision, it cannot change.
"""

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.files import read_record, write_record
from tasks.requests.request_file import read_request
from unlearn_core.audit.clocks import is_later
from unlearn_core.errors import GateError, SetupError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import canonical_json
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.policy import HumanApproval


def asked_approval(checkout: Checkout) -> HumanApproval | None:
    """Return the human approval that the policy asks for; None if none."""
    return checkout.params.policy.approval


def find_approval(checkout: Checkout) -> Approval | None:
    """Return the decision about the checkout's deletion; decisions about earlier ones do not count."""
    deletion = read_record(checkout.deletion, DeletionRecord)
    path = checkout.approval(deletion.request)
    if not path.exists():
        return None
    approval = read_record(path, Approval)
    return approval if approval.deletion == deletion.digest else None


def decide(checkout: Checkout, request_id: str, *, approved: bool, by: str, reason: str | None) -> Approval:
    """Record a person's decision about the checkout's deletion.

    Args:
        checkout: The checkout.
        request_id: The request that the person means.
        approved: Whether the model may be used.
        by: The person's name.
        reason: Why, in their words.

    Returns:
        The decision.

    Raises:
        SetupError: If the checkout's deletion is of another request, is missing, or is certified.
        ConfigurationError: If the name or the reason is not a line of text.
    """
    if not checkout.deletion.is_file():
        raise SetupError("no model has been accepted in this checkout yet; run `lethe delete` first")
    deletion = read_record(checkout.deletion, DeletionRecord)
    if deletion.request != request_id:
        raise SetupError(f"the deletion in this checkout is of {deletion.request!r}, not of {request_id!r}")
    if find_approval(checkout) is not None and _is_certified(checkout, request_id):
        raise SetupError(f"request {request_id} is already certified, with the decision made then")
    values = {"request": request_id, "deletion": deletion.digest, "approved": approved, "by": by}
    decision = Approval.parse(canonical_json({**values, "reason": reason, "time": now()}))
    write_record(checkout.approval(request_id), decision)
    return decision


def _is_certified(checkout: Checkout, request_id: str) -> bool:
    """Tell whether a request, or any of a group, has a certificate."""
    return any(checkout.certificate(one.id).is_file() for one in read_request(checkout, request_id).singles)


def require_approval(checkout: Checkout) -> Approval | None:
    """Return the decision that lets the checkout's deletion go on; None if the policy asks for none.

    Args:
        checkout: The checkout.

    Returns:
        The decision.

    Raises:
        GateError: If nobody has decided yet, somebody has refused, or the decision is from the future; the
            champion stays.
    """
    if asked_approval(checkout) is None:
        return None
    approval = find_approval(checkout)
    if approval is None:
        request = read_record(checkout.deletion, DeletionRecord).request
        raise GateError(
            f"request {request}: the policy asks for a person's approval, and nobody has decided yet; the "
            f"champion stays. Review {checkout.reports.relative_to(checkout.root)}/ and run "
            f"`lethe approve {request} --by NAME`, then `lethe delete {request}` again"
        )
    if not approval.approved:
        raise GateError(
            f"request {approval.request}: refused by {approval.by}"
            f"{f' ({approval.reason})' if approval.reason else ''}; the champion stays"
        )
    if is_later(approval.time, time := now()):
        raise GateError(
            f"request {approval.request}: decided at {approval.time}, in the future (it is {time}); set the "
            "clocks, and decide again"
        )
    return approval
