"""Several processes at one deletion, each with a device of its own: the *ranks* of a process group.

Whoever starts them makes the group, with ``torchrun`` and ``torch.distributed.init_process_group``; here it
is only found. Its backends must serve the CPU (gloo) and the device (NCCL). Every rank makes the same calls
with the same arguments and seeds, draws the same random numbers and returns the same results. All that
passes between ranks passes through ``total``. Without a group there is one rank, and nothing is copied, sent
or waited for.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil

import torch
from torch import Tensor, distributed

from unlearn_core.batching import Batches
from unlearn_core.data import Samples
from unlearn_core.errors import UnavailableError


def world_size() -> int:
    """Return the number of ranks."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def own_rank() -> int:
    """Return which of the ranks this process is, from 0."""
    return distributed.get_rank() if world_size() > 1 else 0


def share(count: int) -> range:
    """Return this rank's part of ``count`` things in order; the parts differ by one at most."""
    ranks, own = world_size(), own_rank()
    return range(count * own // ranks, count * (own + 1) // ranks)


def total(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors of one type and device summed over all ranks, with the same bits on each.

    Args:
        tensors: As many, and of the same shapes, on every rank.

    Returns:
        The sums; with one rank the tensors themselves.

    Raises:
        UnavailableError: If another rank has ended or does not answer.
    """
    if world_size() == 1 or not tensors:
        return list(tensors)
    flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
    try:
        distributed.all_reduce(flat)
    except RuntimeError as error:
        raise UnavailableError(
            f"rank {own_rank()} of {world_size()} could not add up with the others ({error}): one has "
            "ended or does not answer, and its own message says why; start all of them again"
        ) from error
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]


def agree(said: str) -> bool:
    """Tell whether every rank says the same; all get the same answer.

    Args:
        said: What this rank says.

    Returns:
        Whether it is the same.
    """
    digest = hashlib.sha256(said.encode()).digest()
    numbers = torch.tensor(list(digest))
    sums, squares = total([numbers, numbers.square()])
    # Numbers are all equal if and only if n times the sum of their squares is the square of their sum.
    return torch.equal(sums.square(), world_size() * squares)


def own_part(samples: Batches, size: int) -> Batches:
    """Return the samples that this rank passes through a model, a run of whole batches.

    A batch keeps its samples and its size, and so its bits. Where there are fewer batches than ranks every
    rank passes all of them.

    Args:
        samples: All of them.
        size: Samples per batch.

    Returns:
        The part; ``batches`` is to be called with the same size.
    """
    rows = _own_rows(len(samples), size)
    if len(rows) == len(samples):
        return samples
    if isinstance(samples, Samples):
        return samples.subset(torch.arange(rows.start, rows.stop))
    return _Part(samples, rows)


def gathered(part: Tensor, count: int, size: int) -> Tensor:
    """Return what a model made of all samples, in order, from what each rank's made of its part.

    Args:
        part: ``[own samples, ...]``, in the order of ``own_part``.
        count: How many samples there are.
        size: Samples per batch.

    Returns:
        ``[count, ...]``.
    """
    rows = _own_rows(count, size)
    return part if len(rows) == count else placed(part, rows, count)


def placed(part: Tensor, rows: range, count: int) -> Tensor:
    """Return ``[count, ...]``, of which each rank has some rows and the ranks together have all, once."""
    whole = part.new_zeros(count, *part.shape[1:])
    whole[rows.start : rows.stop] = part
    return total([whole])[0]


def _own_rows(count: int, size: int) -> range:
    batches = ceil(count / size)
    if batches < world_size():
        return range(count)
    own = share(batches)
    return range(own.start * size, min(own.stop * size, count))


@dataclass(frozen=True)
class _Part(Batches):
    """Some batches of samples that can only be read in order."""

    samples: Batches
    rows: range

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int, /) -> Iterator[Samples]:
        return islice(self.samples.batches(size), self.rows.start // size, ceil(self.rows.stop / size))
