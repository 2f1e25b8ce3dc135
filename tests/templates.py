"""Checkouts that many tests start from: made once for all worker processes, and copied.

A copy has a tracking store and DVC's cache of its own; Lethe itself sees to the addresses in the store.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from once import made_once
from world import commit, make_checkout, run

from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.params import write_params
from tasks.tracking.runs import tracking_of


def run_stages(root: Path, stages: Mapping[str, Callable[[Checkout], object]]) -> list[bool]:
    """Bring stages up to date, in their order, and tell of each whether it ran."""
    return [run_due(Checkout(root), name, stage) for name, stage in stages.items()]


def dvc_repository(folder: Path) -> Path:
    """Make a git repository with DVC in it and nothing else; starting ``dvc init`` takes most of a second.

    Args:
        folder: Made; must not exist.
    """
    return Path(shutil.copytree(made_once("dvc", _init_dvc), folder))


def prepared_checkout(folder: Path, **sections: Any) -> Path:
    """Make a checkout with a data set, a parent and second moments, in which nothing was asked for yet.

    Args:
        folder: Made; must not exist.
        sections: Other values for sections of ``params.yaml``; stages that depend on them run again.
    """
    return with_settings(made_once("prepared", _prepare), folder, sections)


def served_checkout(folder: Path) -> Path:
    """Make a checkout in which every stage has run for the request ``demo``, a class."""
    return with_settings(made_once("served", _serve), folder, {})


def with_settings(template: Path, folder: Path, sections: Mapping[str, Any]) -> Path:
    """Copy a prepared checkout whole, and change its settings: stages that depend on them run again.

    Args:
        template: The checkout; nothing was asked for in it yet if there are sections.
        folder: Made; must not exist.
        sections: Other values for sections of ``params.yaml``.
    """
    shutil.copytree(template, folder, symlinks=True)
    if sections:
        write_params(folder, sections)
        commit(folder, "Change settings")
        run_stages(folder, PREPARATION)
    return folder


def copied(project: Path, folder: Path, *, cache: bool = False) -> Path:
    """Copy a checkout with all that was made in it, and an empty tracking store in place of its own.

    Args:
        project: The checkout.
        folder: Made; must not exist.
        cache: Copy DVC's cache too: without it nothing is current.
    """
    left = ("mlruns", "tmp") if cache else ("mlruns", "tmp", "cache")
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(*left))
    empty_store(folder)
    return folder


def empty_store(folder: Path) -> None:
    """Put an empty tracking store into a checkout: MLflow takes over a second to make one."""
    (folder / "mlruns").mkdir(exist_ok=True)
    shutil.copy(made_once("prepared", _prepare) / "mlruns" / "mlflow.db", folder / "mlruns")


def _init_dvc(folder: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main", str(folder)], check=True)
    done = run(folder, "dvc", "init", "--quiet")
    assert done.returncode == 0, done.stderr


def _prepare(folder: Path) -> None:
    assert all(run_stages(make_checkout(folder), PREPARATION))
    tracking_of(Checkout(folder))


def _serve(folder: Path) -> None:
    assert all(run_stages(prepared_checkout(folder), DELETION))
