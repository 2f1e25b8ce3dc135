"""A clone of Lethe's own repository runs the code that lies in it: an edit makes due what runs the file.

Each of these must turn red: an edit that makes nothing due, or too much; a list that is not of the code that
ran.
"""

import json
import os
import subprocess
import sys

import pytest
from world import NOISE, clone, make_source

from tasks.checkout.files import file_digest
from tasks.storage.versioning import is_current

pytestmark = [*NOISE, pytest.mark.long]

STAGES = ("code", "dataset", "parent", "moments", "split", "unlearn", "certify")
RUN = """
import sys
from pathlib import Path
from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout

for name in sys.argv[1:]:
    run_due(Checkout(Path.cwd()), name, {**PREPARATION, **DELETION}[name])
"""
EDITED = "tasks/evidence/certification.py"


def run_own(root, *command):
    """Run a Python in a checkout that finds Lethe there before it finds it anywhere else."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def due(root):
    return [name for name in STAGES if not is_current(root, name)]


@pytest.fixture(scope="module")
def own(own_folders, tmp_path_factory):
    """A clone in which every stage has run with the code that lies in it."""
    folder = tmp_path_factory.mktemp("own")
    root = clone(make_source(folder / "origin"), folder / "clone")
    run_own(root, "-c", RUN, *STAGES)
    return root


def test_nothing_is_due_and_nothing_is_pinned(own):
    assert due(own) == []
    assert not (own / "lethe.json").exists()


def test_compiled_code_makes_nothing_due(own):
    compiled = own / "tasks" / "__pycache__" / "checkout.cpython-311.pyc"
    compiled.parent.mkdir(exist_ok=True)
    compiled.write_bytes(b"compiled")
    assert is_current(own, "code")


def test_an_edit_makes_due_what_runs_the_file_and_nothing_else(own):
    edited = own / EDITED
    edited.write_text(edited.read_text() + "# a note\n")
    assert not is_current(own, "code")
    run_own(own, "-c", RUN, "code")
    assert due(own) == ["certify"]
    assert json.loads((own / "reports/code/certify.json").read_text())[EDITED] == file_digest(edited)
    edited.write_text(edited.read_text().removesuffix("# a note\n"))
    run_own(own, "-c", RUN, "code")
    assert due(own) == []


def test_an_edit_needs_no_ceremony(own):
    edited = own / EDITED
    edited.write_text(edited.read_text() + "# a note\n")
    start = "from flows.cli.app import main; import sys; sys.argv = ['lethe', *sys.argv[1:]]; main()"
    run_own(own, "-c", start, "stage", "split")
    assert "nothing is pinned" in run_own(own, "-c", start, "upgrade")
    edited.write_text(edited.read_text().removesuffix("# a note\n"))


def test_another_lethe_than_the_one_in_it_is_refused_by_its_commands(own):
    program = os.path.join(os.path.dirname(sys.executable), "lethe")
    done = subprocess.run([program, "stage", "split"], cwd=own, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "does not say which Lethe it was made with" in done.stderr
    assert "lethe upgrade" in done.stderr
