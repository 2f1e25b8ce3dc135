"""MLflow's and Prefect's real servers on loopback, with the pages that people open."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE_S = 120


@dataclass(frozen=True)
class Server:
    """A server that was started: where it is, and its process."""

    address: str
    process: subprocess.Popen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command: list[str], port: int, log: Path, **environment: str) -> Server:
    """Start a server in a group of its own, so that its workers end with it."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **environment},
        )
    return Server(f"http://127.0.0.1:{port}", process)


def start_mlflow(folder: Path) -> Server:
    """Start MLflow's server; it keeps the artifacts and hands them out."""
    port = free_port()
    options = {
        "--workers": "1",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--backend-store-uri": f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination": f"{folder}/artifacts",
    }
    command = ["mlflow", "server", *(word for option in options.items() for word in option)]
    return start(command, port, folder / "mlflow.log", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")


def start_prefect(folder: Path) -> Server:
    """Start Prefect's server; its pages must be told where its interface is."""
    port = free_port()
    settings = {
        "PREFECT_HOME": f"{folder}/prefect",
        "PREFECT_SERVER_UI_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": f"{folder}/pages",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    return start(command, port, folder / "prefect.log", **settings)


@contextmanager
def both(folder: Path):
    """Start both servers side by side, and stop them in the end; yields MLflow's and Prefect's."""
    servers = [start_mlflow(folder), start_prefect(folder)]
    try:
        for server, path in zip(servers, ("/health", "/api/health"), strict=True):
            await_page(server.process, server.address + path)
        yield servers
    finally:
        for server in servers:
            _stop(server)


def await_page(process: subprocess.Popen, address: str) -> None:
    """Wait until a server that was started answers."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"{address} did not come up; its log lies in the test's folder")


def _stop(server: Server) -> None:
    os.killpg(server.process.pid, signal.SIGTERM)
    try:
        server.process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
