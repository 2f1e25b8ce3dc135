"""A copy in any store makes the proof of a purge fail and is named; copies elsewhere are not spoken of."""

import json
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from erased import PERSON, person_forgotten, rows_of
from world import NOISE, lethe

from flows.cli.lethe_verify import main as verify_main
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.keys.folder import load_pseudonym_key
from tasks.traces.folders import FilesBelow
from tasks.traces.places import elsewhere_now, joined, places_of, refuse_elsewhere
from tasks.traces.stores import stores_of
from unlearn_core.errors import SetupError
from unlearn_core.records.purge import PurgePlan

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def purged(own_folders, tmp_path_factory):
    """A purged project, and an image that the person had in it."""
    folder = tmp_path_factory.mktemp("purged")
    root, prefect = person_forgotten(folder / "project"), folder / "prefect"
    image = rows_of(root, PERSON)["file"][0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(prefect))
        patch.setattr("tempfile.tempdir", str(folder))
        code, out, err = lethe(root, "purge", "r-1")
        assert code == 0, out + err
    return root, image, prefect


@dataclass(frozen=True)
class World:
    """A purged project, and all stores that it may have, in a folder of the test's own.

    Attributes:
        folder: The folder.
        image: An image that was purged.
        prefect: Prefect's folder, which it was purged with.
        s3: The server of the buckets.
        evidence: The bucket of evidence, which keeps versions.
        data: The bucket of data and models, which keeps versions.
    """

    folder: Path
    image: bytes
    prefect: Path
    s3: Any
    evidence: str
    data: str

    @property
    def root(self):
        return self.folder / "project"

    def stores(self):
        return stores_of(Checkout(self.root))


@pytest.fixture
def world(purged, s3, bucket, monkeypatch, tmp_path):
    root, image, prefect = purged
    subprocess.run(["cp", "-a", str(root), str(tmp_path / "project")], check=True)
    made = World(tmp_path, image, prefect, s3, bucket, f"{bucket}-data")
    s3.client.create_bucket(Bucket=made.data)
    for one in (made.evidence, made.data):
        s3.client.put_bucket_versioning(Bucket=one, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("LETHE_S3_BUCKET", made.evidence)
    monkeypatch.setenv("LETHE_WORK", str(tmp_path / "work"))
    monkeypatch.setenv("PREFECT_HOME", str(prefect))
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "lethe-replay-1").mkdir()
    settings = f"[core]\n    remote = shelf\n['remote \"shelf\"']\n    url = {tmp_path / 'shelf'}\n"
    (made.root / ".dvc" / "config.local").write_text(settings)
    yield made
    shutil.rmtree(prefect / "storage", ignore_errors=True)


def a_file(place):
    """Hide an image in a file below the world's folder, or in Prefect's."""

    def hide(world):
        path = world.prefect / "storage/copy" if place is None else world.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"before it" + world.image)

    return hide


def an_object(which):
    """Hide an image in a version of an object that was deleted."""

    def hide(world):
        bucket = getattr(world, which)
        world.s3.client.put_object(Bucket=bucket, Key="audit/a/b", Body=world.image)
        world.s3.client.delete_object(Bucket=bucket, Key="audit/a/b")

    return hide


def a_blob(world):
    command = ["git", "-C", str(world.root), "hash-object", "-w", "--stdin"]
    subprocess.run(command, input=world.image, capture_output=True, check=True)


def a_value(world):
    with sqlite3.connect(world.folder / "ledger.db") as ledger:
        ledger.execute("CREATE TABLE other (value BLOB)")
        ledger.execute("INSERT INTO other VALUES (?)", (world.image,))
    ledger.close()


HIDING = {
    "project": a_file("project/data/copy"),
    ".lethe": a_file("project/.lethe/copy"),
    "mlruns": a_file("project/mlruns/artifacts/copy"),
    "dvc cache": a_file("project/.dvc/cache/files/md5/00/copy"),
    "dvc remote": a_file("shelf/files/md5/00/copy"),
    "bucket": an_object("evidence"),
    "data bucket": an_object("data"),
    "prefect": a_file(None),
    "lethe-replay-1": a_file("lethe-replay-1/checkout/copy"),
    # A purge erases nothing in these; the proof says what to do.
    "git": a_blob,
    "ledger": a_value,
    "workers": a_file("work/clone/data/copy"),
}
NOT_OURS = {"git", "ledger", "workers"}


@pytest.fixture
def data_bucket(world, monkeypatch):
    """DVC's remote is the bucket of data, in place of the shelf."""
    monkeypatch.setenv("LETHE_S3_DATA_BUCKET", world.data)
    (world.root / ".dvc" / "config.local").unlink()


def test_there_is_a_hiding_place_in_every_store(world, request):
    names = {store.name for store in world.stores()}
    request.getfixturevalue("data_bucket")
    assert names | {store.name for store in world.stores()} == set(HIDING)


@pytest.mark.parametrize("name", HIDING)
def test_a_copy_makes_the_proof_fail_and_is_named(world, name, monkeypatch, request):
    if name == "data bucket":
        request.getfixturevalue("data_bucket")
    # The control record is in the project's own folder; to read the others again and again takes minutes.
    nowhere = world.folder / "nowhere"
    few = [
        store if store.name in {name, "project"} else FilesBelow(store.name, store.place, nowhere)
        for store in world.stores()
    ]
    monkeypatch.setattr("flows.prove.stores_of", lambda _: few)
    HIDING[name](world)
    code, out, err = lethe(world.root, "purge", "r-1", "--prove")
    assert code == 6, out + err
    assert "1 object(s) still hold" in err
    assert f"  {name}: " in err
    assert not Checkout(world.root).inventory("r-1").exists()


ELSEWHERE = ("home/photographs/copy", "tmp/copy", "other-project/data/copy")


def test_of_twelve_copies_nine_are_found_and_of_the_three_elsewhere_nothing_is_claimed(world):
    hidden = [name for name in HIDING if name not in {*NOT_OURS, "data bucket"}]
    for name in hidden:
        HIDING[name](world)
    a_file("project/models/copy")(world)
    assert len(hidden) + 1 == 9
    for place in ELSEWHERE:
        a_file(place)(world)
    code, out, err = lethe(world.root, "purge", "r-1", "--prove")
    assert code == 6, out + err
    assert [name for name in hidden if f"  {name}: " in err] == hidden
    assert "9 object(s) still hold" in err
    assert lethe(world.root, "purge", "r-1")[0] == 0
    code, out, err = lethe(world.root, "purge", "r-1", "--prove", "--json")
    assert code == 0, out + err
    inventory = json.loads(out)
    assert inventory["complete"]
    assert {store["name"] for store in inventory["stores"]} == {*HIDING} - {"data bucket"}
    assert [place for place in ELSEWHERE if (world.folder / place).exists()] == [*ELSEWHERE]
    assert not any(place.split("/")[0] in out for place in ELSEWHERE[::2])


def a_link(place):
    """Let a folder of the project be a link to another, which is empty."""

    def move(world, _):
        folder, elsewhere = world.root / place, world.folder / "elsewhere"
        elsewhere.mkdir()
        folder.rename(world.folder / "as-it-was")
        folder.symlink_to(elsewhere)

    return move


def a_variable(name, value):
    """Let an environment variable name another place; ``value`` is given the world."""

    def move(world, patch):
        patch.setenv(name, value(world))

    return move


def another_shelf(world, _):
    settings = world.root / ".dvc" / "config.local"
    settings.write_text(settings.read_text().replace("/shelf", "/shelf-2"))


def another_repository(world, _):
    (world.root / ".git").rename(world.folder / "repository")
    (world.root / ".git").write_text(f"gitdir: {world.folder / 'repository'}\n")


MOVES = {
    ".lethe": a_link(".lethe"),
    "mlruns": a_link("mlruns"),
    "dvc cache": a_link(".dvc/cache"),
    "dvc remote": another_shelf,
    "bucket": a_variable("LETHE_S3_BUCKET", lambda world: world.data),
    "data bucket": a_variable("LETHE_S3_DATA_BUCKET", lambda world: f"{world.data}-2"),
    "prefect": a_variable("PREFECT_HOME", lambda world: str(world.folder / "prefect-2")),
    "git": another_repository,
    "ledger": a_variable("LETHE_DATABASE_URL", lambda world: f"sqlite:///{world.folder}/ledger-2.db"),
    "workers": a_variable("LETHE_WORK", lambda world: str(world.folder / "work-2")),
    "MLflow's server": a_variable("MLFLOW_TRACKING_URI", lambda _: "http://127.0.0.1:9"),
    "Prefect's server": a_variable("PREFECT_API_URL", lambda _: "http://127.0.0.1:9/api"),
}
"""How each store becomes another, but for the project, in which the plan lies, and replays."""


def places(world):
    return places_of(world.root, world.stores(), load_pseudonym_key())


def test_each_store_can_become_another(world, request):
    names = {store.name for store in world.stores()}
    request.getfixturevalue("data_bucket")
    names |= {store.name for store in world.stores()}
    assert names - {"project", "lethe-replay-1"} | {"MLflow's server", "Prefect's server"} == set(MOVES)


@pytest.mark.parametrize("name", MOVES)
def test_a_store_that_is_another_one_now_is_named(world, name, monkeypatch, request):
    if name == "data bucket":
        request.getfixturevalue("data_bucket")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:7")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:7/api")
    before = places(world)
    plan = read_record(Checkout(world.root).purge_plan("r-1"), PurgePlan)
    planned = plan.model_copy(update={"places": joined({}, before)})
    assert elsewhere_now(planned, places(world)) == ()
    MOVES[name](world, monkeypatch)
    after = places(world)
    assert elsewhere_now(planned, after) == (name,)
    with pytest.raises(SetupError, match=f"{name}: not what it was"):
        refuse_elsewhere(planned, after)
    # What was in the place before stays unproven, whatever is planned since.
    again = planned.model_copy(update={"places": joined(planned.places, after)})
    assert elsewhere_now(again, after) == (name,)
    assert "127.0.0.1" not in json.dumps(planned.places)


def test_a_proof_in_another_store_than_the_purge_is_incomplete_and_names_it(world, monkeypatch):
    elsewhere = world.folder / "prefect-2"
    monkeypatch.setenv("PREFECT_HOME", str(elsewhere))
    code, out, err = lethe(world.root, "purge", "r-1", "--prove", "--json")
    assert code == 0, out + err
    inventory = json.loads(out)
    assert (inventory["complete"], inventory["elsewhere"]) == (False, ["prefect"])
    assert verify_main([str(Checkout(world.root).inventory("r-1"))]) == 8
    assert Checkout(world.root).purge_plan("r-1").exists()
    monkeypatch.setenv("PREFECT_HOME", str(world.prefect))
    code, out, err = lethe(world.root, "purge", "r-1", "--prove", "--json")
    assert code == 0, out + err
    assert json.loads(out)["complete"]
