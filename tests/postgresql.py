"""A real PostgreSQL server on loopback, in a folder of its own, for as long as the tests run."""

import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import URL, create_engine

USER = "lethe"


def find_programs() -> Path | None:
    """Return the folder of the server's programs; Debian keeps them off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.parent.parent.name), default=None)
    return None if newest is None else newest.parent


def initialise(programs: Path, folder: Path, user: str, password: str, *arguments: str) -> list[str]:
    """Make a cluster in a folder's ``data``; return what to put before commands that are run on it."""
    (folder / "password").write_text(password)
    as_user = _not_as_root(folder)
    secret = ["-A", "scram-sha-256", "-U", user, f"--pwfile={folder / 'password'}", "--no-sync"]
    run([*as_user, str(programs / "initdb"), "-D", str(folder / "data"), *secret, *arguments], folder)
    return as_user


def run(command: list[str], folder: Path) -> None:
    """Run a program of the server; what it says is told if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    log = folder / "log"
    assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")


@contextlib.contextmanager
def serve(programs: Path, *, user: str = USER):
    """Start a server; yield the URL of its first database, with a user who needs a password."""
    folder = Path(tempfile.mkdtemp(prefix="lethe-postgresql-"))
    password = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    control = [
        *initialise(programs, folder, user, password, "--locale=C.UTF-8"),
        str(programs / "pg_ctl"),
        "-w",
    ]
    control += ["-D", str(folder / "data")]
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    run([*control, "-l", str(folder / "log"), "-o", settings, "start"], folder)
    try:
        yield URL.create("postgresql+psycopg", user, password, "127.0.0.1", port, "postgres")
    finally:
        run([*control, "-m", "immediate", "stop"], folder)
        shutil.rmtree(folder)


def _not_as_root(folder: Path) -> list[str]:
    """Give the folder to Debian's user of the server, who must run it: it refuses to run as root."""
    if os.getuid():
        return []
    owner = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    # Unlike runuser it makes way for the command, which then can be waited for.
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def make_database(server: URL) -> URL:
    """Make an empty database and return its URL."""
    name = f"test_{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name)
