"""A copy in any store makes the proof of a purge fail and is named; copies elsewhere are not spoken of."""

import json
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from erased import PERSON, person_forgotten, rows_of
from world import NOISE, lethe

from tasks.checkout.checkout import Checkout
from tasks.traces.stores import stores_of

pytestmark = [*NOISE, pytest.mark.long]


@pytest.fixture(scope="module")
def purged(own_folders, tmp_path_factory):
    """A purged project, and an image that the person had in it."""
    folder = tmp_path_factory.mktemp("purged")
    root = person_forgotten(folder / "project")
    image = rows_of(root, PERSON)["file"][0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(folder / "prefect"))
        patch.setattr("tempfile.tempdir", str(folder))
        code, out, err = lethe(root, "purge", "r-1")
        assert code == 0, out + err
    return root, image


@dataclass(frozen=True)
class World:
    """A purged project, and all stores that it may have, in a folder of the test's own.

    Attributes:
        folder: The folder.
        image: An image that was purged.
        s3: The server of the buckets.
        evidence: The bucket of evidence, which keeps versions.
        data: The bucket of data and models, which keeps versions.
    """

    folder: Path
    image: bytes
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
    root, image = purged
    subprocess.run(["cp", "-a", str(root), str(tmp_path / "project")], check=True)
    made = World(tmp_path, image, s3, bucket, f"{bucket}-data")
    s3.client.create_bucket(Bucket=made.data)
    for one in (made.evidence, made.data):
        s3.client.put_bucket_versioning(Bucket=one, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("LETHE_S3_BUCKET", made.evidence)
    monkeypatch.setenv("LETHE_WORK", str(tmp_path / "work"))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("LETHE_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "lethe-replay-1").mkdir()
    settings = f"[core]\n    remote = shelf\n['remote \"shelf\"']\n    url = {tmp_path / 'shelf'}\n"
    (made.root / ".dvc" / "config.local").write_text(settings)
    return made


def a_file(place):
    """Hide an image in a file."""

    def hide(world):
        path = world.folder / place
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
    "prefect": a_file("prefect/storage/copy"),
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
    # The others are empty of it; the control record is in the project's own folder.
    few = [store for store in world.stores() if store.name in {name, "project"}]
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
