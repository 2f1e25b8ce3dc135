"""A small world to test in: a manifest of a few rows, samples that any net can learn, a checkout to run in.

Nothing here is a stand-in: manifests, nets and checkouts are the real ones, only small.
"""

import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tasks.checkout.git import run_git
from tasks.checkout.imports import PACKAGES
from tasks.checkout.params import write_params
from tasks.lifecycle.initialising import init_project
from unlearn_core.data import Samples
from unlearn_core.records.artifact import Architecture, Recipe
from unlearn_core.selection import Manifest

ROOT = Path(__file__).resolve().parent.parent
TOP = (".gitignore", ".dvcignore", "dvc.yaml", "params.yaml", "pyproject.toml")
ARCHITECTURE = Architecture(name="small_resnet", classes=("a", "b", "c"), input_shape=(1, 8, 8))
# What libraries warn of in one another, and nobody here can change.
NOISE = [
    pytest.mark.filterwarnings("ignore:_NoneStep.value will soon raise:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Type object .* does not refer to an OperatorClass"),
]
FORGOTTEN = {
    "measurement": "accuracy.train.forget",
    "below": 1.0,
    "above": 0.2,
    "below_means": "over_forgotten",
    "above_means": "under_forgotten",
}
ANYTHING = {**FORGOTTEN, "above": 1.0}
NOTHING = {**FORGOTTEN, "measurement": "accuracy.test.retain", "below": 0.0, "above": 0.0, "lowest": 1.5}
"""Bands that a class must be forgotten for, that every model meets, and that none but the reference can."""
SMALL: dict[str, Any] = {
    "parent": {
        "source": "train",
        "architecture": "small_resnet",
        "recipe": {"optimizer": "adamw", "learning_rate": 0.01, "schedule": "one_cycle", "epochs": 3},
    },
    "policy": {
        "reference": "build",
        "when_inconclusive": "retrain",
        "ladder": {"classes": ["svd"], "samples": ["finetune"]},
        "classes": [FORGOTTEN],
        "samples": [ANYTHING],
    },
    "methods": {
        "svd": {"grid_r": [100.0], "grid_f": [3.0, 30.0]},
        "finetune": {"recipe": {"epochs": 1}},
        "retrain": {},
    },
}
"""Settings with which a whole deletion takes seconds, and something is always accepted."""
QUICK = Recipe(optimizer="sgd", learning_rate=0.05, schedule="constant", epochs=2, batch_size=16)


def pseudonym(*named: str) -> str:
    """Stand in for an id the way a keyed hash does, without a key; a kind before it changes nothing."""
    return "hmac-sha256:" + hashlib.sha256(named[-1].encode()).hexdigest()


def content(name: object) -> str:
    """Return the digest of an image that nobody has."""
    return "sha256:" + hashlib.sha256(str(name).encode()).hexdigest()


def manifest(
    labels: str, splits: str, *, subjects: str | None = None, contents: list[object] | None = None
) -> Manifest:
    """Make a manifest from one letter per row.

    Args:
        labels: Classes, of ``abc``.
        splits: ``r`` train, ``u`` tuning, ``a`` audit, ``t`` test.
        subjects: One letter per person, ``-`` for nobody.
        contents: What tells images apart; by default no two are the same.
    """
    names = {"r": "train", "u": "tuning", "a": "audit", "t": "test"}
    count = len(labels)
    return Manifest(
        sample_ids=np.array([f"row-{row:03d}" for row in range(count)]),
        labels=np.array(["abc".index(label) for label in labels], dtype=np.int64),
        splits=np.array([names[split] for split in splits]),
        subject_ids=np.array(["" if one == "-" else one for one in subjects or "-" * count]),
        sha256=np.array([content(one) for one in contents or range(count)]),
        classes=("a", "b", "c"),
    )


def blobs(count: int = 96, *, seed: int = 0) -> Samples:
    """Return images of three classes: noise, and a bright bar where the class says."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    inputs = 0.3 * torch.randn(count, 1, 8, 8, generator=generator)
    for row, label in enumerate(labels.tolist()):
        inputs[row, 0, 3 * label : 3 * label + 2] += 2.0
    return Samples(inputs, labels)


def accuracy(model: torch.nn.Module, samples: Samples) -> float:
    """Return the share of samples that a model is right about."""
    with torch.no_grad():
        return float((model(samples.inputs).argmax(1) == samples.labels).float().mean())


def same_weights(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    """Tell whether two models hold the same bits."""
    mine, theirs = first.state_dict(), second.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def make_checkout(folder: Path, **sections: Any) -> Path:
    """Make a project as ``lethe init`` does, with small settings, and commit it.

    Args:
        folder: Made; must not exist.
        sections: Other values for sections of ``params.yaml``.
    """
    init_project(folder)
    write_params(folder, {**SMALL, **sections})
    commit(folder, "Start")
    return folder


def make_source(folder: Path, **sections: Any) -> Path:
    """Make a clone of Lethe's own repository, as it is here, with small settings: it brings its own code.

    Args:
        folder: Made; must not exist.
        sections: Other values for sections of ``params.yaml``.
    """
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".dvc/config", ".dvc/.gitignore", "requests/demo.json", *TOP):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    write_params(folder, {**SMALL, **sections})
    run_git(folder, "init", "--quiet")
    commit(folder, "Start")
    return folder


def commit(folder: Path, message: str) -> None:
    """Commit all that git does not ignore."""
    run_git(folder, "add", "--all", ".")
    person = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid")
    run_git(folder, *person, "commit", "--quiet", "--message", message)


def clone(project: Path, folder: Path) -> Path:
    """Clone a checkout, without anything that git does not hold."""
    subprocess.run(["git", "clone", "--quiet", str(project), str(folder)], check=True)
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment in a folder; what it starts comes from this environment too."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")])}
    full = [str(programs / command[0]), *command[1:]]
    return subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, check=False)


class _Terminal(io.StringIO):
    """What says of itself that a person reads it."""

    def isatty(self) -> bool:
        return True


def lethe(folder: Path, *arguments: str, terminal: bool = False) -> tuple[int, str, str]:
    """Run the command line in a folder, in this process; with standard error on a terminal, or in a file.

    Return exit code, standard output, and standard error without the signs of life of a busy machine.
    """
    from flows.cli.app import main

    out, err = io.StringIO(), _Terminal() if terminal else io.StringIO()
    before = sys.argv
    sys.argv = ["lethe", *arguments]
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.argv = before
        os.environ.pop("PYTHONSAFEPATH", None)
    said = (line for line in err.getvalue().splitlines(keepends=True) if not line.startswith("… "))
    return code, out.getvalue(), "".join(said)


def files_of(*folders: Path) -> dict[str, bytes]:
    """Return the content of every file in some folders, by path."""
    paths = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in paths}
