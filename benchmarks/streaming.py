"""How much memory a pass of second moments takes, measured in a separate process.

``python -m benchmarks.streaming`` measures some and writes ``results/kernels_memory.json``; with a net and a
number of samples it prints one line of JSON. Samples are made batch by batch, so that no number of them fills
the memory.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.nets import net_of
from benchmarks.timing import ROOT, provenance
from unlearn_core.data import Samples
from unlearn_core.moments import collect

RESULTS = Path(__file__).resolve().parent / "results" / "kernels_memory.json"


class Stream:
    """Random images that exist only while they are used."""

    def __init__(self, count: int, shape: tuple[int, ...]) -> None:
        self.count = count
        self.shape = shape

    def __len__(self) -> int:
        """Count the samples."""
        return self.count

    def batches(self, size: int, /) -> Iterator[Samples]:
        """Yield the samples in order; the same ones each time."""
        generator = torch.Generator().manual_seed(0)
        for start in range(0, self.count, size):
            count = min(size, self.count - start)
            inputs = torch.randn(count, *self.shape, generator=generator)
            yield Samples(inputs, torch.zeros(count, dtype=torch.int64))


def measure(model: str, count: int) -> dict[str, float]:
    """Collect the moments of a stream, and return bytes and seconds."""
    torch.set_num_threads(1)
    net, shape = net_of(model)
    before = _peak()
    started = time.perf_counter()
    moments = collect(net, Stream(count, shape), batch_size=256)
    seconds = time.perf_counter() - started
    return {
        "samples": count,
        "seconds": seconds,
        "peak_bytes": _peak(),
        "interpreter_and_model_bytes": before,
        "moments_bytes": sum(moment.numel() * moment.element_size() for moment in moments.layers.values()),
    }


def main() -> None:
    """Measure passes over streams of samples, each in a separate process, and write what they take."""
    document: dict[str, Any] = {**provenance("cpu", "python -m benchmarks.streaming"), "rows": []}
    streams = {"tiny_resnet": (1000, 100_000, 1_000_000), "resnet18": (1000, 10_000, 100_000)}
    for model, samples in [(model, count) for model, counts in streams.items() for count in counts]:
        command = [sys.executable, "-m", "benchmarks.streaming", model, str(samples)]
        printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        document["rows"].append({"model": model, **json.loads(printed)})
        print(printed, end="", flush=True)
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    # getrusage includes what the parent process held; this starts with the program.
    (line,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(line) * 1024


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
