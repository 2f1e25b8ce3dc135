"""From a wheel alone to certificates: a project in an empty folder, with files of the user's own beside it.

The wheel is built from this repository and installed into an environment that sees the libraries of this one.
Each of these must turn red: a file that a wheel lacks; a module of the user's that is run in Lethe's place; a
moved project that reads or writes where it was.
"""

import json
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from world import PACKAGES, ROOT, files_of

from tasks.checkout.files import read_record
from tasks.checkout.software import installed
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.records.project import Software

pytestmark = pytest.mark.slow

NOT_LETHES = "raise ImportError('this is not Lethe')\n"


def test_a_wheel_holds_every_file_of_every_package_and_nothing_else(environment):
    with zipfile.ZipFile(environment.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    there = {str(path.relative_to(ROOT)) for path in files if path.is_file()}
    assert held == {name for name in there if "__pycache__" not in name}


def test_it_is_the_same_code_as_here(environment, tmp_path):
    environment.run(tmp_path, "lethe", "init", "p")
    assert read_record(tmp_path / "p" / "lethe.json", Software) == installed()


@dataclass(frozen=True)
class Told:
    """A project in which the demonstration was served, and that was then moved and served another request.

    Attributes:
        made: What lay in it at first, by path.
        first: What the demonstration said, and ``verified`` what ``lethe-verify`` said of it.
        status: What ``dvc status`` said, and ``repro`` what ``dvc repro`` said.
        before: Where it was, and ``after`` where it was moved to.
        second: What the second deletion said.
        moved_status: What ``dvc status`` said after that.
    """

    made: set
    first: dict
    verified: str
    status: str
    repro: str
    before: Path
    after: Path
    second: dict
    moved_status: str


@pytest.fixture(scope="module")
def told(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("somewhere")
    p, q = folder / "p", folder / "q"
    run = environment.run
    run(folder, "lethe", "init", "p")
    made = {str(Path(path).relative_to(p)) for path in files_of(p) if "/.git/" not in path}
    (p / "flows").mkdir()
    for name in ("tasks.py", "flows/__init__.py", "unlearn_core.py", "prefect.py"):
        (p / name).write_text(NOT_LETHES)
    run(p, "git", "add", "--all")
    run(p, "git", "commit", "--quiet", "--message", "Start")
    first = json.loads(run(p, "lethe", "demo", "--json"))
    verified = run(p, "lethe-verify", first["certificate"], "--model", "models/unlearned/model.safetensors")
    status, repro = run(p, "dvc", "status"), run(p, "dvc", "repro")
    p.rename(q)
    run(q, "lethe", "next")
    second = json.loads(run(q, "lethe", "delete", "r-2", "--class", "8", "--json"))
    return Told(made, first, verified, status, repro, p, q, second, run(q, "dvc", "status"))


def test_nothing_of_lethes_source_is_in_a_project(told):
    assert not {path for path in told.made if path.endswith(".py")}
    assert len(told.made) == 10


def test_the_demonstration_ends_in_a_certificate_that_verifies_and_names_the_lethe_that_it_came_of(told):
    assert told.first["registered_version"] == 1
    assert "verified" in told.verified.lower()
    payload = decode_envelope((told.after / told.first["certificate"]).read_bytes()).payload
    provenance = read_statement(payload).predicate.provenance
    pinned = read_record(told.after / "lethe.json", Software)
    assert (provenance.versions["lethe-unlearning"], provenance.code) == (pinned.version, pinned.code)


def test_both_drivers_agree_that_nothing_is_left_to_do(told):
    assert "up to date" in told.status
    assert "Running stage" not in told.repro


def test_a_moved_project_goes_on_where_it_is(told):
    assert told.second["registered_version"] == 2
    assert told.second["outcome"]["parent"] == told.first["model"]
    assert "up to date" in told.moved_status
    lock = YAML(typ="safe", pure=True).load((told.after / "dvc.lock").read_text())["stages"]
    assert {dep["path"] for dep in lock["split"]["deps"]} >= {"requests/r-2.json"}


def test_it_never_looks_back(told):
    assert not told.before.exists()
    with closing(sqlite3.connect(told.after / "mlruns/mlflow.db")) as store:
        lines = list(store.iterdump())
    assert [line for line in lines if f"{told.before}/" in line] == []
    versions = [line for line in lines if line.startswith('INSERT INTO "model_versions" ')]
    assert len(versions) == 2
    assert all(f"{told.after}/mlruns/artifacts/" in line for line in versions)
    # DVC keeps notes on files by the folder of their project: nobody reads those of the old one again.
    aside = ("/.git/", "/.lethe/dvc/")
    kept = {path: raw for path, raw in files_of(told.after).items() if not any(one in path for one in aside)}
    assert [path for path, raw in kept.items() if f"{told.before}/".encode() in raw] == []
