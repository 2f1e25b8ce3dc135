"""What a foreign clone may hold that Lethe would believe or follow; each must turn red if it is accepted."""

import subprocess

import pytest
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.checkout.planted import refuse_planted
from unlearn_core.errors import SetupError


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for name in ("params.yaml", "dvc.yaml", "mlruns/README.md", "models/generations/0.dvc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    add(folder, ".")
    return folder


def add(root, name):
    subprocess.run(["git", "add", "--force", "--", name], cwd=root, check=True)


PLANTED = [
    ".dvc/tmp/site/cache.db",
    ".dvc/cache/files/md5/00/11",
    ".dvc/config.local",
    ".lethe/dvc/repo/0/cache.db",
    ".lethe/attempts/svd/model.safetensors",
    "mlruns/mlflow.db",
    "requests/ledger.db",
]


@pytest.mark.parametrize("name", PLANTED)
def test_what_only_this_machine_may_write_is_refused_if_git_brings_it(root, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"planted")
    assert Checkout.find(root).root.resolve() == root, "what git does not hold was made here"
    add(root, name)
    with pytest.raises(SetupError, match=f"git holds '{name}' in project.*planted"):
        Checkout.find(root)


@pytest.mark.parametrize("name", ["evidence", "models/parent", "data", ".lethe", "models/generations/1.dvc"])
def test_a_link_out_of_the_project_is_refused_if_git_brings_it(root, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (root / name).symlink_to(tmp_path / "elsewhere")
    Checkout.find(root)
    add(root, name)
    with pytest.raises(SetupError, match="a link out of the project"):
        Checkout.find(root)


def test_a_link_that_stays_in_the_project_is_none_of_lethes_business(root):
    (root / "evidence").mkdir()
    (root / "evidence" / "latest").symlink_to("../models")
    (root / "elsewhere").symlink_to("/tmp")
    add(root, ".")
    refuse_planted(root)


def test_lethes_own_repository_holds_nothing_of_the_kind():
    refuse_planted(ROOT)
