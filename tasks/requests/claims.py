"""A worker's hold on what it serves: heartbeats, one unlearning per accelerator, and an end to what hangs.

A killed worker sends no more heartbeats, and its claim expires. A worker that hangs, or has lost its claim,
must end too, whatever it is doing: then this process is ended, since nothing else stops a call into an
accelerator's driver.
"""

import contextlib
import faulthandler
import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tasks.checkout.log import tell, tell_error
from tasks.checkout.settings import WorkerSettings
from tasks.requests.ledger.ledger import Ledger
from unlearn_core.errors import LetheError, PipelineError, RequestError, SetupError, UnavailableError
from unlearn_core.records.ledger import Entry

ENDED = 70
"""The exit status of a worker that ended itself."""
GRACE_S = 30
"""How much later the interpreter is ended from outside Python, if it no longer responds."""

PASSING = (UnavailableError, SetupError)
"""Errors of a service or this machine, not of the request: another run may serve it."""

_CURRENT: ContextVar["Lease | None"] = ContextVar("claim", default=None)


def lease_s() -> float:
    """Return how long a claim holds without a heartbeat: ``LETHE_LEASE_S``, ten minutes by default.

    Raises:
        SetupError: If that is not a number of seconds.
    """
    return WorkerSettings.read().lease_s


def work_folder() -> Path | None:
    """Return where a worker keeps its clones, ``LETHE_WORK``; None outside a deployment."""
    return WorkerSettings.read().work


@dataclass
class Lease:
    """What a worker has claimed and is serving.

    Attributes:
        ledger: The ledger.
        entries: The requests that are not finished yet.
        worker: The worker's name.
        limit_s: How long the computing may take, in seconds.
    """

    ledger: Ledger
    entries: tuple[Entry, ...]
    worker: str
    limit_s: float
    _deadline: float = float("inf")
    # A heartbeat for a request that has just been finished would look like a lost claim.
    _turn: AbstractContextManager[Any] = field(default_factory=threading.RLock)

    def complete(self, entry: Entry, *, reason: str) -> None:
        """Record that a request was served."""
        with self._turn:
            self.ledger.complete(entry.id, self.worker, reason=reason)
            self._forget(entry)

    def fail(self, entry: Entry, *, reason: str) -> None:
        """Record that a request could not be served."""
        with self._turn:
            self.ledger.fail(entry.id, self.worker, reason=_line(reason))
            self._forget(entry)

    def fail_all(self, *, reason: str) -> None:
        """Record that none of the remaining requests could be served."""
        for entry in self.entries:
            self.fail(entry, reason=reason)

    def give_back(self, *, reason: str, suspect: bool) -> None:
        """Return the remaining requests to the queue; suspect ones only a few times."""
        with self._turn:
            for entry in self.entries:
                self.ledger.give_back(entry.id, self.worker, reason=_line(reason), suspect=suspect)
                self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        self.entries = tuple(other for other in self.entries if other.id != entry.id)

    def watch(self, stop: threading.Event, lease: float) -> None:
        """Send heartbeats until told to stop; end the process once the claim or the time is over."""
        last = time.monotonic()
        while not stop.wait(min(lease / 4, max(0.1, self._deadline - time.monotonic()))):
            if time.monotonic() >= self._deadline:
                self._end_late()
            try:
                with self._turn:
                    for entry in self.entries:
                        self.ledger.heartbeat(entry.id, self.worker, lease_s=lease)
                last = time.monotonic()
            except RequestError as error:
                if not stop.is_set():
                    _end(str(error))
            # A database that is briefly unavailable is no reason to stop; an expired lease is one. Whatever
            # else went wrong, only this thread would notice.
            except Exception as error:
                if time.monotonic() - last > lease:
                    _end(f"the claim is over: {_said(error)}")

    def _end_late(self) -> NoReturn:
        reason = f"the computing took longer than {self.limit_s:g} s and was ended"
        with contextlib.suppress(LetheError):
            self.fail_all(reason=reason)
        _end(reason)

    @contextlib.contextmanager
    def limited(self) -> Iterator[None]:
        """Limit the time of the block, whatever it hangs in."""
        self._deadline = time.monotonic() + self.limit_s
        # Native code that holds the interpreter would keep the watch from running too.
        faulthandler.dump_traceback_later(self.limit_s + GRACE_S, exit=True, file=sys.__stderr__ or 2)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._deadline = float("inf")


@contextlib.contextmanager
def hold(ledger: Ledger, entries: Sequence[Entry], worker: str, *, limit_s: float) -> Iterator[Lease]:
    """Hold on to claimed requests while they are served.

    Args:
        ledger: The ledger.
        entries: The requests, claimed by this worker.
        worker: The worker's name.
        limit_s: How long the computing may take, in seconds.

    Yields:
        The claim. One of Lethe's errors fails the remaining requests, unless it is about a service or this
        machine; after any other error, also when the process is told to end, they wait to be claimed again.
    """
    claim, stop = Lease(ledger, tuple(entries), worker, limit_s), threading.Event()
    # What the watch logs at the end is about the same requests.
    watching = partial(copy_context().run, claim.watch)
    watch = threading.Thread(target=watching, args=(stop, lease_s()), daemon=True)
    watch.start()
    token = _CURRENT.set(claim)
    try:
        yield claim
    except BaseException as error:
        suspect = isinstance(error, Exception) and not isinstance(error, PASSING)
        if suspect and isinstance(error, LetheError):
            claim.fail_all(reason=_said(error))
        else:
            claim.give_back(reason=_said(error), suspect=suspect)
        raise
    finally:
        _CURRENT.reset(token)
        stop.set()
        watch.join()


def claimed_by() -> str | None:
    """Return the worker whose claim is being served here; None during a person's command."""
    claim = _CURRENT.get()
    return None if claim is None else claim.worker


def is_claimed() -> bool:
    """Tell whether a worker's claim is being served here, rather than a person's command."""
    return _CURRENT.get() is not None


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Compute under the current claim, if there is one: alone on the accelerator, and in limited time.

    The accelerator belongs to this machine, so the lock is on a file, and the system releases it however the
    process ends. A worker that waits for it sends heartbeats, and the wait does not count towards its time.

    Yields:
        Nothing.
    """
    claim = _CURRENT.get()
    if claim is None:
        yield
        return
    with device(), claim.limited():
        yield


@contextlib.contextmanager
def device() -> Iterator[None]:
    """Wait for this machine's accelerator, and keep other workers off it."""
    if (folder := work_folder()) is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "device.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("· waits for the accelerator")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end(reason: str) -> NoReturn:
    """End this process and its children at once."""
    tell_error(PipelineError(reason))
    os._exit(ENDED)


def _said(error: BaseException) -> str:
    """Return an error's message, if it is Lethe's; any other might name a person."""
    return str(error) if isinstance(error, LetheError) else f"stopped by {type(error).__name__}"


def _line(reason: str) -> str:
    """Return a message as a line that the ledger accepts: a program's output may hold colour codes."""
    printable = "".join(char if char.isprintable() else " " for char in reason)
    return " ".join(printable.split())[:1000] or "no reason was given"
