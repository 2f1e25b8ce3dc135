"""Second moments computed once, cached by all that they depend on, with their cost beside them."""

from pathlib import Path

import torch

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, read_record, write_record
from tasks.checkout.progress import progress
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card, save_moments
from tasks.computing.execution import computing, device_name, measured
from tasks.data.datasets import read_card
from tasks.data.pool import Pool
from unlearn_core import data, layers, moments, summing
from unlearn_core.moments import collect
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.evaluation import Cost


def collect_moments(checkout: Checkout, folder: Path) -> tuple[MomentsCard, Cost]:
    """Compute the second moments of all training data at the parent's weights.

    Args:
        checkout: The checkout.
        folder: Where to write them.

    Returns:
        Their card, and what they cost.
    """
    params, run = (
        checkout.params.moments,
        checkout.params.run,
    )
    with computing(run.threads) as device, progress("collect second moments") as on_step:
        model, card = load_checkpoint(checkout.parent)
        samples = Pool(checkout, device).split("train")
        with measured() as meter:
            found = collect(
                model.to(device), samples, batch_size=params.batch_size, on_demand=True, on_step=on_step
            )
    taken = save_moments(folder, found, model=card.weights, data=read_card(checkout.dataset).rows_digest)
    return taken, meter.read()


def kept_moments(checkout: Checkout, home: Path) -> tuple[Path, Cost]:
    """Compute the second moments, or find them in the cache.

    Args:
        checkout: The checkout.
        home: Where they are kept, for one parent or for many.

    Returns:
        Their folder, and what they cost.
    """
    params, run = (
        checkout.params.moments,
        checkout.params.run,
    )
    ingredients = {
        "weights": read_checkpoint_card(checkout.parent).weights,
        "data": read_card(checkout.dataset).rows_digest,
        "batch_size": params.batch_size,
        "threads": run.threads,
        "code": code_digest(data, layers, moments, summing),
        "torch": torch.__version__,
        "device": device_name(),
    }
    folder = home / short(sha256(canonical_json(ingredients)))
    cost = folder.with_suffix(".cost.json")
    # Written last: if it exists, the moments are whole.
    if not cost.is_file():
        write_record(cost, collect_moments(checkout, folder)[1])
    return folder, read_record(cost, Cost)
