"""A certified deletion run again: the same data and stages, to see whether they give the same model."""

from pathlib import Path

from flows.stages.pipeline import PREPARATION
from flows.stages.split import split_data
from flows.stages.unlearn import climb_ladder
from tasks.checkout import environment
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest, read_record
from tasks.checkout.progress import announced
from tasks.checkout.software import installed
from tasks.computing.checkpoints import CARD, WEIGHTS
from tasks.computing.execution import device_name
from tasks.computing.materials import read_split
from tasks.computing.own_nets import allow_net
from tasks.data.datasets import read_card
from tasks.evidence.purged import refuse_erased
from tasks.keys.folder import load_pseudonym_key
from tasks.lifecycle.foreign_code import refuse_unknown_project
from tasks.lifecycle.replaying import checked_out, find_pinned, other_code, own_tracking_store, place_inputs
from unlearn_core.audit.replaying import Replayed, compare_replay
from unlearn_core.errors import GateError
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.provenance import Provenance
from unlearn_core.records.replay import Replay


def replay(
    checkout: Checkout,
    certified: DeletionCertificate,
    certificate: Sha256,
    *,
    signer: Sha256,
    from_data: bool = False,
    trust_code: bool = False,
) -> Replay:
    """Run a certified deletion again, in a temporary checkout of the commit that pins it.

    Nothing is registered, promoted, signed or sent anywhere, and the clone stays as it is; DVC's cache may
    grow.

    Args:
        checkout: A clone of the project; only its git history and DVC's cache are read.
        certified: The deletion; the caller has verified the certificate.
        certificate: The certificate's digest.
        signer: The id of the key that signed it. What another machine certified is only run if told to.
        from_data: Rebuild the data set, the parent and the second moments, too.
        trust_code: Run the code that the project brings, whoever certified the deletion.

    Returns:
        What was expected, and the result.

    Raises:
        ErasedError: If a purge has erased what the deletion read.
    """
    refuse_erased(checkout, certified)
    load_pseudonym_key()
    commit = find_pinned(checkout.root, certified)
    with checked_out(checkout, commit) as tree, own_tracking_store():
        if not trust_code:
            refuse_unknown_project(tree, signer)
        with announced("inputs"):
            place_inputs(checkout, tree, certified, from_data=from_data)
        # Rebuilding would list the code anew, whatever it is by now.
        allow_net(tree.params.parent.architecture or "", tree.root)
        differences = (*_differences(certified.provenance, tree.root),)
        for name, stage in PREPARATION.items() if from_data else ():
            with announced(name):
                stage(tree)
        with announced("split"):
            split_data(tree)
        with announced("unlearn"):
            record = _climb(tree)
        return Replay(
            request=certified.request.id,
            certificate=certificate,
            commit=commit,
            from_data=from_data,
            compared=compare_replay(certified, _read(tree, certified, record)),
            differences=differences,
        )


def _climb(tree: Checkout) -> DeletionRecord | None:
    """Run the ladder; None if no model is accepted."""
    try:
        return climb_ladder(tree, replays=True)
    except GateError:
        return None


def _read(tree: Checkout, certified: DeletionCertificate, record: DeletionRecord | None) -> Replayed:
    """Read what the stages wrote."""
    return Replayed(
        data=read_card(tree.dataset),
        split=read_split(tree),
        parent=file_digest(tree.parent / WEIGHTS),
        moments=None if certified.moments is None else read_record(tree.moments / CARD, MomentsCard).tensors,
        deletion=record,
        unlearned=None if record is None else file_digest(tree.unlearned / WEIGHTS),
    )


def _differences(before: Provenance, root: Path) -> list[str]:
    """Return how this machine differs from the one that the deletion ran on."""
    here = environment.versions()
    now = {"platform": environment.platform_name(), "device": device_name(), **here}
    then = {"platform": before.platform, "device": before.device, **before.versions}
    if before.code is not None:
        now, then = {**now, "Lethe's code": installed().code}, {**then, "Lethe's code": before.code}
    found = [
        f"{name} is {now.get(name, 'missing')}, it was {then.get(name, 'unknown')}"
        for name in dict.fromkeys((*then, *now))
        if now.get(name) != then.get(name)
    ]
    if before.dirty:
        found.append("the deletion ran with changes that were never committed")
    if files := other_code(root):
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        found.append(f"the code has changed since: {', '.join(files[:3])}{more}")
    return found
