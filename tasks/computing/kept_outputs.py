"""Models' outputs on disk: one safetensors file per model, and its digest beside it."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from tasks.checkout.files import file_digest, replaced_folder, write_atomically
from tasks.computing.tensors import save_tensors
from unlearn_core.observations import InnerFeatures, Outputs, View

OUTPUTS = "outputs.safetensors"


def outputs_are_whole(folder: Path) -> bool:
    """Tell whether outputs were kept here and are unaltered."""
    kept, digest = folder / OUTPUTS, folder / "digest"
    return kept.is_file() and digest.is_file() and digest.read_bytes() == file_digest(kept).encode()


def save_outputs(folder: Path, observed: dict[View, Outputs]) -> None:
    """Write the outputs of every view; the folder appears whole."""
    _save(
        folder,
        {
            f"{part}.{side}.{name}": getattr(outputs, name)
            for (part, side), outputs in observed.items()
            for name in ("logits", "features", "labels")
        },
    )


def read_outputs(folder: Path) -> dict[View, Outputs]:
    """Read the outputs of every view, in a fixed order."""
    tensors = load_file(folder / OUTPUTS)
    names = {tuple(name.split(".")[:2]) for name in tensors}
    return {
        (part, side): Outputs(
            *(tensors[f"{part}.{side}.{name}"] for name in ("logits", "features", "labels"))
        )
        for part, side in sorted(names, key=str)
    }  # pyright: ignore[reportReturnType]


def save_inner_features(folder: Path, inner: InnerFeatures) -> None:
    """Write a net's inner features; the folder appears whole."""
    points = {
        f"{kind}.{depth}": rows
        for kind, found in (("fitted", inner.fitted), ("judged", inner.judged))
        for depth, rows in enumerate(found)
    }
    _save(folder, {**points, "fitted.labels": inner.fitted_labels, "judged.labels": inner.judged_labels})


def read_inner_features(folder: Path) -> InnerFeatures:
    """Read a net's inner features."""
    tensors = load_file(folder / OUTPUTS)
    depths = range(len(tensors) // 2 - 1)
    return InnerFeatures(
        fitted=tuple(tensors[f"fitted.{depth}"] for depth in depths),
        judged=tuple(tensors[f"judged.{depth}"] for depth in depths),
        fitted_labels=tensors["fitted.labels"],
        judged_labels=tensors["judged.labels"],
    )


def _save(folder: Path, tensors: dict[str, Tensor]) -> None:
    with replaced_folder(folder) as fresh:
        # Each in memory of its own: a net with few layers has the same point twice.
        save_tensors(fresh / OUTPUTS, {name: tensor.contiguous().clone() for name, tensor in tensors.items()})
        write_atomically(fresh / "digest", file_digest(fresh / OUTPUTS).encode())
