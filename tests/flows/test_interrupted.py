"""``lethe delete`` is killed and interrupted at every stage boundary and in between, and run once more.

A sample of a minute or two by default; ``TEST_KILLS=50 TEST_INTERRUPTS=20`` asks for so many of
each. Moments are drawn from ``TEST_SEED``.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
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

KILLS = int(os.environ.get("TEST_KILLS", "2"))
INTERRUPTS = int(os.environ.get("TEST_INTERRUPTS", "2"))
SEED = int(os.environ.get("TEST_SEED", "0"))
MARK = f"LETHE_TEST_PROCESS=interrupted-{os.getpid()}"
FROM = ("", "moments", "split  ", "to train", "svd: ", "unlearn  ")
"""What the log says last before a signal is sent: nothing, or one of the boundaries."""
LONGEST_S, PROMPT_S, ORPHANS_S, PATIENCE_S = 4.0, 3.0, 10.0, 300


@dataclass
class Commands:
    """A process whose forks are ``lethe``."""

    folder: Path
    environment: dict[str, str]
    log: Path = field(init=False)

    def __post_init__(self):
        self.log = self.folder / "log"
        program = [sys.executable, str(Path(__file__).with_name("forked_lethe.py"))]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._forks = subprocess.Popen(program, env=self.environment, **pipes)
        self._said()

    def begin(self, root, *arguments):
        self.log.unlink(missing_ok=True)
        self.log.touch()
        asked = {"folder": str(root), "arguments": arguments, "log": str(self.log)}
        self._forks.stdin.write(json.dumps(asked) + "\n")
        return int(self._said())

    def ended(self):
        """Wait for the last one, and return its exit code."""
        return int(self._said())

    def reached(self, words, pid):
        """Wait until the log has come to some words; tell whether the process still runs."""
        end = time.monotonic() + PATIENCE_S
        while words not in self.log.read_text() and is_running(pid):
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.01)
        return is_running(pid)

    def left(self):
        """Return what still runs of all that these forks have started, if it does not end soon."""
        end = time.monotonic() + ORPHANS_S
        while left := [pid for pid in marked(MARK) if pid != self._forks.pid]:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        return dict(map(words_of, left))

    def close(self):
        self._forks.communicate()

    def _said(self):
        line = self._forks.stdout.readline()
        assert line, "the forking process has ended"
        return line


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def world(own_folders, tmp_path_factory):
    """The commands, and a project in which nothing was asked for yet."""
    folder = tmp_path_factory.mktemp("interrupted")
    name, _, value = MARK.partition("=")
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {name: value, "PREFECT_HOME": str(folder / "prefect"), "PATH": programs, "PYTHONSAFEPATH": "1"}
    commands = Commands(folder, {**os.environ, **own})
    project = make_tiny(folder / "project")
    commands.begin(project, "train")
    assert commands.ended() == 0, commands.log.read_text()
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
    orphans, open_after = commands.left(), open_runs(root, project.parent)
    commands.begin(root, "delete", "r-1", "--class", "b")
    again = commands.ended()
    seen = Seen(
        moment=f"{pause_s:.1f} s after {words.strip() or 'the start'!r}",
        broken_off=broken_off and first != 0,
        prompt_s=prompt_s,
        lines=lines,
        orphans=orphans,
        open_after=open_after,
        again=again,
        lines_again=tuple(commands.log.read_text().splitlines()),
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
