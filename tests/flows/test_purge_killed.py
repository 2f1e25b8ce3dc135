"""A purge is killed again and again, and ends complete; what would run beside it is refused.

Three kills by default; ``TEST_KILLS=12`` asks for so many, three in each project: after that a purge is done.
Moments are drawn from ``TEST_SEED``.
"""

import math
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from erased import CONTROL, PERSON, found, person_forgotten, rows_of
from forked_lethe import BEGUN
from forks import Forks, is_running
from world import NOISE, run

from flows.stages.pipeline import PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.evidence.purged import purge_of

pytestmark = [*NOISE, pytest.mark.long]

KILLS = int(os.environ.get("TEST_KILLS", "3"))
SEED = int(os.environ.get("TEST_SEED", "0"))
FROM = (BEGUN, "✓ rows", "✓ rows")
"""What the log says last before a moment; the search and the erasure after ``rows`` are short."""
LONGEST_S = 2.0


@pytest.fixture
def world(own_folders, tmp_path):
    """The commands, and a project in which a person is to be purged."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PREFECT_HOME": str(tmp_path / "prefect"), "TMPDIR": str(tmp_path / "temporary"), "PATH": programs}
    (tmp_path / "temporary").mkdir()
    commands = Forks(tmp_path, {**os.environ, **own})
    yield commands, person_forgotten(tmp_path / "project")
    commands.close()


@pytest.mark.parametrize("project", range(math.ceil(KILLS / len(FROM))))
def test_a_purge_that_is_killed_is_finished_by_the_next(world, project):
    commands, root = world
    rows = {name: rows_of(root, name) for name in (PERSON, CONTROL)}
    moments = []
    for words in FROM:
        pause_s = random.Random(f"{SEED} {project} {len(moments)}").uniform(0, LONGEST_S)
        pid = commands.begin(root, "purge", "r-1")
        if commands.reached(words, pid):
            time.sleep(pause_s)
        if killed := is_running(pid):
            os.kill(pid, signal.SIGKILL)
        moments.append((words, round(pause_s, 1), killed))
        assert commands.ended() in {0, -signal.SIGKILL}, commands.log.read_text()
    print(moments)
    code, log = commands.lethe(root, "purge", "r-1")
    assert code == 0, log
    assert purge_of(Checkout(root), "r-1").finished
    assert not any(found(rows[PERSON], root).values()), moments
    assert found(rows[CONTROL], root)["file"]
    code, log = commands.lethe(root, "purge", "r-1", "--prove")
    assert code == 0, (moments, log)
    assert len(list(root.glob("evidence/*/inventory.dsse.json"))) == 1
    status = run(root, "dvc", "status", *PREPARATION).stdout.strip()
    assert status == "Data and pipelines are up to date."


def test_a_deletion_beside_a_purge_is_refused_and_served_afterwards(world):
    commands, root = world
    pid = commands.begin(root, "purge", "r-1")
    assert commands.reached("… purge", pid)  # it has the checkout for itself now
    beside = run(root, "lethe", "delete", "r-2", "--class", "5")
    assert is_running(pid)
    assert beside.returncode == 2, beside.stdout + beside.stderr
    assert commands.ended() == 0, commands.log.read_text()
    code, log = commands.lethe(root, "delete", "r-2", "--class", "5")
    assert code == 0, log
    code, log = commands.lethe(root, "purge", "r-1", "--prove")
    assert code == 0, log
