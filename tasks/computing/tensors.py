"""Files of tensors, as safetensors writes them."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from tasks.checkout.files import follow_umask
from unlearn_core.errors import SetupError


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors by name.

    No metadata: with several keys the file's bytes would differ between processes.

    Args:
        path: The file.
        tensors: The tensors, each contiguous and in memory of its own.

    Raises:
        SetupError: If the file cannot be written.
    """
    try:
        save_file(dict(tensors), path)
    except SafetensorError as error:
        raise SetupError(f"{path.name} cannot be written: {error}; is the disk full?") from error
    follow_umask(path)
