"""The machine that computes: threads, device, seeds, and what work on it costs."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from threadpoolctl import threadpool_limits

from unlearn_core.records.evaluation import Cost


def pick_device() -> torch.device:
    """Return the accelerator if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name() -> str:
    """Return what computes: the accelerator's model, or ``cpu``."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


@contextmanager
def computing(threads: int) -> Iterator[torch.device]:
    """Fix all that a result's bits depend on besides seeds: threads and kernels.

    Args:
        threads: For torch and for the BLAS under numpy and scikit-learn.

    Yields:
        The device to compute on.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    try:
        with threadpool_limits(threads):
            yield pick_device()
    finally:
        torch.set_num_threads(before)


@dataclass
class Meter:
    """What ``measured`` measured; ``samples_seen`` is the caller's to fill in."""

    samples_seen: int = 0
    seconds: float = 0.0
    peak_memory_mib: float = 0.0

    def read(self) -> Cost:
        """Return what the block cost."""
        return Cost(
            seconds=self.seconds, peak_memory_mib=self.peak_memory_mib, samples_seen=self.samples_seen
        )


@contextmanager
def measured() -> Iterator[Meter]:
    """Measure the wall time and the peak memory of a block.

    Yields:
        A meter; add the samples seen to it.
    """
    meter = Meter()
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    yield meter
    meter.seconds = time.perf_counter() - started
    # ru_maxrss is in KiB on Linux, and the peak of the whole process so far.
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    meter.peak_memory_mib = (torch.cuda.max_memory_allocated() if cuda else resident) / 2**20
