"""Evaluate one checkpoint on this machine, looking at each view of the data once."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from tasks.checkpoints import load_checkpoint, read_checkpoint_card
from tasks.compute import computing
from tasks.files import code_digest, file_digest, replaced_folder, write_atomically
from tasks.layout import Layout, short
from tasks.materials import read_split, views
from tasks.pool import Pool
from unlearn_core import data, evaluating, models
from unlearn_core.evaluating import evaluate, observe
from unlearn_core.metric import Outputs, Subject, View
from unlearn_core.metrics import DEFAULT
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.evaluation import Evaluation
from unlearn_core.records.params import RunParams
from unlearn_core.seeds import derive_seed

BATCH_SIZE = 256
OUTPUTS = "outputs.safetensors"


def assess(layout: Layout, checkpoint: Path, run: RunParams, *, reference: Path | None = None) -> Evaluation:
    """Measure one checkpoint on the views of the current request.

    Args:
        layout: The checkout.
        checkpoint: The model's folder.
        run: Base seed and threads.
        reference: A retrained model's folder, for metrics that compare.

    Returns:
        The evaluation.
    """
    subject = outputs_of(layout, checkpoint, run, reference=reference)
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
        views=_observed(layout, checkpoint, run),
        reference=None if reference is None else _observed(layout, reference, run),
    )


def models_side_by_side(
    layout: Layout, unlearned: Path, run: RunParams, reference: Path | None
) -> dict[str, Subject]:
    """Return the outputs of the original, the unlearned and, if there is one, the retrained model."""
    folders = {"original": layout.parent, "unlearned": unlearned, "retrained": reference}
    return {model: outputs_of(layout, folder, run) for model, folder in folders.items() if folder is not None}


def _observed(layout: Layout, checkpoint: Path, run: RunParams) -> dict[View, Outputs]:
    """Observe a checkpoint, or read what was observed of the same weights and split before."""
    ingredients = {
        "weights": read_checkpoint_card(checkpoint).weights,
        "split": read_split(layout).digest,
        "threads": run.threads,
        "code": code_digest(data, evaluating, models),
    }
    key = short(sha256(canonical_json(ingredients)))
    folder = layout.lethe / "outputs" / key
    if not _is_whole(folder):
        _save(folder, _observe(layout, checkpoint, run))
    return _load(folder)


def _observe(layout: Layout, checkpoint: Path, run: RunParams) -> dict[View, Outputs]:
    with computing(run.threads) as device:
        model = load_checkpoint(checkpoint)[0].to(device)
        samples = views(layout, Pool(layout, device))
        return {view: observe(model, part, batch_size=BATCH_SIZE) for view, part in samples.items()}


def _is_whole(folder: Path) -> bool:
    """Tell whether outputs were kept here and are still what they were."""
    kept, digest = folder / OUTPUTS, folder / "digest"
    return kept.is_file() and digest.is_file() and digest.read_bytes() == file_digest(kept).encode()


def _save(folder: Path, observed: dict[View, Outputs]) -> None:
    tensors = {
        f"{part}.{side}.{name}": getattr(outputs, name)
        for (part, side), outputs in observed.items()
        for name in ("logits", "features", "labels")
    }
    with replaced_folder(folder) as fresh:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, fresh / OUTPUTS)
        write_atomically(fresh / "digest", file_digest(fresh / OUTPUTS).encode())


def _load(folder: Path) -> dict[View, Outputs]:
    tensors = load_file(folder / OUTPUTS)
    names = {tuple(name.split(".")[:2]) for name in tensors}
    return {
        (part, side): Outputs(
            *(tensors[f"{part}.{side}.{name}"] for name in ("logits", "features", "labels"))
        )
        for part, side in sorted(names, key=str)
    }  # pyright: ignore[reportReturnType]
