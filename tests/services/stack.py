"""The services of infra/compose.yaml on loopback: the real PostgreSQL, Prefect and MLflow, and moto's S3.

Nothing here knows how a service is started: commands, environment, health checks and one-shot jobs are read
from compose.yaml. All that is added is what a container brings along: PostgreSQL's first setup.
"""

import contextlib
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from compose import Compose, free_ports
from dotenv import dotenv_values
from postgresql import find_programs, initialise
from processes import Process, Sweeper, plain_environment, wait_for
from s3 import Server
from world import ROOT

SERVERS = ("postgres", "prefect", "mlflow")
START_S = 180
"""How long a server may take on a busy machine; on an idle one it takes half a minute at most."""


SHORTER = {
    # How often runs of schedules are made; a minute by default.
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
    # How long a claim holds without a sign of life; ten minutes by default.
    "LETHE_LEASE_S": "20",
}
"""Times for tests and measurements; the rest is as compose.yaml has it."""


class Stack:
    """The running services.

    Attributes:
        environment: What compose.yaml gives a worker, with addresses and folders of this machine.
        s3: Moto's server; it can refuse (``refuse``, ``refuse_for``).
        folder: Logs, and a folder for each volume.
        settings: Environment variables that every process has besides; they win over compose.yaml.
    """

    def __init__(self, folder: Path, settings: dict[str, str]):
        self.folder, self.settings = folder, settings
        self.programs = find_programs()
        secrets_file = folder / ".env"
        subprocess.run(
            ["make", "-s", "-C", str(ROOT / "infra"), "init", f"ENV_FILE={secrets_file}"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.secrets = {name: value or "" for name, value in dotenv_values(secrets_file).items()}
        self.compose = Compose(self.secrets, folder)
        self.environment = self.compose.environment("worker")
        self.s3 = Server(port=self.compose.ports["s3"])
        self._mark = secrets.token_hex(8)
        self.cluster = Path(tempfile.mkdtemp(prefix="lethe-postgresql-"))
        self._processes: dict[str, Process] = {}
        self._s3_runs = False
        self._sweeper = Sweeper(f"LETHE_TEST_STACK={self._mark}")

    @property
    def prefect_url(self):
        return self.environment["PREFECT_API_URL"]

    @property
    def mlflow_url(self):
        return self.environment["MLFLOW_TRACKING_URI"]

    @property
    def ledger_url(self):
        return self.environment["LETHE_DATABASE_URL"]

    def open(self):
        """Start everything, in the order of compose.yaml's conditions; Prefect and MLflow at once."""
        self.start("s3")
        self.run("buckets")
        as_user = self._set_up_postgresql()
        command = [*as_user, *self._postgresql_command()]
        environment = self.process_environment("postgres")
        # What asks PostgreSQL to end without waiting for its clients is SIGINT, in its image as well.
        self._processes["postgres"] = self._process(
            "postgres", command, environment, at=self.cluster, asked=signal.SIGINT
        )
        self.start("postgres")
        self._make_databases()
        for name in ("prefect", "mlflow"):
            self.compose.make_places(name)
            environment = self.process_environment(name)
            self._processes[name] = self._process(name, self.compose.command(name), environment)
            self._processes[name].start()
        for name in ("prefect", "mlflow"):
            self._wait(name)

    def close(self):
        """End everything, and leave no process and no folder behind."""
        for process in reversed(self._processes.values()):
            process.kill()
        self._sweeper.sweep()
        if self._s3_runs:
            self.s3.stop()
        shutil.rmtree(self.cluster)

    def process_environment(self, service="worker", **extra):
        """Return the whole environment of a service's process: nothing of whoever runs the tests is in it."""
        plain = plain_environment(self.folder, self.programs)
        given = self.compose.environment(service)
        return {**plain, **given, **self.settings, **extra, "LETHE_TEST_STACK": self._mark}

    def healthy(self, service):
        """Run a service's health check as compose.yaml has it."""
        return self._succeeds(self.compose.health_check(service))

    def log(self, service):
        """Return what a service, or a worker by its name, has written so far."""
        path = self.folder / f"{service}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self, service, *, kill=False):
        """Stop a server: ask it to end, or kill it the hard way. Its port and its data stay."""
        if service == "s3":
            self.s3.stop()
            self._s3_runs = False
        elif kill:
            self._processes[service].kill()
        else:
            self._processes[service].stop()

    def start(self, service):
        """Start a server that does not run, on the same port with the same data; wait until it is healthy."""
        if service == "s3":
            self.s3.start()
            self._s3_runs = True
        else:
            self._processes[service].start()
            self._wait(service)

    def run(self, service, *, folder=ROOT, command=None, **extra):
        """Run a one-shot job of compose.yaml to its end, in a folder as its working directory.

        Returns:
            What it printed. It must succeed.
        """
        self.compose.make_places(service)
        done = subprocess.run(
            command or self.compose.command(service),
            env=self.process_environment(service, **extra),
            cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{service} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def deploy(self, folder=ROOT):
        """Run the jobs ``tables`` and ``deploy``, the latter in a folder that has ``infra/prefect.yaml``."""
        self.run("tables")
        return self.run("deploy", folder=folder)

    @contextlib.contextmanager
    def worker(self, name, *, service="worker", **extra):
        """Start a worker, wait until it polls, and kill it with its runs at the end.

        Args:
            name: The worker's name, different from that of any other; its log is ``log("worker-NAME")``.
            service: ``worker``, or ``purger``.
            extra: More environment variables.

        Yields:
            Its ``Process``: ``stop()``, ``kill()`` and ``family()`` include the runs that it started.
        """
        (port,) = free_ports(1)
        self.compose.make_places(service)
        environment = {**self.process_environment(), **self.compose.environment(service, worker=port)}
        environment |= {**self.settings, **extra}
        command = [*self.compose.command(service), "--name", name]
        process = self._process(f"worker-{name}", command, environment)
        process.start()
        check = self.compose.health_check(service, worker=port)
        try:
            wait_for(lambda: self._succeeds(check), process, within_s=START_S, what=f"worker {name}")
            yield process
        finally:
            process.kill()

    def _set_up_postgresql(self):
        given = self.compose.environment("postgres")
        words = given["POSTGRES_INITDB_ARGS"].split()
        return initialise(
            self.programs, self.cluster, given["POSTGRES_USER"], given["POSTGRES_PASSWORD"], *words
        )

    def _postgresql_command(self):
        """Return compose.yaml's command, with what its image sets up in a container."""
        here = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        settings = [word for name, value in here.items() for word in ("-c", f"{name}={value}")]
        at = ["-D", str(self.cluster / "data"), "-p", str(self.compose.ports["postgres"])]
        return [*self.compose.command("postgres"), *at, *settings]

    def _make_databases(self):
        """Run the script that compose.yaml gives to the image, with its entry point's options."""
        script = self.compose.place("postgres", "/docker-entrypoint-initdb.d/databases.sql")
        connection = {"PGHOST": "127.0.0.1", "PGPORT": str(self.compose.ports["postgres"])}
        connection["PGPASSWORD"] = self.secrets["POSTGRES_PASSWORD"]
        options = ["-v", "ON_ERROR_STOP=1", "--username", "postgres", "--no-password", "--no-psqlrc"]
        command = ["psql", *options, "--dbname", "postgres", "-f", str(script)]
        self.run("postgres", command=command, **connection)

    def _process(self, name, command, environment, **options):
        return Process(name, command, environment, self.folder, mark=self._mark, **options)

    def _wait(self, service):
        process = self._processes[service]
        wait_for(lambda: self.healthy(service), process, within_s=START_S, what=service)

    def _succeeds(self, command):
        environment = plain_environment(self.folder, self.programs)
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        return done.returncode == 0
