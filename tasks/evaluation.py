"""Evaluate one checkpoint on this machine, looking at each view of the data once."""

from dataclasses import replace
from pathlib import Path

from tasks.checkpoints import read_checkpoint_card
from tasks.compute import computing
from tasks.layout import Layout
from tasks.materials import read_split
from tasks.observing import observed_relearning, observed_untrained, observed_views, observed_weights
from unlearn_core.evaluating import evaluate
from unlearn_core.metric import Subject
from unlearn_core.metrics import DEFAULT
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed


def assess(
    layout: Layout,
    checkpoint: Path,
    run: RunParams,
    *,
    reference: Path | None = None,
    second: Path | None = None,
) -> Evaluation:
    """Measure one checkpoint on the views of the current request.

    Args:
        layout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, for metrics that compare.
        second: The folder of a second retrained model, for the floors of what they compare.

    Returns:
        The evaluation.
    """
    subject = replace(
        outputs_of(layout, checkpoint, run, reference=reference),
        floor=None if second is None else observed_views(layout, second, run),
        untrained=observed_untrained(layout, run),
        relearning=observed_relearning(layout, checkpoint, run, reference=reference),
        weights=observed_weights(checkpoint, run, reference=reference, second=second),
    )
    with computing(run.threads):
        return evaluate(
            DEFAULT,
            subject,
            model_digest=read_checkpoint_card(checkpoint).weights,
            seed=derive_seed(run.seed, "evaluate"),
        )


def outputs_of(layout: Layout, checkpoint: Path, run: RunParams, *, reference: Path | None = None) -> Subject:
    """Return what a checkpoint says of every view, and a reference beside it.

    Args:
        layout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, or None.

    Returns:
        The subject of an evaluation.
    """
    return Subject(
        classes=len(read_checkpoint_card(checkpoint).architecture.classes),
        forget_classes=read_split(layout).classes,
        views=observed_views(layout, checkpoint, run),
        reference=None if reference is None else observed_views(layout, reference, run),
    )


def models_side_by_side(
    layout: Layout, unlearned: Path, run: RunParams, reference: Path | None
) -> dict[str, Subject]:
    """Return what the original, the unlearned and, if there is one, the retrained model say and relearn."""
    folders = {"original": layout.parent, "unlearned": unlearned, "retrained": reference}
    return {
        model: replace(
            outputs_of(layout, folder, run),
            relearning=observed_relearning(layout, folder, run, reference=None),
        )
        for model, folder in folders.items()
        if folder is not None
    }
