"""Progress: a log line per finished stage, bars for people at a terminal, and signs of life in between."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

from tasks.checkout.log import clear_hint, hint, shows_progress, silence_s, tell
from unlearn_core.names import one_line
from unlearn_core.progress import OnStep, Step, ignore_step

if TYPE_CHECKING:
    from rich.progress import Progress

SILENCE_S = 2.0
"""The longest that long work leaves people without a line."""


@contextmanager
def progress(title: str) -> Iterator[OnStep]:
    """Yield a listener that shows long work as bars, one per phase; without a terminal as signs of life."""
    if not _is_watched():
        with _doing(title) as on_step:
            yield on_step
        return
    with _bars() as bars:
        phases = {"": bars.add_task(_label(title), total=None)}

        def show(step: Step) -> None:
            if step.phase not in phases:
                phases[step.phase] = bars.add_task(f"  {_label(step.phase)}", total=step.total)
            bars.update(phases[step.phase], completed=step.index, total=step.total)

        yield show


@contextmanager
def progress_of_many(title: str, total: int) -> Iterator[Callable[[str], AbstractContextManager[OnStep]]]:
    """Show parallel work: a bar for all of it, and one for each part in progress.

    Without a terminal, each finished part is a line.

    Args:
        title: What is being done.
        total: How many parts there are.

    Yields:
        A function that announces a part by name, from any thread, and gives the listener to pass to it.
    """
    if not _is_watched():
        yield _announced_part
        return
    with _bars() as bars:
        whole = bars.add_task(_label(title), total=total)

        @contextmanager
        def part(name: str) -> Iterator[OnStep]:
            bar = bars.add_task(f"  {_label(name)}", total=None)
            try:
                yield lambda step: bars.update(bar, completed=step.index, total=step.total)
                bars.advance(whole)
            finally:
                bars.remove_task(bar)

        yield part


def _is_watched() -> bool:
    return sys.stderr.isatty() and shows_progress()


@contextmanager
def _bars() -> "Iterator[Progress]":
    """Show bars on standard error that vanish once the work is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    clear_hint()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars, _doing("") as _:
        yield bars


def _label(name: str) -> str:
    """Return a name as the label of a bar, which may hold markup."""
    from rich.markup import escape

    return escape(one_line(name))


@contextmanager
def _announced_part(name: str) -> Iterator[OnStep]:
    with announced(name):
        yield ignore_step


@contextmanager
def announced(name: str) -> Iterator[None]:
    """Report that a stage is done, and how long it took; errors are reported elsewhere."""
    started = time.perf_counter()
    with _doing(name):
        yield
    tell(f"✓ {name:<10} {time.perf_counter() - started:6.1f} s")


@dataclass
class _Work:
    """Work that is going on; without a title, bars show it."""

    title: str
    step: Step | None = None
    started: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        if self.step is None or not self.step.total:
            return self.title
        return f"{self.title}, {self.step.phase} {self.step.index} of {self.step.total}"


_GOING_ON: list[_Work] = []


@contextmanager
def _doing(title: str) -> Iterator[OnStep]:
    """Note that some work goes on, for the signs of life; yield a listener for its steps."""
    work = _Work(title)

    def note(step: Step) -> None:
        work.step = step

    _GOING_ON.append(work)
    try:
        yield note
    finally:
        _GOING_ON.remove(work)


@contextmanager
def signs_of_life(title: str) -> Iterator[None]:
    """Write what is going on whenever people have read nothing for almost two seconds.

    A log for machines gets no such lines: each of its lines has a time.

    Args:
        title: What is being done while nothing more is known.

    Yields:
        Nothing.
    """
    done = Event()
    watcher = Thread(target=copy_context().run, args=(_watch, done), daemon=True)
    with _doing(title):
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            clear_hint()


@contextmanager
def waiting() -> Iterator[None]:
    """Write no signs of life while a person is asked something: they would stand in the question."""
    with _doing(""):
        clear_hint()
        yield


def _watch(done: Event) -> None:
    """Write a sign of life whenever it is due, until all is done."""
    while not done.wait(SILENCE_S / 8):
        work = _GOING_ON[-1] if _GOING_ON else None
        if work is not None and work.title and shows_progress() and silence_s() >= SILENCE_S * 0.75:
            hint(f"… {one_line(str(work))}, {time.monotonic() - work.started:.0f} s")
