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
from tasks.checkout.checkout import Checkout
from tasks.references.building import build_missing
from tasks.references.plan import plan_references
from unlearn_core.records.params import RunParams

checkout = Checkout(Path.cwd())
plan = plan_references(checkout, RunParams(threads=1), count=2, shadows=0)
for did in build_missing(checkout, plan, at_once=1):
    print(did.result)
"""
PATIENCE_S = 300

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]


def begin(checkout):
    return subprocess.Popen(
        [sys.executable, "-c", BUILD], cwd=checkout.root, stdout=subprocess.PIPE, text=True
    )


def trainings(checkout):
    """Return the processes that train in a checkout."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, place = (folder / "cmdline").read_bytes().split(b"\0"), Path(os.readlink(folder / "cwd"))
        except OSError:
            continue
        if b"tasks.references.training_process" in words and place == checkout.root:
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
def checkout(tmp_path):
    return prepared(tmp_path / "checkout")


def test_after_a_kill_only_what_was_not_finished_is_trained(checkout):
    first, second = plan_references(checkout, RUN, count=2, shadows=0).missing
    with begin(checkout) as process:
        wait_until(lambda: is_whole(checkout.reference(first)))
        wait_until(lambda: list((checkout.lethe / "costs").glob("*.json")))
        wait_until(lambda: len(trainings(checkout)) == 1)
        process.kill()
        process.communicate()
    wait_until(lambda: not trainings(checkout))
    assert plan_references(checkout, RUN, count=2, shadows=0).missing == (second,)
    before = times(checkout.reference(first), checkout.lethe / "costs")
    with begin(checkout) as process:
        written, _ = process.communicate()
    assert process.returncode == 0
    assert written.split() == [read_checkpoint_card(checkout.reference(second)).weights]
    after = times(checkout.reference(first), checkout.lethe / "costs")
    assert before.items() < after.items()
    assert len(list((checkout.lethe / "costs").iterdir())) == 2


@pytest.mark.slow
def test_a_training_that_is_killed_fails_alone_and_is_made_up_for(checkout):
    first, second = plan_references(checkout, RUN, count=2, shadows=0).missing
    with begin(checkout) as process:
        (child,) = wait_until(lambda: trainings(checkout))
        os.kill(child, signal.SIGKILL)
        written, _ = process.communicate()
    assert written.split() == ["None", read_checkpoint_card(checkout.reference(second)).weights]
    assert plan_references(checkout, RUN, count=2, shadows=0).missing == (first,)
