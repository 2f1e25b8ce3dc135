"""Persons and a class are forgotten and purged one after another, and no service keeps anything of them.

The search here knows nothing of Lethe's stores: it reads every file, the services' own included, every
version of every object in every bucket, and every row of every database. One person by default;
``TEST_PURGES=4`` asks for three persons and a class. Run it alone: ``pytest -m "services and slow" FILE``.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest
from company import POLICY
from erased import contents, rows_of
from forks import Forks
from sqlalchemy import MetaData, create_engine, select
from world import commit, make_checkout

# By itself: on services that other tests have used, the same data lies for other models.
pytestmark = [pytest.mark.services, pytest.mark.slow]

ALL = {
    "r-1": ("--subject", "subject-0003"),
    "r-2": ("--subject", "subject-0011"),
    "r-3": ("--class", "5"),
    "r-4": ("--subject", "subject-0020"),
}
REQUESTS = dict(islice(ALL.items(), int(os.environ.get("TEST_PURGES", "1"))))
GONE = tuple(name for option, name in REQUESTS.values() if option == "--subject")
CONTROL = "subject-0007"
PUSH = """
from pathlib import Path
from tasks.checkout.checkout import Checkout
from tasks.storage.remote import configure_remote, push_data
checkout = Checkout.find(Path.cwd())
configure_remote(checkout)
push_data(checkout)
"""


@dataclass
class World:
    """A project on the services, and what its persons had in it.

    Attributes:
        stack: The services.
        root: The project.
        folder: What it and the commands' own folders lie in.
        rows: The forms of each person's rows.
        commands: ``lethe``, with the environment of the services.
    """

    stack: object
    root: Path
    folder: Path
    rows: dict = field(default_factory=dict)
    commands: Forks = None

    def lethe(self, *arguments):
        code, log = self.commands.lethe(self.root, *arguments)
        assert code == 0, log
        return log

    def buckets(self, into):
        """Write every version of every object into files; return their folder."""
        client = self.stack.s3.client
        for bucket in client.list_buckets()["Buckets"]:
            pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket["Name"])
            versions = [one for page in pages for one in page.get("Versions", ())]
            for number, one in enumerate(versions):
                path = into / bucket["Name"] / f"{number}-{one['Key'].rpartition('/')[2]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                at = {"Bucket": bucket["Name"], "Key": one["Key"], "VersionId": one["VersionId"]}
                path.write_bytes(client.get_object(**at)["Body"].read())
        return into

    def databases(self, into):
        """Write every row of every table of every database into files; return their folder."""
        port = self.stack.compose.ports["postgres"]
        password = self.stack.secrets["POSTGRES_PASSWORD"]
        for name in ("prefect", "mlflow", "lethe"):
            engine = create_engine(f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/{name}")
            tables = MetaData()
            with engine.connect() as connection:
                tables.reflect(connection)
                for table in tables.tables.values():
                    path = into / name / table.name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    rows = connection.execute(select(table)).all()
                    path.write_bytes(b"\n".join(_raw(value) for row in rows for value in row))
            engine.dispose()
        return into


def _raw(value):
    return value if isinstance(value, bytes) else str(value).encode()


def search(world, into):
    """Return, for each name, where any form of its rows lies."""
    places = {name: set() for name in world.rows}
    outside = [world.buckets(into / "buckets"), world.databases(into / "databases")]
    # PostgreSQL's files too: what was deleted from a table stays on its pages.
    for path, content in contents(world.folder, world.stack.folder, world.stack.cluster, *outside):
        for name, rows in world.rows.items():
            for kind, needles in rows.items():
                if any(needle in content for needle in needles):
                    places[name].add((kind, str(path)))
    return places


@pytest.fixture(scope="module")
def world(stack, deployed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("purged")
    made = World(stack, folder / "project", folder)
    (folder / "temporary").mkdir()
    data = stack.environment["LETHE_S3_DATA_BUCKET"]
    stack.s3.client.put_bucket_versioning(Bucket=data, VersioningConfiguration={"Status": "Enabled"})
    policy = {**POLICY, "when_inconclusive": "accept_with_note"}
    policy["ladder"] = {
        name: ["svd" if name == "classes" else "finetune", "retrain"] for name in policy["ladder"]
    }
    make_checkout(made.root, policy=policy, registry={"model": "purged"})
    own = {"LETHE_PROJECTS": "", "LETHE_WORK": "", "PREFECT_HOME": str(folder / "prefect")}
    own |= {"TMPDIR": str(folder / "temporary")}
    environment = stack.process_environment(**own)
    # What was typed is in the commands' output, which is the terminal's.
    made.commands = Forks(tmp_path_factory.mktemp("terminal"), environment)
    try:
        made.lethe("train")
        made.rows = {name: rows_of(made.root, name) for name in (*GONE, CONTROL)}
        for request_id, scope in REQUESTS.items():
            made.lethe("delete", request_id, *scope)
            made.lethe("next")
            commit(made.root, f"Delete {request_id}")
            subprocess.run([sys.executable, "-c", PUSH], cwd=made.root, env=environment, check=True)
        yield made
    finally:
        made.commands.close()


def test_nothing_of_what_was_purged_is_left_anywhere(world, tmp_path):
    before = search(world, tmp_path / "before")
    for name in GONE:
        assert {"file", "id", "subject"} <= {kind for kind, _ in before[name]}
        assert any("/buckets/" in place for _, place in before[name])
    for request_id in REQUESTS:
        world.lethe("purge", request_id)
        commit(world.root, f"Purge {request_id}")
    for request_id in REQUESTS:
        world.lethe("purge", request_id, "--prove")
    after = search(world, tmp_path / "after")
    assert {name: after[name] for name in GONE} == {name: set() for name in GONE}
    assert {"file", "id", "subject"} <= {kind for kind, _ in after[CONTROL]}
    assert any("/buckets/" in place for _, place in after[CONTROL])
