"""The outputs of many models on the same samples: shadow models after unlearning, and retrained ones."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import copy_folder, link_folder, method_digest
from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.computing.collecting import kept_moments
from tasks.computing.execution import device_name
from tasks.computing.materials import read_split
from tasks.computing.observing import FORGOTTEN, observed_views
from tasks.computing.unlearning import attempt
from tasks.references.retrained import ShadowPair
from unlearn_core.method import Method
from unlearn_core.observations import Ensembles, Margins, Shadows, View
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.params import RunParams

ByView = dict[View, Margins]


def observed_shadows(
    checkout: Checkout, run: RunParams, pairs: Sequence[ShadowPair], checkpoint: Path, method: Method | None
) -> tuple[Shadows, Ensembles]:
    """Return the margins of shadow models beside those of a model under attack.

    The attacker runs on shadows what was run on the target. If nothing was, or if the target was retrained,
    the shadows are attacked as they were before unlearning: is anything remembered at all?

    Args:
        checkout: The checkout, with its request split.
        run: Base seed and threads.
        pairs: The shadow models; the target's own pair is left out.
        checkpoint: The folder of the target.
        method: What made it; None for the original.

    Returns:
        The margins on the forgotten samples, and on every view.
    """
    target = read_checkpoint_card(checkpoint).weights
    others = [pair for pair in pairs if read_checkpoint_card(pair.without).weights != target]
    outside = [_observed(checkout, run, pair.without) for pair in others]
    retrained_itself = len(others) < len(pairs) or (method is not None and method.name == LAST_RESORT)
    attacked = [pair.before for pair in others]
    if method is not None and not retrained_itself:
        attacked = [_unlearned(checkout, run, before, method) for before in attacked]
    inside = [_observed(checkout, run, folder) for folder in attacked]
    margins = _observed(checkout, run, checkpoint)[FORGOTTEN]
    shadows = Shadows(
        inside=_stacked(inside, FORGOTTEN),
        outside=_stacked(outside, FORGOTTEN),
        target=margins,
        member=np.ones(len(margins), dtype=bool),
    )
    # The floor is how far apart retrained models are from one another.
    half = len(outside) // 2
    kinds = (outside[:half], outside[half:]) if retrained_itself else (inside, outside)
    unlearned, retrained = ({view: _stacked(kind, view) for view in kind[0]} for kind in kinds)
    return shadows, Ensembles(unlearned=unlearned, retrained=retrained)


def _observed(checkout: Checkout, run: RunParams, checkpoint: Path) -> ByView:
    """Return only a model's margins on every view: features of many models would fill the memory.

    Altered views are left out, since every model sees other images there.
    """
    said = observed_views(checkout, checkpoint, run)
    return {view: outputs.margins() for view, outputs in said.items() if view[0] != "altered"}


def _stacked(models: Sequence[ByView], view: View) -> Margins:
    """Return ``[models, samples]`` margins."""
    return np.stack([margins[view] for margins in models])


def _unlearned(checkout: Checkout, run: RunParams, before: Path, method: Method) -> Path:
    """Return the folder of a shadow model after unlearning with a method, now or earlier."""
    ingredients = {
        "before": read_checkpoint_card(before).weights,
        "method": method.model_dump(mode="json"),
        "split": read_split(checkout).digest,
        "run": [run.seed, run.threads],
        "code": method_digest(method),
        "torch": torch.__version__,
        "device": device_name(),
    }
    name = short(sha256(canonical_json(ingredients)))
    folder = checkout.lethe / "shadows" / name
    if not is_whole(folder):
        share = checkout.params.policy.max_unsupported_share
        with _standing_in(checkout, before, name) as place:
            copy_folder(attempt(place, method, run, max_unsupported_share=share).checkpoint, folder)
    return folder


@contextmanager
def _standing_in(checkout: Checkout, parent: Path, name: str) -> Iterator[Checkout]:
    """Yield a copy of the checkout with another model as the parent."""
    place = Checkout(checkout.lethe / "shadows" / f".{name}")
    shutil.rmtree(place.root, ignore_errors=True)
    pixels = checkout.lethe / "pixels"
    pixels.mkdir(parents=True, exist_ok=True)
    link_folder(place.dataset, checkout.dataset)
    link_folder(place.split, checkout.split)
    link_folder(place.parent, parent)
    link_folder(place.lethe / "pixels", pixels)
    shutil.copy(checkout.root / "params.yaml", place.root)
    link_folder(place.moments, kept_moments(place, checkout.lethe / "shadows" / "moments")[0])
    yield place
    shutil.rmtree(place.root)
