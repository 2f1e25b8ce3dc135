"""A purge: an independent search finds the rows before it, and none after it; then the project goes on."""

import base64
import json
import os
import sqlite3
import subprocess
import zlib
from itertools import chain

import numpy as np
import pyarrow.parquet as pq
import pytest
from sequence import LENIENT, of_class, serve
from templates import run_stages
from world import NOISE, commit, lethe, make_checkout

from flows.cli.lethe_verify import main as verify_main
from flows.stages.pipeline import PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_manifest
from tasks.lifecycle.releases import continue_from_champion
from tasks.requests.request_file import make_scope
from unlearn_core.data import open_image

pytestmark = [*NOISE, pytest.mark.long]

PERSON, CONTROL = "subject-0003", "subject-0007"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Nothing of this machine's own is searched."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def project(own_folders, tmp_path_factory):
    """A person is forgotten, and the project goes on from the model that forgot them."""
    root = make_checkout(tmp_path_factory.mktemp("purge") / "project", policy=LENIENT)
    run_stages(root, PREPARATION)
    rows = {name: rows_of(root, name) for name in (PERSON, CONTROL)}
    serve(root, "r-1", make_scope(classes=(), samples=(), subjects=(PERSON,)))
    continue_from_champion(Checkout(root))
    commit(root, "Delete r-1")
    return root, rows


@pytest.fixture
def copy(project, tmp_path):
    """The project once more, with all that lies in it."""
    root, rows = project
    subprocess.run(["cp", "-a", str(root), str(tmp_path / "project")], check=True)
    return tmp_path / "project", rows


def rows_of(root, person):
    """Return every form in which a person's rows may lie somewhere, by what it is."""
    checkout = Checkout(root)
    manifest = read_manifest(checkout.dataset)
    mine = manifest.subject_ids == person
    images = list(each_image(checkout.dataset, mine))
    pixels = [np.asarray(open_image(image)) for image in images]
    return {
        "file": images,
        "base64": [base64.b64encode(image)[:-4] for image in images],
        "uint8": [one.tobytes() for one in pixels],
        "float32": [(one.astype(np.float32) / np.float32(255)).tobytes() for one in pixels],
        "id": [str(one).encode() for one in manifest.sample_ids[mine]],
        "subject": [person.encode()],
    }


def contents(*roots):
    """Yield every file below some folders, and what is inside of Parquet, SQLite and git's objects."""
    for path in chain.from_iterable(root.rglob("*") for root in roots):
        if not path.is_file() or path.is_symlink():
            continue
        raw = path.read_bytes()
        yield path, raw
        if raw[:4] == b"PAR1":
            for column in pq.read_table(path).columns:
                for value in column.to_pylist():
                    yield path, value if isinstance(value, bytes) else str(value).encode()
        elif raw[:6] == b"SQLite":
            with sqlite3.connect(path) as database:
                yield path, "\n".join(database.iterdump()).encode()
            database.close()
        elif "objects" in path.parts and ".git" in path.parts and len(path.name) == 38:
            yield path, zlib.decompress(raw)


def found(rows, *roots):
    """Return where any form of some rows lies, by what it is."""
    places = {kind: set() for kind in rows}
    for path, content in contents(*roots):
        for kind, needles in rows.items():
            if any(needle in content for needle in needles):
                places[kind].add(path.relative_to(roots[0]).as_posix())
    return places


def purge(root, *arguments):
    code, out, err = lethe(root, "purge", "r-1", *arguments, "--json")
    assert code == 0, out + err
    return json.loads(out)


def test_an_independent_search_finds_the_rows_before_and_none_after(copy):
    root, rows = copy
    before = found(rows[PERSON], root)
    assert {"file", "id", "uint8", "subject"} <= {kind for kind, places in before.items() if places}
    assert any(place.startswith(".dvc/cache") for place in before["file"])
    purge(root)
    assert found(rows[PERSON], root) == {kind: set() for kind in rows[PERSON]}
    after = found(rows[CONTROL], root)
    assert after["file"]
    assert after["subject"]


def test_a_proof_is_signed_and_verified_and_what_was_looked_for_is_gone(copy, capsys):
    root, _ = copy
    assert lethe(root, "purge", "r-1", "--prove")[0] == 2
    purge(root)
    inventory = purge(root, "--prove")
    assert inventory["complete"]
    assert {one["why"] for one in inventory["remains"]} == {
        "a record of the request: pseudonyms, which say nothing without the key"
    }
    assert sum(store["control"] for store in inventory["stores"]) >= 2
    assert not Checkout(root).purge_plan("r-1").exists()
    path = Checkout(root).inventory("r-1")
    assert verify_main([str(path)]) == 0
    told = capsys.readouterr().out
    assert "nothing of it is left" in told
    altered = path.read_bytes().replace(b"A", b"B", 1)
    path.write_bytes(altered)
    assert verify_main([str(path)]) == 6


def test_a_copy_that_comes_back_makes_the_proof_fail_and_the_next_purge_removes_it(copy):
    root, rows = copy
    purge(root)
    hidden = root / "mlruns" / "artifacts" / "hidden"
    hidden.write_bytes(b"before" + rows[PERSON]["file"][0])
    code, out, err = lethe(root, "purge", "r-1", "--prove")
    assert code == 6
    assert "mlruns: artifacts/hidden" in out + err
    assert not Checkout(root).inventory("r-1").exists()
    purge(root)
    assert not hidden.exists()
    assert purge(root, "--prove")["complete"]


def test_a_dry_run_changes_nothing(copy):
    root, rows = copy
    before = found(rows[PERSON], root)
    plan = purge(root, "--dry-run")
    assert plan["rows"] == len(rows[PERSON]["id"])
    assert found(rows[PERSON], root) == before
    assert not Checkout(root).purge_plan("r-1").exists()


def test_another_request_is_served_after_a_purge(copy):
    root, rows = copy
    purge(root)
    serve(root, "r-2", of_class("5"))
    continue_from_champion(Checkout(root))
    commit(root, "Delete r-2")
    code, out, err = lethe(root, "purge", "r-2", "--json")
    assert code == 0, out + err
    assert purge(root, "--prove")["complete"]
    assert found(rows[PERSON], root) == {kind: set() for kind in rows[PERSON]}
    assert os.path.isfile(Checkout(root).certificate("r-2"))
