"""Two functions timed in turns, and on which machine."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent


def in_turns(
    ours: Callable[[], Any], theirs: Callable[[], Any], repeats: int
) -> tuple[float, float, Any, Any]:
    """Run two functions in turns, and return the median seconds and the last result of each."""
    times: tuple[list[float], list[float]] = ([], [])
    results: list[Any] = [None, None]
    for _ in range(repeats):
        for index, run in enumerate((ours, theirs)):
            results[index] = None
            seconds, results[index] = timed(run)
            times[index].append(seconds)
    return median(times[0]), median(times[1]), *results


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Run a function, and return the seconds it took and what it returned."""
    _synchronise()
    started = time.perf_counter()
    result = run()
    _synchronise()
    return time.perf_counter() - started, result


def gemm_rate(device: str, *, size: int = 1024) -> float:
    """Return the floating-point operations per second of the best of some float32 products."""
    square = torch.randn(size, size, device=device)
    return 2 * size**3 / min(timed(lambda: square @ square)[0] for _ in range(10))


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Return the Frobenius norm of the difference as a share of the expected one's."""
    found, expected = found.double().cpu(), expected.double().cpu()
    return float((found - expected).norm() / expected.norm())


def provenance(device: str, command: str) -> dict[str, Any]:
    """Return when, where, by which command and at which commit numbers were measured."""
    machine = (
        torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {os.cpu_count()} cores"
    )
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": f"{machine}, torch {torch.__version__}",
        "commit": found.stdout.strip() or None,
        "command": command,
    }


def _synchronise() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
