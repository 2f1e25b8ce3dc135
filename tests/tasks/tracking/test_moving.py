"""A local store of MLflow's that was moved or copied works where it is, and never where it was.

Each of these must turn red: an address that is not put right; one that never was the store's own, and is; a
copy that writes into its original, or loads a model from it.
"""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from world import ARCHITECTURE, files_of

from tasks.computing.checkpoints import CARD, WEIGHTS, save_checkpoint
from tasks.tracking.moving import PLACES, settle
from tasks.tracking.registry import promote, register_model
from tasks.tracking.runs import deletion_run, log_documents, open_tracking
from unlearn_core.errors import SetupError
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import CheckpointCard, Recipe
from unlearn_core.records.base import sha256
from unlearn_core.records.data import Normalisation

KEY = sha256(b"deletion")
ELSEWHERE = "s3://bucket/mlruns/artifacts"


@dataclass(frozen=True)
class Store:
    """A folder with a store, in which one run has a document and a registered model."""

    root: Path

    def open(self):
        return open_tracking(self.root, "digits")

    def log(self, document: Path):
        log_documents(deletion_run(self.open(), request_id="demo", key=KEY), document)

    def predict(self):
        import mlflow

        self.open()
        images = np.zeros((1, *ARCHITECTURE.input_shape), dtype=np.float32)
        return mlflow.pyfunc.load_model("models:/digits@champion").predict(images)

    def rows(self, query):
        with closing(sqlite3.connect(self.root / "mlruns/mlflow.db")) as database:
            return database.execute(query).fetchall()

    def says(self, text):
        """Return the lines of the whole database that hold a text."""
        with closing(sqlite3.connect(self.root / "mlruns/mlflow.db")) as database:
            return [line for line in database.iterdump() if text in line]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The store, in a folder whose name is another in a URI than in a path."""
    found = Store(tmp_path_factory.mktemp("moving") / "Ünser Modell")
    checkpoint = tmp_path_factory.mktemp("checkpoint")
    card = CheckpointCard(
        architecture=ARCHITECTURE,
        normalisation=Normalisation(mean=(0.25,), std=(0.5,)),
        weights=sha256(b"filled in"),
        data=sha256(b"data"),
        seed=0,
        threads=1,
        recipe=Recipe(),
    )
    save_checkpoint(checkpoint, build_seeded(ARCHITECTURE, 0), card)
    tracking = found.open()
    run = deletion_run(tracking, request_id="demo", key=KEY)
    made = {"weights": checkpoint / WEIGHTS, "card": checkpoint / CARD}
    promote(tracking, "digits", register_model(run, "digits", key=KEY, tags={}, **made).version)
    tracking.client.create_experiment("elsewhere", artifact_location=ELSEWHERE)
    beside = found.root / "mlruns/beside"
    tracking.client.create_experiment("beside", artifact_location=str(beside))
    return found


@pytest.fixture
def copy(original, tmp_path):
    return Store(shutil.copytree(original.root, tmp_path / "copy of it"))


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document.txt"
    path.write_text("new")
    return path


def test_the_store_holds_addresses_of_itself(original):
    assert len(original.says(original.root.as_uri())) >= 4
    assert len(original.says(str(original.root))) == 1


def test_a_copy_names_its_own_place_alone(original, copy):
    before = len(original.says(original.root.as_uri()))
    copy.open()
    assert copy.says(original.root.as_uri()) == copy.says(str(original.root)) == []
    assert len(copy.says(copy.root.as_uri())) == before
    assert len(copy.says(str(copy.root))) == 1


def test_what_never_was_the_stores_own_stays(copy):
    copy.open()
    query = "SELECT artifact_location FROM experiments WHERE name = 'elsewhere'"
    assert copy.rows(query) == [(ELSEWHERE,)]


def test_a_copy_writes_into_itself_and_its_original_stays_byte_for_byte(original, copy, document):
    original.open()
    before = files_of(original.root)
    copy.log(document)
    assert files_of(original.root) == before
    assert len(list(copy.root.rglob("document.txt"))) == 1


def test_each_of_two_copies_writes_into_itself_also_by_turns_in_one_process(copy, document, tmp_path):
    other = Store(shutil.copytree(copy.root, tmp_path / "other"))
    for store in (copy, other, copy):
        document.write_text(store.root.name)
        store.log(document)
    found = {path.read_text() for store in (copy, other) for path in store.root.rglob("document.txt")}
    assert found == {"copy of it", "other"}
    assert next(copy.root.rglob("document.txt")).read_text() == "copy of it"


def test_a_moved_store_loads_its_models_from_where_it_is(copy, original, tmp_path):
    expected = original.predict()
    copy.open()
    moved = Store(copy.root.rename(tmp_path / "moved"))
    assert np.array_equal(moved.predict(), expected)
    assert not copy.root.exists()


def test_a_store_that_was_not_moved_is_not_written(original):
    original.open()
    with closing(sqlite3.connect(original.root / "mlruns/mlflow.db")) as database:
        database.execute("BEGIN EXCLUSIVE")
        database.rollback()
        before = database.execute("PRAGMA data_version").fetchone()
        settle(original.root / "mlruns")
        assert database.execute("PRAGMA data_version").fetchone() == before


def test_a_moved_store_that_cannot_be_written_is_refused(copy, monkeypatch):
    monkeypatch.setattr("tasks.tracking.moving.LOCK_WAIT_S", 0.1)
    with closing(sqlite3.connect(copy.root / "mlruns/mlflow.db")) as database:
        database.execute("BEGIN IMMEDIATE")
        with pytest.raises(SetupError, match=r"names the folder that it was in.*locked"):
            settle(copy.root / "mlruns")


@pytest.mark.parametrize("content", [None, b""])
def test_where_there_is_no_store_yet_nothing_is_done(tmp_path, content):
    if content is not None:
        (tmp_path / "mlflow.db").write_bytes(content)
    settle(tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if content is None else [content])


def test_every_place_is_a_column_of_mlflows(original):
    for table, column in PLACES:
        assert original.rows(f"SELECT {column} FROM {table}")
