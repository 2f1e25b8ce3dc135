"""The log, on standard error: lines for people, or one JSON document a line where ``LETHE_LOG=json``.

Each JSON line says which request it is about, and which runs of MLflow and Prefect, as far as that is known.
What is told is for everybody who may read logs: ids of requests, and nothing that names a person. Format and
level are looked up when a line is written, so nothing has to be set up.
"""

import json
import logging
import sys
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

_NAME = "lethe"


@dataclass
class Topic:
    """What lines are about.

    Attributes:
        requests: The ids of the requests that are served.
        flow_run: The id of Prefect's flow run.
        run: The id of MLflow's run, once it is open.
    """

    requests: tuple[str, ...] = ()
    flow_run: str | None = None
    run: str | None = None


_TOPIC: ContextVar[Topic | None] = ContextVar("topic", default=None)


@contextmanager
def about(*requests: str, flow_run: str | None = None) -> Iterator[None]:
    """Say in every line that is written inside what it is about; what is not given stays as it is outside.

    Args:
        requests: The ids of the requests that are served.
        flow_run: The id of Prefect's flow run.

    Yields:
        Nothing. An error that ends the block is about the same.
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
    """Say from now on that lines are about a run of MLflow, where requests are served."""
    if (topic := _TOPIC.get()) is not None:
        topic.run = run


def open_log(level: str | None = None) -> None:
    """Refuse wrong settings of the log, and warn of misspelt ones of all kinds.

    Args:
        level: The least that this process and those that it starts tell; what the environment says if None.

    Raises:
        ConfigurationError: If the settings of the log are not what they should be.
    """
    if level is not None:
        set_variable("LETHE_LOG_LEVEL", level)
    LogSettings.read()
    for line in misspelt():
        warn(f"· {line}")


def tell(line: str) -> None:
    """Write a line on standard error, so that standard output holds results alone."""
    logging.getLogger(_NAME).info(line)


def warn(line: str) -> None:
    """Write a line about what somebody should look at, though the work goes on."""
    logging.getLogger(_NAME).warning(line)


def tell_error(error: BaseException, *, by: str = _NAME) -> None:
    """Write why a program or a stage has ended, or a request could not be served; each error once."""
    if "told" in vars(error):
        return
    vars(error)["told"] = True
    logging.getLogger(_NAME if by == _NAME else f"{_NAME}.{by}").error(reason_of(error), exc_info=error)


def reason_of(error: BaseException) -> str:
    """Return what everybody may be told of an error.

    Args:
        error: One of Lethe's own speaks for itself. Any other may quote data.

    Returns:
        Its message, or of another one's its kind and where it was raised.
    """
    if isinstance(error, LetheError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" in {'/'.join(Path(frame[0].filename).parts[-3:])}, line {frame[0].lineno}" if frame else ""
    kind = type(error).__name__
    return f"unexpected {kind}{place}; LETHE_LOG_LEVEL=debug shows the traceback, which may quote data"


def is_for_people() -> bool:
    """Tell whether people read the log, and no machine keeps it."""
    return _settings().log == "text"


def shows_progress() -> bool:
    """Tell whether people want to see how the work goes on."""
    return is_for_people() and _settings().log_level in {"debug", "info"}


class _ForPeople(logging.Formatter):
    """The message alone; an error says what it ended."""

    def format(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        if record.levelno >= logging.ERROR:
            said = f"{record.name.rpartition('.')[2]}: {said}"
        return "\n".join([said, *_traceback(record)])


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
        return json.dumps(line, ensure_ascii=False)


def _traceback(record: logging.LogRecord) -> list[str]:
    """Return where an error came from, for those who asked for it."""
    if not record.exc_info or _settings().log_level != "debug":
        return []
    return "".join(traceback.format_exception(record.exc_info[1])).rstrip().split("\n")


class _StandardError(logging.Handler):
    """Writes to what is standard error when a line is written."""

    def emit(self, record: logging.LogRecord) -> None:
        settings = _settings()
        if record.levelno < logging.getLevelNamesMapping()[settings.log_level.upper()]:
            return
        formatter = _ForMachines() if settings.log == "json" else _ForPeople()
        print(formatter.format(record), file=sys.stderr, flush=True)


def _settings() -> LogSettings:
    """Return what the log is to be like; wrong settings must not keep the refusal of them out of it."""
    try:
        return LogSettings.read()
    except UsageError:
        return LogSettings.model_construct(log="text", log_level="info")


logging.getLogger(_NAME).addHandler(_StandardError())
logging.getLogger(_NAME).setLevel(logging.DEBUG)
logging.getLogger(_NAME).propagate = False
