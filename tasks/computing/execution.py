"""The machine that computes: threads, device, seeds, and cost."""

import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from unlearn_core.records.evaluation import Cost

CLEAR_REFS, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
"""Where Linux resets and reports a process's peak memory."""

PROCESSORS = Path("/proc/cpuinfo")
"""Where Linux describes the processor."""


def pick_device() -> torch.device:
    """Return the accelerator if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name() -> str:
    """Return the device's name: the accelerator's model, or ``cpu``."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def processor_kind() -> str:
    """Return what decides which kernels a processor runs, and so how results are rounded.

    Returns:
        The architecture, the vendor if the system tells it, and the instructions that torch uses; none of
        them names the machine.
    """
    lines = PROCESSORS.read_text().splitlines() if PROCESSORS.exists() else []
    vendor = next((line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id")), "")
    return " ".join(filter(None, (platform.machine(), vendor, torch.backends.cpu.get_cpu_capability())))


@contextmanager
def computing(threads: int) -> Iterator[torch.device]:
    """Fix what a result's bits depend on besides seeds: threads and kernels.

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
    """What ``measured`` measured; the caller fills in ``samples_seen``."""

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
    _reset_peak()
    started = time.perf_counter()
    yield meter
    meter.seconds = time.perf_counter() - started
    meter.peak_memory_mib = _peak_bytes() / 2**20


def _reset_peak() -> None:
    """Reset the memory peak, where the system can."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    elif CLEAR_REFS.exists():
        with suppress(OSError):
            CLEAR_REFS.write_text("5")


def _peak_bytes() -> int:
    """Return the memory peak since the reset: the accelerator's, else the process's resident set."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if STATUS.exists():
        found = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024
    # On systems other than Linux: in bytes, and since the process started.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
