"""Files of tensors, as safetensors writes them."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tasks.checkout.files import follow_umask
from unlearn_core.errors import SetupError
from unlearn_core.on_demand import OnDemand


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


def save_one_by_one(path: Path, tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Write float64 tensors, the same bytes as ``save_tensors``, with only one of them in memory at a time.

    Args:
        path: The file.
        tensors: The tensors, on the CPU; each is asked for once.
        shapes: The shape of each.

    Raises:
        SetupError: If the file cannot be written.
    """
    entries, end = {}, 0
    for name in sorted(shapes):
        start, end = end, end + torch.Size(shapes[name]).numel() * torch.float64.itemsize
        entries[name] = {"dtype": "F64", "shape": list(shapes[name]), "data_offsets": [start, end]}
    head = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % 8)
    try:
        with path.open("wb") as stream:
            stream.write(len(head).to_bytes(8, "little") + head)
            for name in entries:
                stream.write(tensors[name].contiguous().numpy().data)
    except OSError as error:
        raise SetupError(f"{path.name} cannot be written: {error}; is the disk full?") from error


def read_one_by_one(path: Path) -> OnDemand:
    """Return the tensors of a file, each read whenever it is asked for and not kept."""

    def read(name: str) -> Tensor:
        with safe_open(path, framework="pt") as opened:
            return opened.get_tensor(name)

    with safe_open(path, framework="pt") as opened:
        return OnDemand(opened.keys(), read)
