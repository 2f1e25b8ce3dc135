"""Files of tensors, as safetensors writes them."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from tasks.checkout.files import follow_umask


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors by name.

    No metadata: with several keys the file's bytes would differ between processes.

    Args:
        path: The file.
        tensors: The tensors, each contiguous and in memory of its own.
    """
    save_file(dict(tensors), path)
    follow_umask(path)
