"""Second moments carried from one deletion to the next, by subtracting what was forgotten."""

import torch

from tasks.checkout.checkout import Checkout
from tasks.checkout.progress import progress
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card, save_moments
from tasks.computing.execution import computing
from tasks.computing.materials import find_model, forget_mask, load_parent_moments, read_split
from tasks.data.pool import Pool
from unlearn_core.errors import PipelineError
from unlearn_core.moments import Moments, collect, subtract
from unlearn_core.progress import OnStep, ignore_step
from unlearn_core.records.artifact import CheckpointCard, MomentsCard


def without_forgotten(
    checkout: Checkout, pool: Pool, device: torch.device, *, on_step: OnStep = ignore_step
) -> tuple[Moments, MomentsCard]:
    """Subtract the forgotten data's second moments from those of all training data.

    Both are at the weights that the latter were taken at, which need not be the parent's.

    Args:
        checkout: The checkout.
        pool: Its data set, on the device.
        device: Where to compute.
        on_step: Called for every batch.

    Returns:
        The second moments of the retained data, and the card of those of all the data.
    """
    moments, taken = load_parent_moments(checkout)
    model = load_checkpoint(find_model(checkout, taken.model))[0].to(device)
    forget = pool.take(forget_mask(read_split(checkout), len(pool.manifest)))
    return subtract(moments, collect(model, forget, on_step=on_step)), taken


def keep_carried(checkout: Checkout, accepted: CheckpointCard) -> None:
    """Write the second moments that the next request starts from, unless they exist.

    Args:
        checkout: The checkout, as the deletion left it.
        accepted: The card of the deletion's model.

    Raises:
        PipelineError: If the checkout now holds the parent or the split of another deletion.
    """
    folder = checkout.carried(accepted.weights)
    if folder.is_dir():
        return
    parent, split = read_checkpoint_card(checkout.parent), read_split(checkout)
    if (parent.weights, split.retained) != (accepted.parent, accepted.data):
        raise PipelineError(
            f"models/parent is {parent.weights} and data/split retains {split.retained}; the accepted model "
            f"was made from {accepted.parent} for {accepted.data}. Run `dvc repro` for its request, or set "
            "`moments: {source: collect}`"
        )
    run = checkout.params.run
    with computing(run.threads) as device, progress("carry second moments") as on_step:
        moments, taken = without_forgotten(checkout, Pool(checkout, device), device, on_step=on_step)
    save_moments(folder, moments, model=taken.model, data=accepted.data, carried_to=accepted.weights)
