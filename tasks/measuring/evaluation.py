"""Evaluate one checkpoint on this machine, observing each view of the data once."""

from dataclasses import replace
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.execution import computing
from tasks.computing.materials import read_split
from tasks.computing.observing import (
    observed_depths,
    observed_untrained,
    observed_views,
    observed_weights,
    sampled_views,
)
from tasks.computing.teaching import observed_relearning, observed_with_new_head
from tasks.extensions.discovery import extension_of
from tasks.measuring.metrics import metrics_asked
from tasks.references.retrained import NOTHING, References
from tasks.references.shadows import observed_shadows
from unlearn_core.evaluating import evaluate
from unlearn_core.method import Method
from unlearn_core.metric import Subject
from unlearn_core.metrics import DEFAULT
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed


def assess(
    checkout: Checkout,
    checkpoint: Path,
    run: RunParams,
    *,
    references: References = NOTHING,
    method: Method | None = None,
) -> Evaluation:
    """Measure one checkpoint on the views of the current request.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        references: Retrained models, for metrics that compare, and shadow models for those that attack.
        method: What made the model; None for the original and for a retrained model.

    Returns:
        The evaluation.
    """
    first, second = _compared(checkpoint, references)
    shadows, ensembles = (
        observed_shadows(checkout, run, references.pairs, checkpoint, method)
        if references.pairs
        else (None, None)
    )
    subject = replace(
        outputs_of(checkout, checkpoint, run, reference=first),
        floor=None if second is None else observed_views(checkout, second, run),
        original=observed_views(checkout, checkout.parent, run),
        untrained=observed_untrained(checkout, run),
        relearning=observed_relearning(checkout, checkpoint, run, reference=first),
        depths=observed_depths(checkout, checkpoint, run, reference=first),
        new_head=observed_with_new_head(checkout, checkpoint, run, reference=first),
        weights=observed_weights(checkpoint, run, reference=first, second=second),
        shadows=shadows,
        ensembles=ensembles,
    )
    others = metrics_asked(checkout.params.policy)
    named = (extension_of("metric", type(metric)) for metric in others)
    with computing(run.threads):
        return evaluate(
            (*DEFAULT, *others),
            subject,
            model_digest=read_checkpoint_card(checkpoint).weights,
            seed=derive_seed(run.seed, "evaluate"),
            extensions=tuple(one for one in named if one is not None),
            sampled=sampled_views(checkout, subject.views),
        )


def _compared(checkpoint: Path, references: References) -> tuple[Path | None, Path | None]:
    """Return the retrained models to compare with, and to find the floor with: never the model itself.

    The only retrained model can be compared with nothing but itself, at distance zero.
    """
    others = [folder for folder in references.retrained if folder != checkpoint] or references.retrained
    first, second, *_rest = (*others, None, None)
    return first, second


def outputs_of(
    checkout: Checkout, checkpoint: Path, run: RunParams, *, reference: Path | None = None
) -> Subject:
    """Return the outputs of a checkpoint, and of a reference, on every view.

    Args:
        checkout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, or None.

    Returns:
        The subject of an evaluation.
    """
    return Subject(
        classes=len(read_checkpoint_card(checkpoint).architecture.classes),
        forget_classes=read_split(checkout).classes,
        views=observed_views(checkout, checkpoint, run),
        reference=None if reference is None else observed_views(checkout, reference, run),
    )


def models_side_by_side(
    checkout: Checkout, unlearned: Path, run: RunParams, reference: Path | None
) -> dict[str, Subject]:
    """Return outputs and relearning of the original, the unlearned and, if any, the retrained model."""
    folders = {"original": checkout.parent, "unlearned": unlearned, "retrained": reference}
    return {
        model: replace(
            outputs_of(checkout, folder, run),
            relearning=observed_relearning(checkout, folder, run, reference=None),
        )
        for model, folder in folders.items()
        if folder is not None
    }
