"""The Prefect server that a command starts for itself where no other is named; it ends with the command."""

import atexit
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import ParamSpec, TypeVar

from tasks.checkout.processes import end_process, start_module
from tasks.checkout.variables import inherited
from tasks.orchestration.run_log import log_to_pages
from unlearn_core.errors import UnavailableError

_P = ParamSpec("_P")
_R = TypeVar("_R")

_APPLICATION = ("uvicorn", "--factory", "prefect.server.api.server:create_app")
_QUIETLY = ("--log-level", "critical", "--lifespan", "on")
_SETTINGS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
"""As Prefect sets them for the server that it would start."""
_ASK_WITHIN_S, _END_WITHIN_S = 1.0, 5.0


def with_server(run: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give a flow a Prefect server (``served``).

    Args:
        run: The flow.

    Returns:
        The same, called in the same way.
    """
    return served()(run)


@contextmanager
def served() -> Iterator[None]:
    """Let flows use the Prefect server that is named, or else this process's own.

    The one that Prefect would start ends at a terminal's Ctrl-C, before the flow can tell it how it ended,
    and outlives a command that is killed. Only a server that is named has pages, and gets the log of runs.

    Yields:
        Nothing.
    """
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if PREFECT_API_URL.value():
        log_to_pages()
        yield
        return
    with temporary_settings({PREFECT_API_URL: _own_server()}):
        yield


@cache
def _own_server() -> str:
    """Start this process's server, and return its address; it ends with the process."""
    import prefect
    from prefect.settings import get_current_settings

    given = get_current_settings().to_environment_variables(exclude_unset=True)
    # The server is given a socket and not a number, which another program could take before it.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        process = start_module(
            *_APPLICATION,
            *_QUIETLY,
            # uvicorn would look for modules in the working folder first, which is the user's.
            "--app-dir",
            str(Path(prefect.__file__).parents[1]),
            "--fd",
            str(listening.fileno()),
            env=inherited({**given, **_SETTINGS}),
            pass_fds=[listening.fileno()],
            stdin=DEVNULL,
        )
    # Prefect's queues are emptied before functions that are registered here are called.
    atexit.register(_end, process)
    _await_answer(process, address)
    return address


def _await_answer(process: "Popen[bytes]", address: str) -> None:
    """Wait until a server answers.

    Raises:
        UnavailableError: If it ends instead, or takes longer than Prefect allows it.
    """
    import httpx
    from prefect.settings import PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS as LIMIT

    until = time.monotonic() + LIMIT.value()
    with httpx.Client(timeout=_ASK_WITHIN_S) as client:
        while process.poll() is None and time.monotonic() < until:
            with suppress(httpx.TransportError):
                if client.get(f"{address}/health").status_code == httpx.codes.OK:
                    return
    end_process(process)
    raise UnavailableError("Prefect's server could not be started; the same may succeed later")


def _end(process: "Popen[bytes]") -> None:
    """Let a server write down what it was told, and end it."""
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    finally:
        end_process(process)
