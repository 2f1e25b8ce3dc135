"""The log of a flow run, on its page: what Lethe says there, and nothing else.

Prefect's own log stays silent (``LIBRARY_SETTINGS``): it has the traceback of every error, which may quote
data. Lethe's lines are for anybody who may read logs, and here they never have a traceback.
"""

import logging
from functools import cache

from tasks.checkout.log import copy_lines
from unlearn_core.names import printable


@cache
def log_to_pages() -> None:
    """From now on, send each line of the log to the page of the flow run in which it is written."""
    from prefect.logging.handlers import APILogHandler

    pages = APILogHandler(logging.INFO)
    pages.setFormatter(_MessageAlone())
    pages.addFilter(_is_in_a_run)
    copy_lines(pages)


class _MessageAlone(logging.Formatter):
    """The message, without what it is an error of."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(record.getMessage().strip())


def _is_in_a_run(_record: logging.LogRecord) -> bool:
    """Tell whether a flow or a task is running here."""
    from prefect.context import FlowRunContext, TaskRunContext

    return FlowRunContext.get() is not None or TaskRunContext.get() is not None
