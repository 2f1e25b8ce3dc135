"""A worker's hold on what it serves: signs of life, one unlearning per accelerator, and an end to what hangs.

A worker that is killed says nothing more, and its claim ends by itself. A worker that hangs, or has lost its
claim, must end too, whatever it is doing: this process is ended then, since nothing else stops a call into
an accelerator's driver.
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
"""The exit status of a worker that has ended itself."""
GRACE_S = 30
"""How much later the interpreter is ended from outside of Python, if nothing of it answers any more."""

PASSING = (UnavailableError, SetupError)
"""What is wrong with a service or with this machine, and not with the request: another run may serve it."""

_CURRENT: ContextVar["Claim | None"] = ContextVar("claim", default=None)


def lease_s() -> float:
    """Return how long a claim holds without a sign of life: ``LETHE_LEASE_S``, ten minutes by default.

    Raises:
        SetupError: If that is not a number of seconds.
    """
    return WorkerSettings.read().lease_s


def work_folder() -> Path | None:
    """Return where a worker keeps its clones, ``LETHE_WORK``; None outside of a deployment."""
    return WorkerSettings.read().work


@dataclass
class Claim:
    """What a worker has claimed, while it works at it.

    Attributes:
        ledger: The ledger.
        entries: The requests; what is finished is taken out.
        worker: The worker's name.
        limit_s: How long the computing may take, in seconds.
    """

    ledger: Ledger
    entries: tuple[Entry, ...]
    worker: str
    limit_s: float
    _deadline: float = float("inf")
    # A sign of life for what has just been finished would look like a claim that was lost.
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
        """Record that nothing of what is left could be served."""
        for entry in self.entries:
            self.fail(entry, reason=reason)

    def give_back(self, *, reason: str, suspect: bool) -> None:
        """Let all that is left wait again; what is suspect does so a few times and no more."""
        with self._turn:
            for entry in self.entries:
                self.ledger.give_back(entry.id, self.worker, reason=_line(reason), suspect=suspect)
                self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        self.entries = tuple(other for other in self.entries if other.id != entry.id)

    def watch(self, stop: threading.Event, lease: float) -> None:
        """Give signs of life until told to stop; end the process once the claim or the time is over."""
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
            # A database that is away for a moment is no reason to stop, a lease that is over is one. Whatever
            # else went wrong, without this thread nobody would notice that.
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
        """Bound what is done inside in time, whatever it hangs in."""
        self._deadline = time.monotonic() + self.limit_s
        # Native code that keeps the interpreter to itself would keep the watch from running as well.
        faulthandler.dump_traceback_later(self.limit_s + GRACE_S, exit=True, file=sys.__stderr__ or 2)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            self._deadline = float("inf")


@contextlib.contextmanager
def hold(ledger: Ledger, entries: Sequence[Entry], worker: str, *, limit_s: float) -> Iterator[Claim]:
    """Hold on to claimed requests while they are served.

    Args:
        ledger: The ledger.
        entries: The requests, claimed by this worker.
        worker: The worker's name.
        limit_s: How long the computing may take, in seconds.

    Yields:
        The claim. An error of Lethe's own fails what is left of it, unless it is about a service or this
        machine; after any other, also when the process is told to end, it waits to be taken up again.
    """
    claim, stop = Claim(ledger, tuple(entries), worker, limit_s), threading.Event()
    # What the watch says in the end is about the same requests.
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


def is_claimed() -> bool:
    """Tell whether what runs here was claimed by a worker; a person's own command was not."""
    return _CURRENT.get() is not None


@contextlib.contextmanager
def at_work() -> Iterator[None]:
    """Compute under the current claim, if there is one: alone on the accelerator, and in limited time.

    The accelerator is this machine's, so the lock is a file's, which the system takes back from a process
    however that ends. What waits for it gives signs of life and does not use up its time.

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
    """Wait for this machine's accelerator, and keep other workers from it.

    Yields:
        Nothing.
    """
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
    """End this process at once, and with it what it has started."""
    tell_error(PipelineError(reason))
    os._exit(ENDED)


def _said(error: BaseException) -> str:
    """Return what an error says; one that is not Lethe's own might name anybody."""
    return str(error) if isinstance(error, LetheError) else f"stopped by {type(error).__name__}"


def _line(reason: str) -> str:
    """Return a message as a line that the ledger takes: what a program has said may hold colours."""
    printable = "".join(char if char.isprintable() else " " for char in reason)
    return " ".join(printable.split())[:1000] or "no reason was given"
