"""The clock jumps by two days at a boundary of a deletion: a right end, or a refusal that says what to do.

One boundary by default; ``TEST_JUMPS=all`` tries every one, in both directions.
"""

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from forks import Forks
from tiny import make_tiny
from world import NOISE

from tasks.checkout.checkout import Checkout

pytestmark = [*NOISE, pytest.mark.long]

BOUNDARIES = ("", "moments", "split  ", "to train", "svd: ", "unlearn  ")
"""What the log says last before the clock jumps: nothing, or one of the boundaries."""
DELETE = ["delete", "r-1", "--class", "b"]
TWO_DAYS_S = 172_800
EVERY = [(words, jump_s) for words in BOUNDARIES for jump_s in (TWO_DAYS_S, -TWO_DAYS_S)]
JUMPS = EVERY if os.environ.get("TEST_JUMPS") == "all" else [("svd: ", -TWO_DAYS_S)]


@pytest.fixture(scope="module")
def world(own_folders, tmp_path_factory):
    """``lethe`` with a clock that can be moved, the clock, and a project in which a request has come in."""
    folder = tmp_path_factory.mktemp("clock")
    clock = folder / "clock"
    clock.write_text("0")
    own = {
        "PYTHONPATH": str(Path(__file__).with_name("moved_clock")),
        "TEST_CLOCK": str(clock),
        "PREFECT_HOME": str(folder / "prefect"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    forks, project = Forks(folder, {**os.environ, **own}), make_tiny(folder / "project")
    for command in (["train"], ["request", "submit", "r-1", "--class", "b"]):
        code, log = forks.lethe(project, *command)
        assert code == 0, log
    yield forks, clock, project
    forks.close()


@pytest.mark.parametrize(("words", "jump_s"), JUMPS)
def test_a_clock_that_jumps_loses_nothing(world, words, jump_s):
    forks, clock, project = world
    root = project.with_name(f"at-{EVERY.index((words, jump_s))}")
    shutil.copytree(project, root, symlinks=True)
    clock.write_text("0")
    forks.reached(words, forks.begin(root, *DELETE))
    clock.write_text(str(jump_s))
    code, log = forks.ended(), forks.log.read_text()
    if jump_s < 0 and code:
        assert code == 2, log
        assert "this machine's clock says" in log.splitlines()[-1], log
        assert not Checkout(root).certificate("r-1").exists()
        clock.write_text("0")
        code, log = forks.lethe(root, *DELETE)
    assert code == 0, log
    assert "Traceback" not in log
    for command in (["verify"], ["request", "verify"], DELETE):
        code, log = forks.lethe(root, *command)
        assert code == 0, log
    assert "served before" in log
    with closing(sqlite3.connect(root / "mlruns" / "mlflow.db")) as store:
        assert store.execute("select count(*) from model_versions").fetchone() == (1,)
        assert store.execute("select count(*) from runs where status = 'RUNNING'").fetchone() == (0,)
    shutil.rmtree(root)
