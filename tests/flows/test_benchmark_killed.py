"""A comparison is killed and begun again: what was finished is neither trained nor run a second time."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from world import NOISE, make_checkout

from flows.stages.dataset import make_dataset
from flows.stages.parent import make_parent
from tasks.checkout.checkout import Checkout
from unlearn_core.records.benchmark import BenchmarkReport

pytestmark = [*NOISE, pytest.mark.slow]

COMMAND = (
    str(Path(sys.executable).parent / "lethe"),
    *("benchmark", "--class", "3", "--class", "5", "--method", "svd", "--method", "finetune"),
    *("--seeds", "1", "--json"),
)
RUNS, PATIENCE_S = 6, 300


def begin(root):
    return subprocess.Popen(COMMAND, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def written(root, *names):
    """Return when each finished file below some folders of the cache was written."""
    files = (path for name in names for path in (root / ".lethe" / name).rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if not path.name.startswith(".")}


def ran(log):
    """Return the runs that a log names, as their case and method."""
    return re.findall(r"^✓ \[\d+/\d+\] (.+?)\s+[\d.]+ s$", log, re.MULTILINE)


def test_after_a_kill_only_what_was_not_finished_is_run(own_folders, tmp_path):
    root = make_checkout(tmp_path / "project")
    make_dataset(Checkout(root))
    make_parent(Checkout(root))
    with begin(root) as process:
        end = time.monotonic() + PATIENCE_S
        while len(written(root, "benchmark/rows")) < 4:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        process.kill()
        _, first = process.communicate()
    before = written(root, "benchmark/rows", "benchmark/moments", "references")
    rows = len(written(root, "benchmark/rows"))
    assert 4 <= rows < RUNS
    with begin(root) as process:
        out, second = process.communicate()
    assert process.returncode == 0, second
    assert before.items() < written(root, "benchmark/rows", "benchmark/moments", "references").items()
    assert len(ran(second)) == RUNS - rows
    # The last one may have been kept, and the process killed, before it was told.
    assert set(ran(first)).isdisjoint(ran(second))
    assert len({*ran(first), *ran(second)}) >= RUNS - 1
    report = BenchmarkReport.parse(out)
    assert (report.forecast.runs_there, len(report.leaderboard.rows)) == (rows, RUNS)
