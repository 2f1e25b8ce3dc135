"""The roles of the ledger's database, as infra/postgresql makes them, on a real server.

Each of these must turn red: a worker that may alter a table, switch off a trigger, or change what was asked
for; one that may not claim, serve or record a run; tables that the worker's role can migrate; a ledger from
before that stays the workers' own.
"""

import os
import subprocess
from dataclasses import dataclass

import psycopg
import pytest
from postgresql import find_programs, serve
from sqlalchemy import URL
from world import ROOT

from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.database import open_engine
from tasks.requests.ledger.granting import grant_worker
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.runs import record_run
from tasks.requests.ledger.schema import bring_up_to_date
from unlearn_core.errors import SetupError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

pytestmark = pytest.mark.services

PASSWORDS = ("PREFECT_DATABASE_PASSWORD", "MLFLOW_DATABASE_PASSWORD", "LETHE_DATABASE_PASSWORD",
             "LETHE_OWNER_DATABASE_PASSWORD")  # fmt: skip
REFUSED = [
    "DROP TRIGGER events_are_never_changed ON deletion_events",
    "ALTER TABLE deletion_events DISABLE TRIGGER ALL",
    "ALTER TABLE deletion_requests ADD COLUMN x int",
    "ALTER TABLE deletion_events DROP COLUMN digest",
    "DROP TABLE deletion_events",
    "DELETE FROM deletion_events",
    "DELETE FROM deletion_requests",
    "TRUNCATE deletion_events",
    "TRUNCATE deletion_requests CASCADE",
    "UPDATE deletion_events SET actor = 'nobody'",
    "UPDATE deletion_requests SET due = '2036-01-01'",
    "UPDATE deletion_requests SET request = '{}'",
    "UPDATE lethe_ledger_version SET version_num = '9999'",
    "CREATE OR REPLACE FUNCTION refuse_to_change_an_event() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NULL; END $$",
    "CREATE TABLE mine (x int)",
    "SET session_replication_role = replica",
    "GRANT lethe_owner TO lethe",
]


@dataclass
class Roles:
    """A server on which infra/postgresql has made its roles."""

    server: URL

    def url(self, role):
        return self.server.set(username=role, password=f"secret-{role}", database="lethe")

    def connect(self, role):
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, user=role, dbname="lethe", password=f"secret-{role}"
        )

    def ledger(self, role):
        return Ledger(open_engine(self.url(role)))

    def run(self, script, database):
        """Run a script of infra/postgresql as the image does, as the superuser."""
        roles = ("prefect", "mlflow", "lethe", "lethe_owner")
        given = {name: f"secret-{role}" for name, role in zip(PASSWORDS, roles, strict=True)}
        given |= {"PGPASSWORD": self.server.password, "PGHOST": "127.0.0.1", "PGPORT": str(self.server.port)}
        command = ["psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--username", self.server.username]
        done = subprocess.run(
            [*command, "--dbname", database, "-f", str(ROOT / "infra/postgresql" / script)],
            env={**os.environ, **given}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def execute(self, database, *statements):
        """Execute statements as the superuser."""
        with psycopg.connect(
            host="127.0.0.1", port=self.server.port, user=self.server.username, dbname=database,
            password=self.server.password, autocommit=True,
        ) as connection:  # fmt: skip
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="module")
def programs():
    return find_programs() or pytest.skip("no PostgreSQL server here; on Debian: apt-get install postgresql")


@pytest.fixture(scope="module")
def server(programs):
    """A server with roles and databases, and no tables yet. Its first user is not called as any role."""
    with serve(programs, user="postgres") as url:
        made = Roles(url)
        made.run("databases.sql", "postgres")
        yield made


@pytest.fixture(scope="module")
def roles(server):
    """The same, with the ledger's tables made by their owner, and the workers' role granted."""
    engine = open_engine(server.url("lethe_owner"))
    bring_up_to_date(engine)
    grant_worker(engine, "lethe")
    return server


def draft(request_id):
    return Draft(DeletionRequest(id=request_id, scope=ClassScope(classes=("3",))), "digits")


def serve_one(ledger, request_id):
    """Do all that a worker and the command line do with a request."""
    (entry,) = ledger.submit([draft(request_id)], actor="clerk")
    assert [one.id for one in ledger.claim("w")] == [request_id]
    ledger.heartbeat(request_id, "w")
    asked = [entry.submission.request]
    record_run(ledger, asked, actor="w", policy="sha256:" + "1" * 64)
    record_run(ledger, asked, actor="w", policy="sha256:" + "1" * 64, result="accepted")
    assert ledger.complete(request_id, "w", reason="svd").state == "completed"
    return ledger.verify()


def test_a_worker_claims_serves_and_verifies(roles):
    assert serve_one(roles.ledger("lethe"), "r-1") == roles.ledger("lethe_owner").head()


def test_a_worker_changes_nothing_else(roles):
    serve_one(roles.ledger("lethe"), "r-2")
    head = roles.ledger("lethe").verify()
    passed = []
    for statement in REFUSED:
        with roles.connect("lethe") as connection:
            try:
                connection.execute(statement)
                passed.append(statement)
            except psycopg.errors.InsufficientPrivilege:
                pass
            connection.rollback()
    assert passed == []
    assert roles.ledger("lethe").verify() == head


def test_a_worker_does_not_migrate(roles):
    roles.execute("lethe", "UPDATE lethe_ledger_version SET version_num = '0003'")
    try:
        with pytest.raises(SetupError, match=r"cannot be used: .*(must be owner|permission denied)"):
            bring_up_to_date(open_engine(roles.url("lethe")))
    finally:
        roles.execute("lethe", "UPDATE lethe_ledger_version SET version_num = '0004'")


@pytest.mark.parametrize(
    ("role", "said"), [("lethe_owner", "can act as the owner"), ("postgres", "can act as the owner"),
                       ("nobody", "there is no role 'nobody'"), ('x"; DROP TABLE y; --', "there is no role")],
)  # fmt: skip
def test_only_a_role_of_its_own_is_granted_the_workers_part(roles, role, said):
    with pytest.raises(SetupError, match=said):
        grant_worker(open_engine(roles.url("lethe_owner")), role)


def test_a_ledger_that_the_workers_owned_gets_an_owner_and_keeps_its_history(roles):
    roles.execute("postgres", "CREATE DATABASE old OWNER lethe")
    url = roles.url("lethe").set(database="old")
    bring_up_to_date(open_engine(url))
    head = serve_one(Ledger(open_engine(url)), "r-1")
    for _ in range(2):
        roles.run("owner.sql", "old")
        grant_worker(open_engine(roles.url("lethe_owner").set(database="old")), "lethe")
    assert Ledger(open_engine(url)).verify(head) == head
    serve_one(Ledger(open_engine(url)), "r-2")
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(address) as worker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        worker.execute("DROP TRIGGER events_are_never_changed ON deletion_events")
