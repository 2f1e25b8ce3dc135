"""What a purge leaves alone: what is in use, what was accepted, and the model before while that is kept."""

from pathlib import Path

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.environment import now
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, read_checkpoint_card
from tasks.data.datasets import read_card
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate
from tasks.lifecycle.releases import ancestry
from tasks.lifecycle.standing import find_unfinished
from tasks.requests.holding import hold_on
from tasks.requests.ledger.finding import find_ledger
from tasks.requests.request_file import read_request
from tasks.tracking.erasing import registered_weights
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.audit.purging import Sparing, previous_until, purge_from
from unlearn_core.errors import RequestError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.params import ChampionParent, RetainedSource
from unlearn_core.records.purge import PurgePlan


def used_data(checkout: Checkout) -> Path:
    """Return the data set that later requests start from; before ``lethe next``, the retained one."""
    params = checkout.params.dataset
    if isinstance(params, RetainedSource):
        return checkout.generation("data", params.rows_digest)
    return checkout.retained


def spared(checkout: Checkout, certified: DeletionCertificate) -> Sparing:
    """Return what the purge of a deletion leaves alone.

    Args:
        checkout: The checkout.
        certified: The deletion.

    Returns:
        What is in use, what was accepted, and what is kept for now.
    """
    tracking = tracking_of(checkout)
    current, parent = champion(tracking, checkout.params.registry.model), checkout.params.parent
    used: set[Sha256] = {read_card(used_data(checkout)).rows_digest}
    used |= {current.tags[Tag.WEIGHTS]} if current is not None else set()
    used |= {parent.weights} if isinstance(parent, ChampionParent) else set()
    accepted = used | registered_weights(tracking)
    if (checkout.unlearned / CARD).is_file():
        accepted.add(read_checkpoint_card(checkout.unlearned).weights)
    until = previous_until(certified.provenance.finished, checkout.params.policy.purge)
    waiting = {certified.models.parent: f"the model before is kept until {until}, to go back to"}
    return Sparing(
        accepted=frozenset(accepted), in_use=frozenset(used), waiting=waiting if now() < until else {}
    )


def refuse_early(checkout: Checkout, certified: DeletionCertificate) -> None:
    """Refuse to erase what the project still starts from, or what the policy keeps for now.

    Raises:
        RequestError: If it is too early.
    """
    request = certified.request.id
    if certified.data.before not in ancestry(checkout)[1:]:
        raise RequestError(
            f"the project still starts from the data that request {request!r} is to leave; run `lethe next` "
            "and commit, then purge"
        )
    if (begun := find_unfinished(checkout)) is not None:
        raise RequestError(
            f"request {begun.id!r} was begun and is not finished; run `lethe delete {begun.id}` first"
        )
    due = purge_from(certified.provenance.finished, checkout.params.policy.purge)
    if now() < due:
        raise RequestError(f"the policy's purge.grace_h keeps what request {request!r} names until {due}")


def refuse_needed_by_held(checkout: Checkout, plan: PurgePlan) -> None:
    """Refuse to erase the data set, or the model, that a served request on hold started from.

    Its rows are in that data set, beside those that would go: a purge erases data sets as a whole.

    Args:
        checkout: The checkout.
        plan: What would go.

    Raises:
        RequestError: If it would; nothing was erased.
    """
    ledger = find_ledger(checkout.root)
    for one in checkout.with_evidence():
        if one == plan.request or not checkout.certificate(one).is_file():
            continue
        if (held := hold_on(ledger, read_request(checkout, one))) is None:
            continue
        certified = verify_bytes(read_certificate(checkout.certificate(one)))[0]
        if lost := {certified.data.before, certified.models.parent} & {*plan.data, *plan.models}:
            raise RequestError(
                f"request {one!r} is held since {held.time} by {held.actor}, and started from what the purge "
                f"of {plan.request!r} would erase: {', '.join(map(short, sorted(lost)))}. Nothing is "
                f"erased; copy what the hold needs, then `lethe request release {one} --reason WHY`"
            )
