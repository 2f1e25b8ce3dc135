"""A person's decision between gate and registry: asked for in Prefect, or given at a terminal."""

from typing import Any

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from pydantic import Field

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.texts import in_markdown
from tasks.evidence.approving import asked_approval, decide, find_approval, require_approval
from tasks.requests.claims import is_claimed
from unlearn_core.errors import GateError
from unlearn_core.records.approval import Approval
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.ledger import Actor, Reason

_POLL_S = 5


class Decision(RunInput):
    """What the form asks for. The defaults refuse."""

    approve: bool = Field(False, title="Approve", description="The model may be put into use.")
    by: Actor = Field(
        "nobody",
        title="By",
        description="What you are called in the record: a role or a ticket rather than a private name.",
    )
    reason: Reason = Field(
        "none given", title="Reason", description="Why, in one line, without personal names."
    )


def await_approval(checkout: Checkout) -> Approval | None:
    """Wait for a person's decision if the policy asks for one.

    Under a worker the flow run pauses, shows the grounds and a form, and resumes with the answer; no answer
    in time is a refusal. A refused request that is retried is asked about again. Elsewhere the decision must
    already be on file.

    Args:
        checkout: The checkout; its deletion was accepted by the gate.

    Returns:
        The decision; None if the policy asks for none.

    Raises:
        GateError: If the answer was no, or there was none.
    """
    asked = asked_approval(checkout)
    if asked is not None and is_claimed() and not _is_approved(checkout):
        deletion = read_record(checkout.deletion, DeletionRecord)
        answer = _ask(deletion, within_s=asked.within_h * 3600)
        decide(checkout, deletion.request, approved=answer.approve, by=answer.by, reason=answer.reason)
    return require_approval(checkout)


def _is_approved(checkout: Checkout) -> bool:
    decided = find_approval(checkout)
    return decided is not None and decided.approved


def _ask(deletion: DeletionRecord, *, within_s: float) -> Decision:
    form: Any = Decision.with_initial_data(description=_question(deletion))
    try:
        answer = pause_flow_run(wait_for_input=form, timeout=int(within_s), poll_interval=_POLL_S)
    except FlowPauseTimeout as error:
        hours = within_s / 3600
        raise GateError(
            f"request {deletion.request}: nobody approved within {hours:g} h; the champion stays. "
            f"`lethe request retry {deletion.request} --reason …` asks again"
        ) from error
    return Decision.model_validate(answer.model_dump() if answer is not None else {})


def _question(deletion: DeletionRecord) -> str:
    """Describe, in Markdown, what is to be decided."""
    rung = deletion.accepted
    assert rung is not None, "the stage before pins nothing without an accepted model"
    method, why = in_markdown(rung.unlearning.name), in_markdown(rung.why)
    return (
        f"**Request `{deletion.request}`** was unlearned by **{method}**; the gate says "
        f"**{rung.in_words}** (evidence level {rung.verdict.level}). {why}\n\n"
        "The numbers and figures are in the request's run in MLflow. *Approve* puts the model into use and "
        "signs the certificate; anything else keeps the champion."
    )
