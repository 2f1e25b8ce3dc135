"""What searches aim at: where a retrained model stands on tuning data that is none of the gate's judges."""

from pathlib import Path

import torch
from torch import nn

from tasks.checkout.checkout import Checkout, short
from tasks.computing.checkpoints import is_whole, load_checkpoint, read_checkpoint_card
from tasks.computing.execution import computing
from tasks.computing.materials import load_materials, read_split
from tasks.data.pool import Pool
from tasks.references.retrained import describe_training
from unlearn_core.aiming import Standing, aim_at
from unlearn_core.data import concatenate, drawn
from unlearn_core.method import Materials
from unlearn_core.records.aim import Aim
from unlearn_core.records.params import RunParams
from unlearn_core.records.policy import MOST_REFERENCES, Policy
from unlearn_core.seeds import derive_seed
from unlearn_core.tuning import stands_at

MOST_FORGOTTEN = 1000
"""The most samples of the forgotten data that the retrained model is asked for."""


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
    with computing(run.threads) as device:
        materials = load_materials(checkout, pool or Pool(checkout, device))
        model = load_checkpoint(folder)[0].to(device)
        weights, bands = read_checkpoint_card(folder).weights, policy.bands_of(materials.scope)
        return aim_at(_stands(model, materials, run), bands, reference=weights)


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


def _stands(model: nn.Module, materials: Materials, run: RunParams) -> Standing:
    """Return where the model stands on the tuning data and on some of the forgotten data, unseen as well."""
    assert materials.tuning is not None
    assert materials.forget is not None
    generator = torch.Generator().manual_seed(derive_seed(run.seed, "aim"))
    forgotten = drawn(materials.forget, MOST_FORGOTTEN, generator=generator)
    if materials.tuning.forget is not None:
        forgotten = concatenate(forgotten, materials.tuning.forget)
    return stands_at(model, forgotten, materials.tuning.retain)
