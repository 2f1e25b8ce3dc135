"""What a foreign clone may hold that Lethe would believe or follow; each must turn red if it is accepted."""

import shutil
import subprocess

import pytest
from world import ROOT

from tasks.checkout.checkout import Checkout
from tasks.checkout.git import ask_git
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
    "data/dataset/shard-00000.parquet",
    "models/parent/card.json",
    "reports/code/dataset.json",
    "prefect.toml",
    "below/prefect.toml",
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


@pytest.mark.parametrize(
    "name", [".lethe", "mlruns", ".dvc", ".dvc/tmp", ".dvc/config.local", "requests", "data"]
)
def test_a_link_in_place_of_one_of_lethes_folders_is_refused_wherever_it_leads(root, name):
    (root / "stuff").mkdir()
    (root / "stuff" / "config").write_text("[core]\n")
    if (path := root / name).is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(root / "stuff")
    add(root, ".")
    with pytest.raises(SetupError, match=f"git holds '{name}'"):
        refuse_planted(root)


@pytest.mark.parametrize("name", [".lethe", "mlruns", ".dvc", "requests", "evidence/r-1"])
def test_another_repository_in_place_of_one_of_lethes_folders_is_refused(root, name):
    if (path := root / name).is_dir():
        shutil.rmtree(path)
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.invalid"]
    subprocess.run(["git", "init", "--quiet", path], cwd=root, check=True)
    (path / "planted").write_text("")
    subprocess.run([*git, "add", "planted"], cwd=path, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "Plant"], cwd=path, check=True)
    subprocess.run([*git, "add", "--force", name], cwd=root, check=True, stderr=subprocess.DEVNULL)
    with pytest.raises(SetupError, match=f"git holds '{name}"):
        refuse_planted(root)


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        (".env", "export prefect_logging_settings_path=logs.yml\n", True),
        (".env", "HOME_PAGE=x\n", False),
        ("images/.env", "PREFECT_API_URL=http://127.0.0.1:1/api\n", True),
        ("pyproject.toml", "[tool.prefect.logging]\nconfig_path = 'logs.yml'\n", True),
        ("pyproject.toml", "tool = {prefect = {logging = {config_path = 'logs.yml'}}}\n", True),
        ("pyproject.toml", "[tool.ruff]\n", False),
    ],
)
def test_settings_for_prefect_which_may_name_a_program_are_refused_if_git_brings_them(
    root, name, text, refused
):
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(text)
    refuse_planted(root)
    add(root, name)
    if not refused:
        refuse_planted(root)
        return
    with pytest.raises(SetupError, match=f"git holds '{name}'.*settings for Prefect"):
        refuse_planted(root)


def test_a_bare_repository_that_a_clone_holds_as_files_starts_nothing(root, tmp_path):
    """Git takes a folder with HEAD, objects and refs for a repository, and does as its settings say."""
    subprocess.run(["git", "init", "--quiet", "--bare", "bare"], cwd=tmp_path, check=True)
    for path in (tmp_path / "bare").iterdir():
        path.rename(root / path.name)
    shutil.rmtree(root / ".git")
    (root / "config").write_text(
        f"[core]\nbare = false\nworktree = .\nfsmonitor = \"touch '{tmp_path / 'ran'}'; false\"\n"
    )
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    with pytest.raises(SetupError, match="not in a git checkout"):
        Checkout.find(root)
    assert ask_git(root, "status") is None
    assert not (tmp_path / "ran").exists()


def test_a_link_that_stays_in_the_project_is_none_of_lethes_business(root):
    (root / "evidence").mkdir()
    (root / "evidence" / "latest").symlink_to("../models")
    (root / "elsewhere").symlink_to("/tmp")
    add(root, ".")
    refuse_planted(root)


def test_lethes_own_repository_holds_nothing_of_the_kind():
    refuse_planted(ROOT)
