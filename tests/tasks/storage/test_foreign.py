"""What a clone, a bucket or a remote can make DVC do: write elsewhere, run a program, read another's pickle.

Each of these must turn red: a file that is written outside of the project's folders, or fetched before its
name was looked at; a program that a committed setting runs; a pickle of another user that DVC reads.
"""

import hashlib
import json
import shutil

import pytest
from templates import dvc_repository
from world import run

from tasks.checkout.checkout import Checkout
from tasks.storage.remote import pull_data
from tasks.storage.versioning import is_current, opened, track
from unlearn_core.errors import PipelineError, SetupError

# DVC's own trees of paths.
pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value will soon raise:DeprecationWarning")

KEPT = "models/generations/abc"


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A project with one folder under DVC."""
    folder = dvc_repository(tmp_path_factory.mktemp("origin") / "project")
    (folder / KEPT).mkdir(parents=True)
    (folder / KEPT / "weights").write_text("weights")
    track(folder, folder / KEPT)
    return folder


@pytest.fixture
def root(origin, tmp_path):
    """A copy of it, for somebody to put something into."""
    return shutil.copytree(origin, tmp_path / "project")


def put(cache, raw, suffix=""):
    """Put an object into a cache or a remote, and return its digest."""
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    place = cache / "files" / "md5" / digest[:2] / (digest[2:] + suffix)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(raw)
    return digest + suffix


def plant(root, cache, name):
    """Make the folder's manifest one that somebody else wrote, as git and a remote would bring it."""
    file = put(cache, b"planted")
    digest = put(cache, json.dumps([{"md5": file, "relpath": name}]).encode(), ".dir")
    pointer = f"outs:\n- md5: {digest}\n  size: 7\n  nfiles: 1\n  hash: md5\n  path: abc\n"
    (root / f"{KEPT}.dvc").write_text(pointer)
    shutil.rmtree(root / KEPT)


NAMES = [
    "../../../escaped",
    "/tmp/escaped",
    "a/../../../../escaped",
    "a\\b",
    "a\nb",
    "a\x1b[2Kb",
    ".",
    "",
    "a//b",
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_file_that_would_be_written_elsewhere_is_refused_before_anything_is(root, name):
    plant(root, root / ".dvc" / "cache", name)
    with pytest.raises(PipelineError, match="no plain path below its folder"):
        pull_data(Checkout(root), KEPT)
    assert not (root / KEPT).exists()
    assert not (root.parent / "escaped").exists()


def test_a_manifest_is_looked_at_before_its_files_are_fetched(root, tmp_path):
    done = run(root, "dvc", "remote", "add", "--default", "own", str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    plant(root, tmp_path / "own", "../escaped")
    with pytest.raises(PipelineError, match="no plain path below its folder"):
        pull_data(Checkout(root), KEPT)
    fetched = [path.suffix for path in (root / ".dvc" / "cache" / "files").rglob("*") if path.is_file()]
    assert fetched.count("") == 1, "only the weights that were there before"


def test_a_plain_name_is_fetched(root, tmp_path):
    plant(root, root / ".dvc" / "cache", "sub/a name – é")
    pull_data(Checkout(root), KEPT)
    assert (root / KEPT / "sub/a name – é").read_text() == "planted"


def test_a_digest_that_is_a_path_is_refused(root):
    cache = root / ".dvc" / "cache"
    plant(root, cache, "a")
    digest = put(cache, json.dumps([{"md5": "../../../../escaped", "relpath": "a"}]).encode(), ".dir")
    pointer = f"outs:\n- md5: {digest}\n  nfiles: 1\n  hash: md5\n  path: abc\n"
    (root / f"{KEPT}.dvc").write_text(pointer)
    with pytest.raises(PipelineError, match="which is none"):
        pull_data(Checkout(root), KEPT)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../../../outside", "outside of the project"),
        ("/tmp/outside", "outside of the project"),
        ("../../.envrc", "the outputs of a project are in"),
        ("../../tasks", "the outputs of a project are in"),
    ],
)
def test_an_output_outside_of_the_projects_folders_is_refused(root, path, said):
    plant(root, root / ".dvc" / "cache", "post-checkout")
    pointer = (root / f"{KEPT}.dvc").read_text()
    (root / f"{KEPT}.dvc").write_text(pointer.replace("path: abc", f"path: {path}"))
    with pytest.raises(PipelineError, match=said):
        pull_data(Checkout(root))
    assert not (root / ".envrc").exists()
    assert not (root / "tasks").exists()


@pytest.mark.parametrize("what", ["a file", "a file of another repository"])
def test_an_import_from_outside_of_the_project_is_not_made(root, origin, tmp_path, what):
    (tmp_path / "secret").write_text("secret")
    digest = hashlib.md5(b"secret", usedforsecurity=False).hexdigest()
    dep = f"path: {tmp_path / 'secret'}\n  md5: {digest}\n  size: 6\n  hash: md5"
    if what != "a file":
        dep = f"path: {KEPT}\n  repo:\n    url: {origin}\n    rev_lock: '{'0' * 40}'"
    out = f"outs:\n- path: taken\n  md5: {digest}\n  size: 6\n  hash: md5\n"
    (root / "models/generations/taken.dvc").write_text(f"frozen: true\ndeps:\n- {dep}\n{out}")
    for targets in ((), ("models/generations/taken",)):
        with pytest.raises(PipelineError, match="nothing else is fetched"):
            pull_data(Checkout(root), *targets)
    assert not (root / "models/generations/taken").exists()


def test_a_link_out_of_the_project_is_not_followed(root, tmp_path):
    plant(root, root / ".dvc" / "cache", "a")
    pointer = (root / f"{KEPT}.dvc").read_text().replace("path: abc", "path: data/dataset")
    (root / "data.dvc").write_text(pointer)
    (tmp_path / "elsewhere").mkdir()
    (root / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PipelineError, match=r"a link that leads out of the project|symlink"):
        pull_data(Checkout(root), "data/dataset")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_remote_is_held_to_the_digests_in_git(root, tmp_path):
    """DVC trusts a remote of its own unless told otherwise: whoever writes there would decide what comes."""
    own = tmp_path / "own"
    run(root, "dvc", "remote", "add", "--default", "own", str(own))
    done = run(root, "dvc", "push")
    assert done.returncode == 0, done.stderr
    (weights,) = [path for path in own.rglob("*") if path.is_file() and path.suffix != ".dir"]
    weights.chmod(0o644)
    weights.write_text("others!")
    shutil.rmtree(root / KEPT)
    shutil.rmtree(root / ".dvc" / "cache")
    with pytest.raises(PipelineError):
        pull_data(Checkout(root))
    assert not (root / KEPT).exists()


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("'remote \"own\"'", "url = webdav://h/d\n    bearer_token_command = touch ran"),
        ("'remote \"own\"'", "url = s3://b/d\n    configpath = ../aws"),
        ("'remote \"own\"'", "url = s3://b/d\n    credentialpath = ../aws"),
        ("cache", "dir = ../../elsewhere"),
        ("hydra", "plugins_path = ../plugins"),
    ],
    ids=["token", "config", "credentials", "cache", "plugins"],
)
def test_a_committed_setting_runs_no_program_and_moves_no_cache(root, section, line):
    with (root / ".dvc" / "config").open("a") as stream:
        stream.write(f"[{section}]\n    {line}\n")
    with pytest.raises(SetupError, match=r"\.dvc/config, which git brings, sets"):
        is_current(root, f"{KEPT}.dvc")
    (root / ".dvc" / "config").rename(root / ".dvc" / "config.local")
    (root / ".dvc" / "config").write_text("")
    # The same in the user's own settings is the user's business.
    is_current(root, f"{KEPT}.dvc")


def test_the_settings_of_a_folder_above_are_not_taken(root):
    below = root / "below"
    below.mkdir()
    with pytest.raises(SetupError, match="not a DVC repository"), opened(below):
        pass


def test_dvcs_pickles_are_in_the_project_and_nobody_else_can_write_there(root):
    (root / ".lethe" / "dvc").chmod(0o777)
    with opened(root) as repo:
        assert repo.site_cache_dir.startswith(f"{root}/.lethe/dvc/repo/")
    for folder in (".lethe", ".lethe/dvc", ".lethe/dvc/repo"):
        assert not (root / folder).stat().st_mode & 0o022
