"""Observe how fast models relearn what was forgotten, once: every curve is cached by what it depends on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.execution import computing
from tasks.computing.materials import read_split
from tasks.computing.observing import (
    FORGOTTEN,
    loaded_on,
    observation_key,
    observed_views,
    shown_counts,
    shown_views,
)
from unlearn_core import data, fresh_head, models, relearning, tracing, viewing
from unlearn_core.data import concatenate
from unlearn_core.observations import HELD_OUT, KNOWN_AGAIN, RelearnCurve, Relearning
from unlearn_core.records.params import RunParams
from unlearn_core.relearning import (
    COARSE,
    COARSE_NEW_HEAD,
    NEW_HEAD,
    RelearnTerms,
    relearn,
    relearn_with_new_head,
)
from unlearn_core.seeds import derive_seed


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


def observed_with_new_head(
    checkout: Checkout, checkpoint: Path, run: RunParams, *, reference: Path | None
) -> Relearning | None:
    """Observe how fast a checkpoint, and a retrained model, relearn forgotten classes with the same new head.

    Args:
        checkout: The checkout; its parent sets how well held-out samples were known.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, or None.

    Returns:
        The curves; None in sample scope, where there are no held-out samples of what is forgotten.
    """
    known = observed_views(checkout, checkout.parent, run)
    right = [known[view].correct() for view in HELD_OUT if view in known]
    if not right:
        return None
    original = float(np.concatenate(right).mean())
    until = KNOWN_AGAIN * original
    curves = [
        _curve_with_new_head(checkout, folder, run, until=until)
        for folder in (checkpoint, reference)
        if folder
    ]
    return Relearning(curves[0], original, curves[1] if reference else None)


def _curve(checkout: Checkout, checkpoint: Path, run: RunParams, *, until: float) -> RelearnCurve:
    """Teach a checkpoint the forgotten data, or read the cached curve."""
    terms = COARSE if _is_sampled(checkout) else RelearnTerms()
    seed = derive_seed(run.seed, "relearn")

    def teach(device: torch.device) -> RelearnCurve:
        model, shown = loaded_on(device, checkpoint), shown_views(checkout, run, device)
        return relearn(model, shown[FORGOTTEN], until=until, terms=terms, seed=seed)

    return _kept_curve(checkout, checkpoint, run, {"until": until, "terms": terms, "seed": seed}, teach)


def _curve_with_new_head(
    checkout: Checkout, checkpoint: Path, run: RunParams, *, until: float
) -> RelearnCurve:
    """Teach a checkpoint the forgotten classes with a new head, or read the cached curve."""
    terms = COARSE_NEW_HEAD if _is_sampled(checkout) else NEW_HEAD
    seed = derive_seed(run.seed, "relearn with a new head")

    def teach(device: torch.device) -> RelearnCurve:
        model, shown = loaded_on(device, checkpoint), shown_views(checkout, run, device)
        held_out = concatenate(*(shown[view] for view in HELD_OUT if view in shown))
        forgotten, retained = shown[FORGOTTEN], shown["train", "retain"]
        return relearn_with_new_head(
            model, forgotten, retained, held_out, until=until, terms=terms, seed=seed
        )

    ingredients = {"until": until, "terms": terms, "seed": seed, "head": "new"}
    return _kept_curve(checkout, checkpoint, run, ingredients, teach)


def _is_sampled(checkout: Checkout) -> bool:
    """Tell whether models are shown only a sample of the forgotten data."""
    counts = shown_counts(checkout)
    return counts is not None and len(read_split(checkout).forget_rows) > counts["forget"]


def _kept_curve(
    checkout: Checkout,
    checkpoint: Path,
    run: RunParams,
    ingredients: dict[str, Any],
    teach: Callable[[torch.device], RelearnCurve],
) -> RelearnCurve:
    """Return the cached curve for these ingredients, or teach now."""
    ingredients["terms"] = ingredients["terms"].model_dump(mode="json")
    ingredients["weights"] = read_checkpoint_card(checkpoint).weights
    key = observation_key(checkout, run, ingredients, data, fresh_head, models, relearning, tracing, viewing)
    path = checkout.lethe / "relearning" / f"{key}.json"
    if not path.is_file():
        with computing(run.threads) as device:
            curve = teach(device)
        write_record(path, curve)
    return read_record(path, RelearnCurve)
