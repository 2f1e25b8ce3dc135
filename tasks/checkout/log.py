"""The log, on standard error: lines for people, or one JSON document per line with ``LETHE_LOG=json``.

Each JSON line names the request that it is about, and the MLflow and Prefect runs, where they are known.
Lines are for anybody who may read logs: they hold ids of requests, and nothing that names a person. Format
and level are looked up when a line is written, so nothing has to be set up.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.checkout.settings import LogSettings, misspelt
from tasks.checkout.variables import set_variable
from unlearn_core.errors import LetheError, UsageError
from unlearn_core.names import printable

_NAME = "lethe"


@dataclass
class Topic:
    """What log lines are about.

    Attributes:
        requests: The ids of the requests being served.
        flow_run: The id of Prefect's flow run.
        run: The id of MLflow's run, once it is open.
    """

    requests: tuple[str, ...] = ()
    flow_run: str | None = None
    run: str | None = None


@dataclass
class _Screen:
    """When standard error was last written to, and whether a hint stands there until the next line."""

    written: float = 0.0
    hinted: bool = False


_SCREEN = _Screen()

_TOPIC: ContextVar[Topic | None] = ContextVar("topic", default=None)


@contextmanager
def about(*requests: str, flow_run: str | None = None) -> Iterator[None]:
    """Set what lines written inside the block are about; what is not given stays as it is outside.

    Args:
        requests: The ids of the requests being served.
        flow_run: The id of Prefect's flow run.

    Yields:
        Nothing. An error that leaves the block is logged as about the same.
    """
    outer = _TOPIC.get() or Topic()
    inner = Topic(requests or outer.requests, flow_run or outer.flow_run, outer.run)
    token = _TOPIC.set(inner)
    try:
        yield
    except BaseException as error:
        vars(error).setdefault("topic", inner)
        raise
    finally:
        _TOPIC.reset(token)
        outer.run = inner.run


def note_run(run: str) -> None:
    """Set the MLflow run that lines are about from now on, while requests are being served."""
    if (topic := _TOPIC.get()) is not None:
        topic.run = run


def open_log(level: str | None = None) -> None:
    """Refuse invalid settings of the log, and warn of any misspelt setting.

    Args:
        level: The lowest level for this process and its children; from the environment if None.

    Raises:
        ConfigurationError: If the settings of the log are not valid.
    """
    if level is not None:
        set_variable("LETHE_LOG_LEVEL", level)
    LogSettings.read()
    for line in misspelt():
        warn(f"· {line}")


def copy_lines(handler: logging.Handler) -> None:
    """Write each line to one more place, too."""
    logging.getLogger(_NAME).addHandler(handler)


def tell(line: str) -> None:
    """Write a line on standard error, so that standard output holds only results."""
    logging.getLogger(_NAME).info(line)


def warn(line: str) -> None:
    """Write a line about something to look into, though the work goes on."""
    logging.getLogger(_NAME).warning(line)


def hint(line: str) -> None:
    """Write what is going on: on a terminal in place, until the next line; elsewhere as a line of its own."""
    if not sys.stderr.isatty():
        tell(line)
        return
    print(f"\r{printable(line)[:79]}\033[K", end="", file=sys.stderr, flush=True)
    _SCREEN.written, _SCREEN.hinted = time.monotonic(), True


def clear_hint() -> None:
    """Remove a hint that stands on the terminal."""
    if _SCREEN.hinted:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
        _SCREEN.hinted = False


def silence_s() -> float:
    """Return for how many seconds nothing was written."""
    return time.monotonic() - _SCREEN.written


def tell_error(error: BaseException, *, by: str = _NAME) -> None:
    """Write why a program or a stage ended, or a request could not be served; each error once."""
    if "told" in vars(error):
        return
    vars(error)["told"] = True
    logging.getLogger(_NAME if by == _NAME else f"{_NAME}.{by}").error(reason_of(error), exc_info=error)


def reason_of(error: BaseException) -> str:
    """Return what anybody may read about an error.

    Args:
        error: Lethe's own errors are safe to show. Any other may quote data.

    Returns:
        The message of one of Lethe's errors; of any other, its kind and where it was raised.
    """
    if isinstance(error, LetheError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {'/'.join(Path(frame[0].filename).parts[-3:])}, line {frame[0].lineno}" if frame else ""
    kind = type(error).__name__
    return f"unexpected {kind}{place}; LETHE_LOG_LEVEL=debug shows the traceback, which may quote data"


def is_for_people() -> bool:
    """Tell whether the log is written for people rather than machines."""
    return _settings().log == "text"


def shows_progress() -> bool:
    """Tell whether to show progress."""
    return is_for_people() and _settings().log_level in {"debug", "info"}


class _ForPeople(logging.Formatter):
    """The message alone; an error names what it ended."""

    def format(self, record: logging.LogRecord) -> str:
        said = printable(record.getMessage())
        if record.levelno >= logging.ERROR:
            said = f"{record.name.rpartition('.')[2]}: {said}"
        return "\n".join([said, *map(printable, _traceback(record))])


class _ForMachines(logging.Formatter):
    """A JSON document on one line."""

    def format(self, record: logging.LogRecord) -> str:
        raised = record.exc_info[1] if record.exc_info else None
        topic = getattr(raised, "topic", None) or _TOPIC.get() or Topic()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": ", ".join(topic.requests) or None,
            "run": topic.run,
            "flow_run": topic.flow_run,
            "message": record.getMessage().strip(),
        }
        if shown := _traceback(record):
            line["traceback"] = "\n".join(shown)
        return json.dumps(line)


def _traceback(record: logging.LogRecord) -> list[str]:
    """Return an error's traceback, for those who asked for it."""
    if not record.exc_info or _settings().log_level != "debug":
        return []
    return "".join(traceback.format_exception(record.exc_info[1])).rstrip().split("\n")


class _StandardError(logging.Handler):
    """Looks standard error up each time a line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        settings = _settings()
        if record.levelno < logging.getLevelNamesMapping()[settings.log_level.upper()]:
            return
        formatter = _ForMachines() if settings.log == "json" else _ForPeople()
        clear_hint()
        print(formatter.format(record), file=sys.stderr, flush=True)
        _SCREEN.written = time.monotonic()


def _settings() -> LogSettings:
    """Return the settings of the log; defaults if invalid, so that their refusal can be logged."""
    try:
        return LogSettings.read()
    except UsageError:
        return LogSettings.model_construct(log="text", log_level="info")


logging.getLogger(_NAME).addHandler(_StandardError())
logging.getLogger(_NAME).setLevel(logging.DEBUG)
logging.getLogger(_NAME).propagate = False
