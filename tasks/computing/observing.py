"""Observe the models of a checkout, once: every result is cached by what it depends on."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest, read_record, write_record
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.execution import computing, device_name
from tasks.computing.kept_outputs import outputs_are_whole, read_outputs, save_outputs
from tasks.computing.materials import read_split, views
from tasks.data.pool import Pool
from unlearn_core import data, evaluating, models, relearning
from unlearn_core.comparing import weight_distances
from unlearn_core.data import Samples
from unlearn_core.evaluating import observe
from unlearn_core.models import build_seeded
from unlearn_core.observations import Outputs, RelearnCurve, Relearning, View, WeightDistances
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.params import RunParams
from unlearn_core.relearning import RelearnTerms, relearn
from unlearn_core.seeds import derive_seed

_BATCH_SIZE = 256
FORGOTTEN: View = ("train", "forget")


def observed_views(checkout: Checkout, checkpoint: Path, run: RunParams) -> dict[View, Outputs]:
    """Return a checkpoint's outputs on every view of the current request.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.

    Returns:
        The outputs by view, observed now or earlier.
    """

    def look(device: torch.device) -> dict[View, Outputs]:
        model, samples = _load(checkpoint, device), views(checkout, Pool(checkout, device))
        return {view: observe(model, part, batch_size=_BATCH_SIZE) for view, part in samples.items()}

    return _kept(checkout, run, {"weights": read_checkpoint_card(checkpoint).weights}, look)


def observed_untrained(checkout: Checkout, run: RunParams) -> Outputs:
    """Return the outputs on the forgotten data of a fresh net with the parent's architecture.

    Args:
        checkout: The checkout.
        run: Base seed and threads.

    Returns:
        The outputs on the view ``train.forget``.
    """
    architecture, seed = (
        read_checkpoint_card(checkout.parent).architecture,
        derive_seed(run.seed, "untrained"),
    )

    def look(device: torch.device) -> dict[View, Outputs]:
        net, samples = build_seeded(architecture, seed).to(device), _forgotten(checkout, device)
        return {FORGOTTEN: observe(net, samples, batch_size=_BATCH_SIZE)}

    ingredients = {"untrained": architecture.model_dump(mode="json"), "seed": seed}
    return _kept(checkout, run, ingredients, look)[FORGOTTEN]


def observed_relearning(
    checkout: Checkout, checkpoint: Path, run: RunParams, *, reference: Path | None
) -> Relearning:
    """Observe how fast a checkpoint, and a retrained model, relearn the forgotten data.

    Args:
        checkout: The checkout; its parent sets how well the data was known.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, or None.

    Returns:
        The curves.
    """
    # Nothing is taught: the parent's first point is how well it knows the samples.
    original = _curve(checkout, checkout.parent, run, until=0.0).accuracy[0]
    curves = [_curve(checkout, folder, run, until=original) for folder in (checkpoint, reference) if folder]
    return Relearning(curves[0], original, curves[1] if reference else None)


def observed_weights(
    checkpoint: Path, run: RunParams, *, reference: Path | None, second: Path | None
) -> WeightDistances | None:
    """Return how far a checkpoint's weights are from a retrained model's.

    Args:
        checkpoint: The model's folder.
        run: Threads.
        reference: A retrained model's folder, or None.
        second: Another retrained model's folder, for the floor, or None.

    Returns:
        The distances; None without a reference.
    """
    if reference is None:
        return None
    floor = None if second is None else load_checkpoint(second)[0]
    with computing(run.threads):
        return weight_distances(load_checkpoint(checkpoint)[0], load_checkpoint(reference)[0], second=floor)


def _curve(checkout: Checkout, checkpoint: Path, run: RunParams, *, until: float) -> RelearnCurve:
    """Teach a checkpoint the forgotten data, or read the cached curve."""
    terms, seed = RelearnTerms(), derive_seed(run.seed, "relearn")
    ingredients = {
        "weights": read_checkpoint_card(checkpoint).weights,
        "until": until,
        "terms": terms.model_dump(mode="json"),
        "seed": seed,
    }
    path = (
        checkout.lethe / "relearning" / f"{_key(checkout, run, ingredients, data, models, relearning)}.json"
    )
    if not path.is_file():
        with computing(run.threads) as device:
            model, samples = _load(checkpoint, device), _forgotten(checkout, device)
            curve = relearn(model, samples, until=until, terms=terms, seed=seed)
        write_record(path, curve)
    return read_record(path, RelearnCurve)


def _load(checkpoint: Path, device: torch.device) -> nn.Module:
    return load_checkpoint(checkpoint)[0].to(device)


def _forgotten(checkout: Checkout, device: torch.device) -> Samples:
    return views(checkout, Pool(checkout, device))[FORGOTTEN]


def _kept(
    checkout: Checkout,
    run: RunParams,
    ingredients: dict[str, object],
    look: Callable[[torch.device], dict[View, Outputs]],
) -> dict[View, Outputs]:
    """Return the cached result for these ingredients, or observe now."""
    folder = checkout.lethe / "outputs" / _key(checkout, run, ingredients, data, evaluating, models)
    if not outputs_are_whole(folder):
        with computing(run.threads) as device:
            observed = look(device)
        save_outputs(folder, observed)
    return read_outputs(folder)


def _key(checkout: Checkout, run: RunParams, ingredients: dict[str, object], *code: ModuleType) -> str:
    """Name an observation by all that it depends on: these, the split, and the code and settings."""
    here = {
        "split": read_split(checkout).digest,
        "threads": run.threads,
        "device": device_name(),
        "torch": torch.__version__,
        "code": code_digest(*code),
    }
    return short(sha256(canonical_json({**ingredients, **here})))
