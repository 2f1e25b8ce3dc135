"""What searches aim at: where a retrained model stands on tuning data that is none of the gate's judges."""

from pathlib import Path

import torch

from tasks.checkout.checkout import Checkout, short
from tasks.computing.checkpoints import is_whole, load_checkpoint, read_checkpoint_card
from tasks.computing.execution import computing
from tasks.computing.materials import forget_mask, read_split, tuning_data
from tasks.data.pool import Pool
from tasks.references.retrained import describe_training
from unlearn_core.aiming import aim_at
from unlearn_core.data import concatenate, drawn
from unlearn_core.records.aim import Aim
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import MOST_REFERENCES, Policy
from unlearn_core.seeds import derive_seed
from unlearn_core.tuning import stands_at

MOST_FORGOTTEN = 1000
"""The most samples of the forgotten data that the retrained model, which never saw any, is asked for."""


def find_aim(checkout: Checkout, run: RunParams, policy: Policy, *, pool: Pool | None = None) -> Aim | None:
    """Return what the searches for the current request aim at.

    Only a pinned model is taken: the search of a replay must find the same one, and what is cached here is
    not there.

    Args:
        checkout: The checkout, with its request split.
        run: Base seed and threads.
        policy: Its bands are aimed at, and its judges are left out.
        pool: The data set to read; the checkout's by default.

    Returns:
        The aim. None if no retrained model is pinned beyond those that judge, or no band is about what can be
        measured on tuning data: then searches go by accuracies alone.
    """
    if (folder := _spare(checkout, run, policy)) is None:
        return None
    split = read_split(checkout)
    with computing(run.threads) as device:
        pool = pool or Pool(checkout, device)
        tuning, forget = tuning_data(split, pool), pool.take(forget_mask(split, len(pool.manifest)))
        generator = torch.Generator().manual_seed(derive_seed(run.seed, "aim"))
        unseen = drawn(forget, MOST_FORGOTTEN, generator=generator)
        if tuning.forget is not None:
            unseen = concatenate(unseen, tuning.forget)
        stands = stands_at(load_checkpoint(folder)[0].to(device), unseen, tuning.retain)
    weights = read_checkpoint_card(folder).weights
    return aim_at(stands, policy.bands_of(split.method_scope), reference=weights)


def _spare(checkout: Checkout, run: RunParams, policy: Policy) -> Path | None:
    """Return the first pinned retrained model that the gate does not judge by, if there is one."""
    parent, split = read_checkpoint_card(checkout.parent), read_split(checkout)
    if parent.recipe is None:
        return None
    judges = max(policy.references, policy.shadows)
    for index in range(judges, MOST_REFERENCES):
        wanted = describe_training(parent, parent.recipe, run, data_digest=split.retained, index=index)
        if is_whole(folder := checkout.reference(short(wanted.digest))):
            return folder
    return None
