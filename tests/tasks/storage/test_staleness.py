"""What has to run again, read off the lock that DVC wrote."""

import json
import shutil

import pytest
from world import clone, make_checkout

from flows.stages.pipeline import PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import set_values
from tasks.storage.staleness import stale_stages
from tasks.storage.versioning import is_current

LATER = dict.fromkeys(("parent", "moments", "split", "unlearn", "certify"), "has not run")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A project whose first two stages have run."""
    root = make_checkout(tmp_path_factory.mktemp("staleness") / "project")
    for name in ("code", "dataset"):
        run_due(Checkout(root), name, PREPARATION[name])
    return root


@pytest.fixture
def root(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "project", symlinks=True)


def test_what_has_never_run_is_stale(begun, tmp_path):
    new = clone(begun, tmp_path / "new")
    assert stale_stages(new) == {"code": "has not run", "dataset": "has not run", **LATER}


def test_what_has_run_and_did_not_change_is_not_stale(root):
    assert stale_stages(root) == LATER
    assert is_current(root, "dataset")


def test_a_changed_setting_is_named(root):
    set_values(root, {("dataset", "seed"): 7})
    changed = {"code": "dataset in params.yaml", "dataset": "dataset in params.yaml, after code"}
    assert stale_stages(root) == {**changed, **LATER}
    assert not is_current(root, "dataset")


def test_a_changed_file_is_named_and_so_is_what_comes_after(root):
    pinned = json.loads((root / "lethe.json").read_text())
    (root / "lethe.json").write_text(json.dumps({**pinned, "version": "0.0.1"}))
    assert stale_stages(root) == {"code": "lethe.json", "dataset": "after code", **LATER}


def test_an_output_that_is_gone_is_named(root):
    shutil.rmtree(root / "data" / "dataset")
    assert stale_stages(root) == {"dataset": "data/dataset is missing", **LATER}
