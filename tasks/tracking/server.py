"""Where MLflow's store is, and its pages for a local store."""

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import DEVNULL

from tasks.checkout.environment import configure_libraries
from tasks.checkout.files import make_database
from tasks.checkout.processes import end_process, start_module
from tasks.checkout.settings import ServiceSettings
from tasks.checkout.variables import inherited
from tasks.tracking.moving import ARTIFACTS, settle
from tasks.tracking.pages import CONFIGURATION, OPENS_ON
from unlearn_core.errors import SetupError


def addresses(root: Path) -> tuple[str, str | None]:
    """Return the address of the store, and of the artifacts unless a server decides on those.

    In a local store that was moved or copied with its project, addresses are updated.
    """
    if address := ServiceSettings.read().tracking_uri:
        return address, None
    database = local_database(root)
    folder = database.parent
    folder.mkdir(parents=True, exist_ok=True)
    settle(folder)
    artifacts = (folder / ARTIFACTS).as_uri()
    make_database(database, lambda path: _make_tables(path, artifacts))
    return f"sqlite:///{database}", artifacts


def _make_tables(path: Path, artifacts: str) -> None:
    configure_libraries()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(f"sqlite:///{path}", artifacts).engine.dispose()


def local_database(root: Path) -> Path:
    """Return where the database of a checkout's own store is."""
    return root.resolve() / "mlruns" / "mlflow.db"


def has_store(root: Path) -> bool:
    """Tell whether there is a store already; none is made."""
    return bool(ServiceSettings.read().tracking_uri) or local_database(root).is_file()


def serve_ui(root: Path, port: int, *, model: str, tell: Callable[[str], object]) -> None:
    """Serve MLflow's pages on the loopback interface until interrupted; they open on a model's deletions.

    Args:
        root: A checkout's top folder.
        port: The port on 127.0.0.1.
        model: The registered model's name.
        tell: Called with the address of the pages, before they are served.

    Raises:
        SetupError: If the store is a server, the port is taken, or the pages could not be served.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SetupError(f"port {port} is taken by another program; choose another --port")
    address, artifacts = addresses(root)
    if artifacts is None:
        raise SetupError(f"the store is {address}; open that address, or unset MLFLOW_TRACKING_URI")
    configure_libraries()
    command = ("mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port))
    options = ("--backend-store-uri", address, "--default-artifact-root", artifacts)
    options += ("--gunicorn-opts", f"--config {CONFIGURATION}")
    environment = inherited(
        {
            OPENS_ON: _deletions_of(root, model),
            # Its job runner is for evaluating language models: eight processes that Lethe does not need.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # MLflow recommends its other server, which has the assistant.
            "PYTHONWARNINGS": "ignore::FutureWarning",
        }
    )
    tell(f"http://127.0.0.1:{port}")
    server = start_module(*command, *options, env=environment, stdin=DEVNULL)
    try:
        code = server.wait()
    except KeyboardInterrupt:
        return
    finally:
        end_process(server)
    if code > 0:
        raise SetupError(f"MLflow's server stopped with {code}; its last lines above say why")


def _deletions_of(root: Path, model: str) -> str:
    """Return the address, within the pages, of a model's experiment; of all experiments if it has none."""
    with closing(sqlite3.connect(f"{local_database(root).as_uri()}?mode=ro", uri=True)) as store:
        query = "SELECT experiment_id FROM experiments WHERE name = ?"
        found = store.execute(query, (model,)).fetchone()
    return (
        "#/experiments" if found is None else f"#/experiments/{found[0]}/runs?workflowType=machine_learning"
    )
