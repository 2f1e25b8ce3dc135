"""Another Lethe than the project's: refused by name, and pinned by ``lethe upgrade``, which says what is due.

Each of these must turn red: another Lethe that works in a project; a stage that is due, and is not named; a
part of dvc.yaml that is not Lethe's, and changes.
"""

import json
import shutil

import pytest
from templates import served_checkout
from world import NOISE, files_of, lethe, run

from flows.stages.code import OTHERS
from flows.stages.pipeline import DELETION, PREPARATION, run_due
from flows.upgrade import upgrade
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import locked
from tasks.checkout.files import read_record, write_record
from tasks.checkout.plain_yaml import load_yaml
from tasks.checkout.software import PINNED, installed
from tasks.lifecycle.upgrading import upgrade_project
from tasks.storage.versioning import is_current
from unlearn_core.records.base import sha256
from unlearn_core.records.project import Software

pytestmark = [*NOISE, pytest.mark.long]

STAGES = {**PREPARATION, **DELETION}
OTHER = installed().model_copy(update={"version": "0.0.9", "code": sha256(b"other code")})
OURS = {"cmd": "echo ours", "deps": ["reports/outcome.json"]}


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """A project in which every stage ran once."""
    return served_checkout(tmp_path_factory.mktemp("upgraded") / "project")


@pytest.fixture
def root(served, tmp_path):
    """The same project, with DVC's cache: without it nothing is current."""
    return shutil.copytree(served, tmp_path / "project")


@pytest.fixture
def other(root):
    """The same project, made with another Lethe."""
    write_record(root / PINNED, OTHER)
    return root


@pytest.mark.parametrize(
    "arguments",
    [["delete", "demo"], ["train"], ["next"], ["reference"], ["stage", "split"], ["report"]],
    ids=" ".join,
)
def test_another_lethe_is_refused_by_whatever_works_in_the_project(other, arguments):
    before = files_of(other)
    code, out, err = lethe(other, *arguments)
    assert (code, out) == (2, "")
    assert f"made with Lethe {OTHER}, but {installed()} is installed" in err
    assert "lethe upgrade" in err
    assert files_of(other) == before


def test_certificates_are_verified_by_any_lethe(other):
    certificate = next((other / "evidence").glob("*/certificate.dsse.json"))
    assert lethe(other, "verify", str(certificate))[0] == 0


def test_a_pipeline_started_by_dvc_is_refused_too(other):
    assert run(other, "dvc", "status", "code").stdout.startswith("code:")
    done = run(other, "dvc", "repro")
    assert done.returncode != 0
    assert f"list_code: this project was made with Lethe {OTHER}" in done.stderr


def test_an_upgrade_of_nothing_changes_nothing(root):
    before = files_of(root)
    code, out, _ = lethe(root / "requests", "upgrade", "--json")
    told = json.loads(out)
    assert (code, told["stages"], told["due"]) == (0, [], [])
    assert told["before"] == told["now"] == installed().model_dump(mode="json")
    assert files_of(root) == before


def test_an_upgrade_pins_the_installed_lethe_and_where_the_code_is_the_same_only_lists_it_again(other):
    code, out, _ = lethe(other, "upgrade")
    assert code == 0
    assert f"made with    {OTHER}\nnow          {installed()}\ndue again    nothing\n" in out
    assert read_record(other / PINNED, Software) == installed()
    assert run_due(Checkout(other), "code", STAGES["code"]) is False
    assert [name for name in STAGES if not is_current(other, name)] == []


def test_the_stages_that_ran_with_other_code_are_named(root):
    """Two lists of code are others than they were: as if the files had changed with the installed version."""
    from flows.stages.code import code_lists

    changed = {**code_lists(Checkout(root).params), "unlearn": b"{}", "moments": b"{}"}
    with locked(root):
        assert upgrade_project(root, changed).due == ("moments", "unlearn")


def test_without_a_lock_every_stage_is_due(root):
    (root / "dvc.lock").unlink()
    assert upgrade(root).due == OTHERS


def test_a_project_from_before_is_taken_over_with_all_that_is_its_own(root):
    """Such a project says nowhere which Lethe it is of, and starts modules that lay in it."""
    (root / PINNED).unlink()
    text = (root / "dvc.yaml").read_text()
    old = text.replace("lethe stage ", "python -m flows.stages.").replace(
        "deps: [lethe.json]", "deps: [flows, tasks, unlearn_core]"
    )
    own = "  ours:\n    cmd: echo ours # and nothing else\n    deps: [reports/outcome.json]\n"
    (root / "dvc.yaml").write_text(
        old.replace("\nplots:", f"{own}\nplots:").replace("plots:", "# Ours\nplots:")
    )
    done = upgrade(root)
    assert (done.before, done.now, done.stages) == (None, installed(), tuple(STAGES))
    assert done.due == ()
    described = load_yaml(root / "dvc.yaml")
    assert described["stages"].pop("ours") == OURS
    (root / "expected.yaml").write_text(text)
    assert described == load_yaml(root / "expected.yaml")
    assert "# Ours" in (root / "dvc.yaml").read_text()
    assert "echo ours # and nothing else" in (root / "dvc.yaml").read_text()
    assert [name for name in STAGES if not is_current(root, name)] == []


def test_a_stage_that_was_started_otherwise_is_due(root):
    lock = root / "dvc.lock"
    lock.write_text(lock.read_text().replace("lethe stage split", "python -m flows.stages.split"))
    assert upgrade(root).due == ("split",)
    assert not is_current(root, "split")
