"""Which resources are free: cores, memory, disk space; a container's limits count too."""

import os
import shutil
from pathlib import Path

MEMORY, CONTAINER = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
"""Where Linux reports available memory, and a container's limit."""


def cores() -> int:
    """Return how many cores this process may use."""
    affine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = (_words(CONTAINER / "cpu.max") or ["max", "100000"])[:2]
    return affine if quota == "max" else max(1, min(affine, int(quota) // int(period)))


def memory_available_mib() -> float:
    """Return how much memory new processes can take without swapping."""
    found = [_physical_bytes()]
    if (limit := _words(CONTAINER / "memory.max")) and limit[0] != "max":
        used = int((_words(CONTAINER / "memory.current") or ["0"])[0])
        found.append(int(limit[0]) - used + _table(CONTAINER / "memory.stat").get("inactive_file", 0))
    return max(0, min(found)) / 2**20


def disk_free_mib(folder: Path) -> float:
    """Return the free space of the disk that a folder is, or will be, on."""
    there = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    return shutil.disk_usage(there).free / 2**20


def _physical_bytes() -> int:
    if "MemAvailable:" in (told := _table(MEMORY)):
        return told["MemAvailable:"] * 1024
    # Systems other than Linux do not report what caches would give back: take half of all memory.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _table(path: Path) -> dict[str, int]:
    """Read lines of a name and a number."""
    lines = path.read_text().splitlines() if path.is_file() else []
    return {words[0]: int(words[1]) for line in lines if len(words := line.split()) > 1}


def _words(path: Path) -> list[str]:
    """Read a line; nothing if there is no such file."""
    return path.read_text().split() if path.is_file() else []
