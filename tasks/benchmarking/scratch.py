"""A folder for each case: it works like a checkout, and is removed when the case is done."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.benchmarking.cases import BenchmarkCase
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import link_folder, write_record
from tasks.checkout.linked import linked_checkout
from tasks.checkout.params import read_values, write_params

SHARED = ("references", "costs", "pixels")
"""The parts of the checkout's cache that all cases use and add to."""


def benchmark_home(checkout: Checkout) -> Path:
    """Return where a checkout keeps the files of comparisons: rows, second moments, unfinished folders."""
    return checkout.lethe / "benchmark"


def sweep_scratch(checkout: Checkout) -> None:
    """Remove the folders that killed runs left; the caller must hold the checkout's lock."""
    shutil.rmtree(benchmark_home(checkout) / "scratch", ignore_errors=True)


@contextmanager
def scratch(
    checkout: Checkout, case: BenchmarkCase, moments: Path | None = None, *, name: str | None = None
) -> Iterator[Checkout]:
    """Prepare a case's folder, and remove it once the block succeeds.

    Data, parent, references, costs and pixels are links to the checkout's. What a killed run left of the
    folder is reused: everything in it is keyed by what it depends on.

    Args:
        checkout: The checkout.
        case: The case.
        moments: The folder of second moments that all cases share, or None if they are not needed.
        name: The folder's name; the case's by default.

    Yields:
        The folder.
    """
    folder = benchmark_home(checkout) / "scratch" / (name or case.folder)
    place = linked_checkout(checkout, folder, SHARED)
    if moments is not None:
        link_folder(place.moments, moments)
    _write_params(checkout, place, case.seed)
    write_record(place.split / "split.json", case.split)
    yield place
    shutil.rmtree(place.root)


def _write_params(checkout: Checkout, place: Checkout, seed: int) -> None:
    """Write the checkout's parameters with the case's seed, and a policy that compares with references."""
    shutil.copy(checkout.root / "params.yaml", place.root)
    params = read_values(checkout.root)
    base = params["run"].get("seed", 0)
    policy = {name: value for name, value in params["policy"].items() if name != "calibration"}
    changes = {
        "request": "benchmark",
        "run": {**params["run"], "seed": base + seed},
        "policy": {**policy, "reference": "build", "references": 1, "shadows": 0},
    }
    write_params(place.root, changes)
