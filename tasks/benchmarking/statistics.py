"""The second moments that all cases share, taken once; what that took is part of a method's cost."""

from pathlib import Path

import torch

from tasks.benchmarking.scratch import home
from tasks.checkpoints import load_checkpoint, read_checkpoint_card, save_moments
from tasks.compute import computing, device_name, measured
from tasks.datasets import read_card
from tasks.files import code_digest, read_record, write_record
from tasks.layout import Layout, short
from tasks.params import read_section
from tasks.pool import Pool
from tasks.progress import progress
from unlearn_core import data, layers, moments
from unlearn_core.moments import collect
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.params import MomentsParams, RunParams


def shared_moments(layout: Layout) -> tuple[Path, Cost]:
    """Take the second moments of all training data at the parent's weights, or find them.

    Args:
        layout: The checkout.

    Returns:
        Their folder, and what taking them cost.
    """
    params, run = (
        read_section(layout.root, "moments", MomentsParams),
        read_section(layout.root, "run", RunParams),
    )
    weights, rows = read_checkpoint_card(layout.parent).weights, read_card(layout.dataset).rows_digest
    ingredients = {
        "weights": weights,
        "data": rows,
        "batch_size": params.batch_size,
        "threads": run.threads,
        "code": code_digest(data, layers, moments),
        "torch": torch.__version__,
        "device": device_name(),
    }
    folder = home(layout) / "moments" / short(sha256(canonical_json(ingredients)))
    cost = folder.with_suffix(".cost.json")
    # Written last: where it is, the moments are whole.
    if not cost.is_file():
        with computing(run.threads) as device, progress("collect second moments") as on_step:
            model, _ = load_checkpoint(layout.parent)
            samples = Pool(layout, device).split("train")
            with measured() as meter:
                found = collect(model.to(device), samples, batch_size=params.batch_size, on_step=on_step)
        save_moments(folder, found, model=weights, data=rows)
        write_record(cost, meter.read())
    return folder, read_record(cost, Cost)
