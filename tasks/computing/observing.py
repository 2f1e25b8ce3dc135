"""Observe the models of a checkout, once: every result is cached by what it depends on."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import code_digest
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.execution import computing, device_name
from tasks.computing.kept_outputs import (
    outputs_are_whole,
    read_inner_features,
    read_outputs,
    save_inner_features,
    save_outputs,
)
from tasks.computing.materials import read_split, views
from tasks.computing.own_nets import allow_net
from tasks.data.pool import Pool
from unlearn_core import data, depths, evaluating, models, tracing, training, viewing
from unlearn_core.comparing import weight_distances
from unlearn_core.data import Samples
from unlearn_core.depths import depth_samples, look_inside
from unlearn_core.evaluating import observe
from unlearn_core.models import build_seeded
from unlearn_core.observations import (
    Depths,
    InnerFeatures,
    Outputs,
    Side,
    View,
    WeightDistances,
)
from unlearn_core.records.artifact import Architecture
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.data import FORGOTTEN_SPLIT
from unlearn_core.records.evaluation import SampledView
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed
from unlearn_core.viewing import altered_views, counts_for, sampled

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
    weights, seed, counts = read_checkpoint_card(checkpoint).weights, _view_seed(run), shown_counts(checkout)

    def look(device: torch.device) -> dict[View, Outputs]:
        model, whole = loaded_on(device, checkpoint), views(checkout, Pool(checkout, device))
        altered = altered_views(whole, counts, seed=seed, weights=weights)
        shown = {**sampled(whole, counts, seed=seed), **altered}
        return {view: observe(model, part, batch_size=_BATCH_SIZE) for view, part in shown.items()}

    return _kept(checkout, run, {"weights": weights, "seed": seed}, look)


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

    allow_net(architecture.name, checkout.root)

    def look(device: torch.device) -> dict[View, Outputs]:
        net, shown = build_seeded(architecture, seed).to(device), shown_views(checkout, run, device)
        return {FORGOTTEN: observe(net, shown[FORGOTTEN], batch_size=_BATCH_SIZE)}

    ingredients = {"untrained": architecture.model_dump(mode="json"), "seed": seed}
    return _kept(checkout, run, ingredients, look)[FORGOTTEN]


def observed_depths(
    checkout: Checkout, checkpoint: Path, run: RunParams, *, reference: Path | None
) -> Depths:
    """Observe what a checkpoint, and a retrained model, compute below the last layer.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, or None.

    Returns:
        The features at a few depths, of samples to fit probes on and to judge them on.
    """
    theirs = None if reference is None else _inner_features(checkout, reference, run)
    return Depths(_inner_features(checkout, checkpoint, run), theirs)


def observed_earlier(checkout: Checkout, checkpoint: Path, run: RunParams) -> Outputs | None:
    """Return a checkpoint's outputs on what is kept of the classes that were forgotten earlier.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Threads.

    Returns:
        The outputs; None if nothing is kept.
    """
    with computing(run.threads) as device:
        samples = Pool(checkout, device).split(FORGOTTEN_SPLIT)
        if not len(samples):
            return None
        return observe(loaded_on(device, checkpoint), samples, batch_size=_BATCH_SIZE)


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
        The distances; None without a reference, or if it is another net.
    """
    if reference is None or _net(checkpoint) != _net(reference):
        return None
    floor = None if second is None else load_checkpoint(second)[0]
    with computing(run.threads):
        return weight_distances(load_checkpoint(checkpoint)[0], load_checkpoint(reference)[0], second=floor)


def _net(checkpoint: Path) -> Architecture:
    return read_checkpoint_card(checkpoint).architecture


def _inner_features(checkout: Checkout, checkpoint: Path, run: RunParams) -> InnerFeatures:
    """Look into a checkpoint, or read what was seen."""
    seed = derive_seed(run.seed, "depths")
    ingredients = {"weights": read_checkpoint_card(checkpoint).weights, "inside": seed}
    folder = (
        checkout.lethe
        / "outputs"
        / observation_key(checkout, run, ingredients, data, depths, models, tracing, viewing)
    )
    if not outputs_are_whole(folder):
        with computing(run.threads) as device:
            fitted, judged = depth_samples(shown_views(checkout, run, device), seed=seed)
            inner = look_inside(loaded_on(device, checkpoint), fitted, judged, batch_size=_BATCH_SIZE)
        save_inner_features(folder, inner)
    return read_inner_features(folder)


def loaded_on(device: torch.device, checkpoint: Path) -> nn.Module:
    """Load a checkpoint onto a device, in eval mode."""
    return load_checkpoint(checkpoint)[0].to(device)


def shown_views(checkout: Checkout, run: RunParams, device: torch.device) -> dict[View, Samples]:
    """Return the samples of every view that models are shown as they are."""
    return sampled(views(checkout, Pool(checkout, device)), shown_counts(checkout), seed=_view_seed(run))


def shown_counts(checkout: Checkout) -> dict[Side, int] | None:
    """Return how many samples of a large view of each side are shown; None if all are."""
    policy = checkout.params.policy
    if policy.sampling == "none":
        return None
    return counts_for(policy.bands_of(read_split(checkout).method_scope))


def sampled_views(checkout: Checkout, observed: dict[View, Outputs]) -> tuple[SampledView, ...]:
    """Return which of the observed views were not shown whole, but for the altered ones, which never are."""
    whole = views(checkout, Pool(checkout, torch.device("cpu")))
    sizes = ((view, len(observed[view]), len(whole[view])) for view in observed if view in whole)
    return tuple(
        SampledView(view=".".join(view), shown=shown, of=size) for view, shown, size in sizes if shown < size
    )


def _view_seed(run: RunParams) -> int:
    return derive_seed(run.seed, "views")


def _kept(
    checkout: Checkout,
    run: RunParams,
    ingredients: dict[str, object],
    look: Callable[[torch.device], dict[View, Outputs]],
) -> dict[View, Outputs]:
    """Return the cached result for these ingredients, or observe now."""
    folder = (
        checkout.lethe
        / "outputs"
        / observation_key(checkout, run, ingredients, data, evaluating, models, tracing, training, viewing)
    )
    if not outputs_are_whole(folder):
        with computing(run.threads) as device:
            observed = look(device)
        save_outputs(folder, observed)
    return read_outputs(folder)


def observation_key(
    checkout: Checkout, run: RunParams, ingredients: dict[str, object], *code: ModuleType
) -> str:
    """Name an observation by all that it depends on: these, the split, and the code and settings."""
    here = {
        "split": read_split(checkout).digest,
        "shown": shown_counts(checkout),
        "threads": run.threads,
        "device": device_name(),
        "torch": torch.__version__,
        "code": code_digest(*code),
    }
    return short(sha256(canonical_json({**ingredients, **here})))
