"""What a purge leaves alone: what is in use, what was accepted, and the model before while that is kept."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, read_checkpoint_card
from tasks.data.datasets import read_card
from tasks.tracking.erasing import registered_weights
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.audit.purging import Sparing, previous_until
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.params import ChampionParent, RetainedSource


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
