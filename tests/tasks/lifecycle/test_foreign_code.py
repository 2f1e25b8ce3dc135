"""What a project that this machine did not make could run, and what Lethe says of it before.

Each of these must turn red: a module of a clone that is imported because a library asked for its name; a
deletion of somebody else that is run again without a word; a retrained model of another in a replay.
"""

import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from world import ROOT, lethe, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.keys.folder import key_id, load_signer
from tasks.lifecycle.foreign_code import code_of, refuse_unknown_project
from tasks.lifecycle.pins import refuse_other_pins
from tasks.lifecycle.replaying import checked_out
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.base import sha256

OTHER = sha256(b"another key")
PARENT = {"source": "train", "architecture": "planted_net:make", "recipe": {}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_checkout(tmp_path_factory.mktemp("foreign") / "project")


@pytest.fixture
def tree(made, tmp_path):
    """A commit of a project, checked out."""
    subprocess.run(["git", "clone", "--quiet", str(made), str(tmp_path / "tree")], check=True)
    return Checkout(tmp_path / "tree")


def test_what_this_machine_certified_is_replayed_without_a_question(tree):
    refuse_unknown_project(tree, key_id(load_signer().public_key()))


def test_what_another_certified_is_refused_with_what_it_would_run(tree):
    (tree.root / "planted_net.py").write_text("raise SystemExit('it was run')\n")
    photos = {"source": "imagefolder", "path": "/home/somebody/photos", "name": "photos"}
    write_params(tree.root, {"parent": PARENT, "dataset": photos})
    with pytest.raises(SetupError) as refused:
        refuse_unknown_project(tree, OTHER)
    told = str(refused.value)
    assert f"certified with the key {OTHER}, which is not this machine's" in told
    assert "the net planted_net:make, in planted_net.py of the commit, sha256:" in told
    assert "would also read /home/somebody/photos" in told
    assert "--trust-code" in told


def test_a_machine_without_a_key_certified_nothing(tree, tmp_path, monkeypatch):
    own = key_id(load_signer().public_key())
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "no keys"))
    with pytest.raises(SetupError, match="is not this machine's"):
        refuse_unknown_project(tree, own)


def test_without_code_of_its_own_only_lethes_is_named(tree):
    assert code_of(tree) == ["the installed Lethe, in every process"]


def test_a_module_of_a_clone_is_not_run_because_a_library_asks_for_its_name(tree, tmp_path):
    """Libraries import what is optional if there is a module of that name, e.g. a faster event loop."""
    (tree.root / "planted_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    code = (
        "import sys\nfrom flows.cli.app import main\n"
        "sys.argv = ['lethe', 'methods']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "from tasks.checkout.checkout import Checkout\nfrom pathlib import Path\n"
        "Checkout.find(Path.cwd()).params\n"
        "import importlib.util\nsys.exit(importlib.util.find_spec('planted_module') is not None)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tree.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_net_that_params_name_can_be_imported_and_what_is_beside_it_only_by_it(tree, monkeypatch):
    """Else whoever wrote the project could take the place of any module that a library has use for."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    write_params(tree.root, {"parent": PARENT})
    (tree.root / "planted_net.py").write_text("from planted_layers import make\n")
    (tree.root / "planted_layers.py").write_text("def make(classes, input_shape):\n    return classes\n")
    assert find_spec("planted_net") is None
    assert Checkout(tree.root).params.parent.architecture == "planted_net:make"
    assert find_spec("planted_layers") is None
    assert import_module("planted_net").make(3, (1, 8, 8)) == 3
    assert str(tree.root) not in sys.path


def test_a_commit_that_holds_what_only_a_machine_writes_is_not_checked_out_for_a_replay(tree):
    (tree.root / ".lethe").mkdir(exist_ok=True)
    (tree.root / ".lethe" / "cache.db").write_bytes(b"a pickle")
    git = ["git", "-c", "user.name=n", "-c", "user.email=n@example.invalid"]
    subprocess.run([*git, "add", "--force", "."], cwd=tree.root, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "Plant"], cwd=tree.root, check=True)
    with pytest.raises(SetupError, match=r"git holds '\.lethe/cache\.db'"), checked_out(tree, "HEAD"):
        pass


def certified(pins):
    return SimpleNamespace(pins=pins)


def test_a_retrained_model_that_was_exchanged_since_is_refused(tree):
    pin = tree.references / "0123456789abcdef.dvc"
    pin.parent.mkdir(parents=True)
    pin.write_text("outs: []\n")
    name = "models/references/0123456789abcdef.dvc"
    refuse_other_pins(tree, certified({name: sha256(b"outs: []\n")}))
    refuse_other_pins(tree, certified(None))
    for pins in ({name: OTHER}, {name.replace("0", "1"): OTHER}):
        with pytest.raises(PipelineError, match="is not what the deletion was certified with"):
            refuse_other_pins(tree, certified(pins))


def test_a_planted_clone_is_refused_by_every_command(tree):
    (tree.root / "mlruns" / "mlflow.db").write_bytes(b"planted")
    subprocess.run(["git", "add", "--force", "mlruns/mlflow.db"], cwd=tree.root, check=True)
    for command in (["verify"], ["delete", "demo"], ["train"]):
        code, _, err = lethe(tree.root, *command)
        assert code == 2
        assert "mlruns/mlflow.db" in err
