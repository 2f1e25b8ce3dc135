"""``lethe delete`` is killed and interrupted at every stage boundary and in between, and run once more.

One of each by default; ``TEST_KILLS=50 TEST_INTERRUPTS=20`` asks for so many. Moments are drawn
from ``TEST_SEED``.
"""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from forked_lethe import BEGUN
from forks import Forks, is_running
from sweeper import marked, words_of
from tiny import make_tiny
from world import NOISE, run

from tasks.checkout.checkout import Checkout
from tasks.evidence.verification import verify_files

pytestmark = [
    *NOISE,
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]

KILLS = int(os.environ.get("TEST_KILLS", "1"))
INTERRUPTS = int(os.environ.get("TEST_INTERRUPTS", "1"))
SEED = int(os.environ.get("TEST_SEED", "0"))
MARK = f"LETHE_TEST_PROCESS=interrupted-{os.getpid()}"
FROM = (BEGUN, "moments", "split  ", "to train", "svd: ", "unlearn  ")
"""What the log says last before a signal is sent: that it begins, or one of the boundaries."""
LONGEST_S, PROMPT_S, ORPHANS_S = 4.0, 3.0, 10.0


def left(forks):
    """Return what still runs of all that these forks have started, if it does not end soon."""
    end = time.monotonic() + ORPHANS_S
    while still := [pid for pid in marked(MARK) if pid != forks.pid]:
        if time.monotonic() > end:
            break
        time.sleep(0.05)
    return dict(map(words_of, still))


@pytest.fixture(scope="module")
def world(own_folders, tmp_path_factory):
    """The commands, and a project in which nothing was asked for yet."""
    folder = tmp_path_factory.mktemp("interrupted")
    name, _, value = MARK.partition("=")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {name: value, "PREFECT_HOME": str(folder / "prefect"), "PATH": programs}
    commands = Forks(folder, {**os.environ, **own})
    project = make_tiny(folder / "project")
    code, log = commands.lethe(project, "train")
    assert code == 0, log
    yield commands, project
    commands.close()


@dataclass(frozen=True)
class Seen:
    """What was seen of one deletion that was broken off, and of the next run."""

    moment: str
    broken_off: bool
    prompt_s: float
    lines: tuple[str, ...]
    orphans: dict[int, str]
    open_after: dict[str, int]
    again: int
    lines_again: tuple[str, ...]
    open_at_last: dict[str, int]
    versions: int
    certificates: int
    status: str


def break_off(world, number, sent):
    """Serve a request in a copy of the project, send it a signal on the way, and serve it once more."""
    commands, project = world
    draw = random.Random(f"{SEED} {sent} {number}")
    root = project.with_name(f"{sent.name}-{number}")
    shutil.copytree(project, root, symlinks=True)
    words, pause_s = FROM[number % len(FROM)], draw.choice([0.0, draw.uniform(0, LONGEST_S)])
    pid = commands.begin(root, "delete", "r-1", "--class", "b")
    if commands.reached(words, pid):
        time.sleep(pause_s)
    broken_off = is_running(pid)
    began = time.monotonic()
    if broken_off:
        os.kill(pid, sent)
    first = commands.ended()
    prompt_s = time.monotonic() - began
    lines = tuple(commands.log.read_text().splitlines())
    orphans, open_after = left(commands), open_runs(root, project.parent)
    again, log_again = commands.lethe(root, "delete", "r-1", "--class", "b")
    seen = Seen(
        moment=f"{pause_s:.1f} s after {words.strip()!r}",
        broken_off=broken_off and first != 0,
        prompt_s=prompt_s,
        lines=lines,
        orphans=orphans,
        open_after=open_after,
        again=again,
        lines_again=tuple(log_again.splitlines()),
        open_at_last=open_runs(root, project.parent),
        versions=counted(root / "mlruns" / "mlflow.db", "model_versions"),
        certificates=len(list(root.glob("evidence/*/certificate.dsse.json"))),
        status=run(root, "dvc", "status").stdout.strip(),
    )
    print(seen)
    if again == 0:
        verify_files(Checkout(root).certificate("r-1"), model=Checkout(root).unlearned / "model.safetensors")
        shutil.rmtree(root)
    return seen


def open_runs(root, folder):
    """Count what MLflow and Prefect call running."""
    return {
        "runs": counted(root / "mlruns" / "mlflow.db", "runs", "status = 'RUNNING'"),
        "flows": counted(folder / "prefect" / "prefect.db", "flow_run", OPEN),
        "tasks": counted(folder / "prefect" / "prefect.db", "task_run", OPEN),
    }


def counted(store, table, condition="1"):
    """Count rows of a store that may not be there yet, or not be finished."""
    if not store.is_file():
        return 0
    with contextlib.closing(sqlite3.connect(store)) as opened:
        if not opened.execute(f"select 1 from sqlite_master where name = '{table}'").fetchone():
            return 0
        return opened.execute(f"select count(*) from {table} where {condition}").fetchone()[0]


OPEN = "state_type in ('RUNNING', 'PENDING', 'PAUSED', 'CANCELLING')"
NOTHING_OPEN = {"runs": 0, "flows": 0, "tasks": 0}
TRIALS = [
    (sent, number)
    for sent, count in ((signal.SIGKILL, KILLS), (signal.SIGINT, INTERRUPTS))
    for number in range(count)
]


@pytest.mark.parametrize(("sent", "number"), TRIALS, ids=lambda one: getattr(one, "name", one))
def test_what_is_broken_off_is_served_once_by_the_next_run(world, sent, number):
    seen = break_off(world, number, sent)
    assert seen.orphans == {}, seen.moment
    assert (seen.again, seen.versions, seen.certificates) == (0, 1, 1), seen.moment
    assert seen.open_at_last == NOTHING_OPEN, seen.moment
    assert seen.status == "Data and pipelines are up to date.", seen.moment
    if sent == signal.SIGINT and seen.broken_off:
        assert seen.prompt_s < PROMPT_S, seen.moment
        assert seen.open_after == NOTHING_OPEN, seen.moment
        assert Counter("interrupted" in line for line in seen.lines)[True] == 1, seen.lines
        assert "interrupted" in seen.lines[-1], seen.lines
