"""How far a candidate has drifted from the model that was trained in full, measured in a checkout."""

from pathlib import Path

from torch import nn

from tasks.checkout.checkout import Checkout
from tasks.checkout.progress import progress
from tasks.computing.carrying import without_forgotten
from tasks.computing.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.computing.execution import computing
from tasks.computing.materials import find_model, read_split, retain_mask
from tasks.data.pool import Pool
from tasks.evidence.purged import purge_that_erased
from tasks.measuring.evaluation import outputs_of
from unlearn_core.drift import drift_of, no_drift, stale_by
from unlearn_core.moments import collect
from unlearn_core.records.drift import Drift
from unlearn_core.records.params import RunParams


def measure_drift(checkout: Checkout, candidate: Path, run: RunParams) -> Drift:
    """Measure how far a candidate has drifted from the last model that was trained in full.

    The retained data is passed once through the candidate and, if the parent is not the origin itself, once
    through the origin.

    Args:
        checkout: The checkout; the candidate was made from its parent for its request.
        candidate: The candidate's folder.
        run: Base seed and threads.

    Returns:
        The drift.
    """
    card = read_checkpoint_card(candidate)
    accuracy = _accuracy(checkout, candidate, run)
    if card.trained is None:
        return no_drift(card.weights, accuracy)
    # If a purge has erased the origin, it is measured from the parent, and deletions are counted on.
    erased = purge_that_erased(checkout, card.trained) is not None
    folder = checkout.parent if erased else find_model(checkout, card.trained)
    origin_digest = read_checkpoint_card(folder).weights
    with computing(run.threads) as device, progress("measure drift") as on_step:

        def load(where: Path) -> nn.Module:
            return load_checkpoint(where)[0].to(device)

        pool, split = Pool(checkout, device), read_split(checkout)
        retained = pool.take(retain_mask(split, pool.manifest))
        model, origin = load(candidate), load(folder)
        carried, taken = without_forgotten(checkout, pool, device, on_step=on_step)
        at_origin = carried if taken.model == origin_digest else collect(origin, retained, on_step=on_step)
        return drift_of(
            model,
            origin,
            origin_digest=origin_digest,
            requests=card.deletions,
            moments=at_origin,
            staleness=stale_by(carried, collect(model, retained, on_step=on_step)),
            accuracy=accuracy,
            accuracy_at_origin=_accuracy(checkout, folder, run),
        )


def _accuracy(checkout: Checkout, checkpoint: Path, run: RunParams) -> float | None:
    """Return a model's accuracy on the retained part of the audit split; None if that says nothing."""
    subject = outputs_of(checkout, checkpoint, run)
    outputs = subject.views.get(("audit", "retain"))
    if outputs is None or subject.says_nothing(outputs):
        return None
    return float(outputs.correct().mean())
