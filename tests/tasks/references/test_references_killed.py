"""Building references is killed and begun again: what was finished stays as it was, and nothing lives on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from retraining import RUN, prepared

from tasks.computing.checkpoints import is_whole, read_checkpoint_card
from tasks.references.plan import plan_references

BUILD = """
import sys
from pathlib import Path
from tasks.checkout.layout import Layout
from tasks.references.building import build_missing
from tasks.references.plan import plan_references
from unlearn_core.records.params import RunParams

layout = Layout(Path.cwd())
plan = plan_references(layout, RunParams(threads=1), count=2, shadows=0)
for did in build_missing(layout, plan, at_once=1):
    print(did.result)
"""
PATIENCE_S = 300

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


def begin(layout):
    return subprocess.Popen([sys.executable, "-c", BUILD], cwd=layout.root, stdout=subprocess.PIPE, text=True)


def trainings(layout):
    """Return the processes that train in a checkout."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, place = (folder / "cmdline").read_bytes().split(b"\0"), Path(os.readlink(folder / "cwd"))
        except OSError:
            continue
        if b"tasks.references.training_process" in words and place == layout.root:
            found.append(int(folder.name))
    return found


def wait_until(holds):
    """Wait for something to hold, and return it."""
    end = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def times(*folders):
    """Return when each file was written last."""
    return {str(path): path.stat().st_mtime_ns for folder in folders for path in folder.iterdir()}


@pytest.fixture
def layout(tmp_path):
    return prepared(tmp_path / "checkout")


def test_after_a_kill_only_what_was_not_finished_is_trained(layout):
    first, second = plan_references(layout, RUN, count=2, shadows=0).missing
    with begin(layout) as process:
        wait_until(lambda: is_whole(layout.reference(first)))
        wait_until(lambda: list((layout.lethe / "costs").glob("*.json")))
        wait_until(lambda: len(trainings(layout)) == 1)
        process.kill()
        process.communicate()
    wait_until(lambda: not trainings(layout))
    assert plan_references(layout, RUN, count=2, shadows=0).missing == (second,)
    before = times(layout.reference(first), layout.lethe / "costs")
    with begin(layout) as process:
        written, _ = process.communicate()
    assert process.returncode == 0
    assert written.split() == [read_checkpoint_card(layout.reference(second)).weights]
    after = times(layout.reference(first), layout.lethe / "costs")
    assert before.items() < after.items()
    assert len(list((layout.lethe / "costs").iterdir())) == 2


@pytest.mark.slow
def test_a_training_that_is_killed_fails_alone_and_is_made_up_for(layout):
    first, second = plan_references(layout, RUN, count=2, shadows=0).missing
    with begin(layout) as process:
        (child,) = wait_until(lambda: trainings(layout))
        os.kill(child, signal.SIGKILL)
        written, _ = process.communicate()
    assert written.split() == ["None", read_checkpoint_card(layout.reference(second)).weights]
    assert plan_references(layout, RUN, count=2, shadows=0).missing == (first,)
