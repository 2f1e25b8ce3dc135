"""Progress: a log line per finished stage, and bars for people at a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from tasks.checkout.log import shows_progress, tell
from tasks.checkout.texts import one_line
from unlearn_core.progress import OnStep, Step, ignore_step

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def progress(title: str) -> Iterator[OnStep]:
    """Yield a listener that shows long work as bars, one per phase; nothing without a terminal."""
    if not _is_watched():
        yield ignore_step
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


def _bars() -> "Progress":
    """Return bars on standard error that vanish once the work is done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


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
    yield
    tell(f"✓ {name:<10} {time.perf_counter() - started:6.1f} s")
