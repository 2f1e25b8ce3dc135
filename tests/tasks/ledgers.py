"""Ledgers to test: on a file and on a server, with a clock that the test sets."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import URL

from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import Ledger
from unlearn_core.audit.deadlines import later
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

NOON = "2026-11-21T12:00:00Z"


@dataclass
class Clock:
    """Stands still until it is told to go on."""

    time: str = NOON

    def __call__(self):
        return self.time

    def advance(self, seconds):
        self.time = later(self.time, seconds)


def draft(request_id, *classes, **changes):
    request = DeletionRequest(id=request_id, scope=ClassScope(classes=classes or ("3",)))
    return replace(Draft(request, "digits"), **changes)


def enter(ledger: Ledger, *drafts):
    return ledger.submit([one if isinstance(one, Draft) else draft(one) for one in drafts], actor="clerk")


TRIGGERS = {
    "sqlite": {
        "events_are_never_updated": "deletion_events",
        "events_are_never_deleted": "deletion_events",
        "requests_stay_as_received": "deletion_requests",
    },
    "postgresql": {
        "events_are_never_changed": "deletion_events",
        "requests_stay_as_received": "deletion_requests",
    },
}


def drop_triggers(engine):
    """Take away what keeps rows as they were written, as whoever owns the tables can."""
    kind = engine.dialect.name
    with engine.begin() as connection:
        for name, table in TRIGGERS[kind].items():
            on = "" if kind == "sqlite" else f" ON {table}"
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


def start(program: str, url: URL, *arguments):
    """Start a program of this folder as a process of its own, on the same ledger."""
    environment = {**os.environ, "LETHE_DATABASE_URL": url.render_as_string(hide_password=False)}
    command = [sys.executable, str(Path(__file__).with_name(program)), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@contextlib.contextmanager
def spawned(program: str, url: URL, *arguments, names):
    """Start the same program under several names; whatever happens, none of them outlives the block."""
    processes = [start(program, url, *arguments, name) for name in names]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()


def kill_after_a_line(process):
    """Kill a process the hard way once it has said something; return what."""
    line = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return line.strip()
