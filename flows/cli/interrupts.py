"""How ``lethe`` ends when it is told to: by Ctrl-C, by SIGTERM, or because its terminal is closed.

The first signal interrupts the work, which unwinds: temporary files are removed, and Prefect's run is marked.
Then what is still open is closed, what was started is ended, and one line says how to go on. All this takes
less than two seconds, even if native code does not return or a service does not answer. A second Ctrl-C ends
the program at once.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from typing import NoReturn

from flows.cli.output import Output
from unlearn_core.errors import LetheError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNWIND_S, _CLOSE_S = 0.9, 0.8
_DONE = 0
"""Stands for the end of the program where the system would write the number of a signal."""
_TOLD = (
    "interrupted: what is finished is kept, and nothing half-done is in use; "
    "the same command goes on from there"
)


class Interrupts:
    """The signals that end a program, from the first to the end of the program."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self._asked: int | None = None
        self._raised = False
        self._ending = Lock()
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen while the block runs. If a signal breaks it off, the program ends and this does not return.

        Yields:
            Nothing.
        """
        watch = Thread(target=self._watch, daemon=True)
        watch.start()
        # The system writes the number there even while native code keeps Python from calling a handler.
        woken = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        before = {one: signal.getsignal(one) for one in _SIGNALS}
        try:
            # What is ignored stays so, as under nohup.
            for one in (one for one, handler in before.items() if handler is not signal.SIG_IGN):
                signal.signal(one, self._interrupt)
            yield
        except BaseException as error:
            if self._asked is not None:
                # A command that runs until it is interrupted has ended well.
                if isinstance(error, SystemExit) and not error.code:
                    _leave(0)
                self._close_and_end()
            raise
        finally:
            signal.set_wakeup_fd(woken)
            for one, handler in before.items():
                signal.signal(one, handler)
            os.write(self._write, bytes([_DONE]))
            watch.join()
            os.close(self._read)
            os.close(self._write)

    def _interrupt(self, number: int, _frame: object) -> None:
        """Interrupt the work, once: Prefect passes SIGTERM on to its own process."""
        if not self._raised:
            self._asked, self._raised = number, True
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            self._end()

    def _watch(self) -> None:
        """Wait for a signal, then for a second one or for the end of the time to unwind and to close."""
        if (first := self._next(within_s=None)) == _DONE:
            return
        self._asked = first
        for work, within_s in ((None, _UNWIND_S), (self._close_and_end, _CLOSE_S)):
            if work is not None:
                Thread(target=work, daemon=True).start()
            if self._is_done(within_s):
                return
        self._end()

    def _is_done(self, within_s: float) -> bool:
        """Wait, and tell whether the program was done all the same; at a second Ctrl-C it ends."""
        until = time.monotonic() + within_s
        while (left_s := until - time.monotonic()) > 0:
            match self._next(within_s=left_s):
                case signal.SIGINT:
                    self._end()
                case 0:
                    return True
                case _:
                    pass
        return False

    def _next(self, *, within_s: float | None) -> int | None:
        """Return the number of the next signal, or None if there is none in time."""
        ready, _, _ = select.select([self._read], [], [], within_s)
        return os.read(self._read, 1)[0] if ready else None

    def _close_and_end(self) -> NoReturn:
        """Close what is open and end the program; whoever comes second waits for that."""
        self._ending.acquire()
        with suppress(Exception):
            _close()
        self._end()

    def _end(self) -> NoReturn:
        """End all processes, say how to go on, and end."""
        from tasks.checkout.processes import end_processes

        told, code = LetheError(_TOLD), 128 + (self._asked or signal.SIGINT)
        told.exit_code = code
        try:
            end_processes()
            Output.asked().fail(told)
        finally:
            _leave(code)


def _leave(code: int) -> NoReturn:
    """End this process now: what libraries still do when an interpreter ends takes them seconds."""
    with suppress(OSError):
        sys.stdout.flush()
    os._exit(code)


def _close() -> None:
    """Close what the program has begun in MLflow and Prefect."""
    # Only a program that has begun something there has loaded what notes it.
    if "tasks.checkout.begun" in sys.modules:
        from tasks.checkout.begun import checkouts_noted
        from tasks.lifecycle.cut_short import close_own

        for root in checkouts_noted():
            close_own(root)
