"""How long a purge and its proof take, and how the proof grows with what there is to read.

``python -m benchmarks.purging`` makes the demonstration's project, forgets a person there, and purges and
proves it by the command line. Then ever more small pictures lie in a folder, and the proof's search reads
them. It writes ``results/purging.json``: seconds, and those of the processor, which other processes do not
change.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.params import read_values, write_params
from tasks.checkout.variables import inherited
from tasks.evidence.purged import find_plan
from tasks.keys.folder import init_keys
from tasks.lifecycle.initialising import init_project
from tasks.traces.folders import FilesBelow
from tasks.traces.following import WhatToFind, search_store
from tasks.traces.planning import found_again, sought_again
from unlearn_core.progress import ignore_step

RESULTS = Path(__file__).resolve().parent / "results" / "purging.json"
REQUEST, PERSON = "r-1", "subject-0003"
SIZES = (1_000, 10_000, 100_000)
PIXELS = (8, 8)


def measure(folder: Path, *, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Return what a purge, its proof, and searches of more and more objects take.

    Args:
        folder: An empty one.
        sizes: How many objects.

    Returns:
        ``rows`` for the commands, and ``growth`` for the searches.
    """
    root = folder / "project"
    _forget(root)
    rows = [{"work": "purge", **_timed(lambda: _lethe(root, "purge", REQUEST))}]
    plan = find_plan(Checkout(root), REQUEST)
    assert plan is not None
    found = found_again(plan, sought_again(plan))
    rows.append({"work": "purge --prove", **_timed(lambda: _lethe(root, "purge", REQUEST, "--prove"))})
    return {"rows": rows, "growth": list(_growth(folder / "many", found, sizes))}


def _forget(root: Path) -> None:
    """Make a project that goes on from a model that forgot a person."""
    init_project(root)
    policy = {**read_values(root)["policy"], "when_inconclusive": "accept_with_note"}
    write_params(root, {"policy": policy})
    for words in (("train",), ("delete", REQUEST, "--subject", PERSON), ("next",)):
        _lethe(root, *words)


def _growth(folder: Path, found: WhatToFind, sizes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
    """Yield what the search takes of a folder with more and more pictures, none of which is sought."""
    draw, made = np.random.default_rng(0), 0
    folder.mkdir()
    for size in sizes:
        for number in range(made, size):
            stream = io.BytesIO()
            pixels = draw.integers(0, 256, PIXELS, dtype=np.uint8)
            Image.fromarray(pixels).save(stream, format="PNG")
            (folder / f"{number}.png").write_bytes(stream.getvalue())
        made = size
        store = FilesBelow("many", "many pictures", folder)
        yield {"objects": size, **_timed(lambda: search_store(store, found, on_step=ignore_step))}  # noqa: B023


def _lethe(root: Path, *words: str) -> None:
    own = {"LETHE_HOME": str(root.parent / "keys"), "PREFECT_HOME": str(root.parent / "prefect")}
    own["TMPDIR"] = str(root.parent)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lethe")), *words],
        cwd=root,
        env=inherited(own),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"lethe {' '.join(words)}: {done.stdout}{done.stderr}")


def _timed(work: Callable[[], object]) -> dict[str, float]:
    """Return how long some work takes, by the clock and of the processor, that of its processes included."""
    began, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return {"seconds": time.perf_counter() - began, "processor_s": sum(after[:4]) - sum(before[:4])}


def main() -> None:
    """Measure, and write the results."""
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many objects")
    sizes = tuple(given.parse_args().sizes)
    stand_alone()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tempfile.tempdir = str(folder)
        init_keys(folder / "keys")
        document = {**provenance("cpu", "python -m benchmarks.purging"), **measure(folder, sizes=sizes)}
    write_atomically(RESULTS, f"{json.dumps(document, indent=1)}\n".encode())
    for row in (*document["rows"], *document["growth"]):
        print(row)


if __name__ == "__main__":
    main()
