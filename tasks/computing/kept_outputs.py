"""Models' outputs on disk: one safetensors file per model, and its digest beside it."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from tasks.checkout.files import file_digest, replaced_folder, write_atomically
from unlearn_core.observations import Outputs, View

OUTPUTS = "outputs.safetensors"


def outputs_are_whole(folder: Path) -> bool:
    """Tell whether outputs were kept here and are unaltered."""
    kept, digest = folder / OUTPUTS, folder / "digest"
    return kept.is_file() and digest.is_file() and digest.read_bytes() == file_digest(kept).encode()


def save_outputs(folder: Path, observed: dict[View, Outputs]) -> None:
    """Write the outputs of every view; the folder appears whole."""
    tensors = {
        f"{part}.{side}.{name}": getattr(outputs, name)
        for (part, side), outputs in observed.items()
        for name in ("logits", "features", "labels")
    }
    with replaced_folder(folder) as fresh:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, fresh / OUTPUTS)
        write_atomically(fresh / "digest", file_digest(fresh / OUTPUTS).encode())


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
