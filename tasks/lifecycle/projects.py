"""The git repository of a model, and a worker's clone of it.

The branch ``deletions`` is the record of what was deleted: one commit per deletion, pushed once all of it is
in DVC's remote. A clone is kept between deletions, so that a killed run resumes from the last pinned stage.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import find_checkout, locked, outside_of_projects
from tasks.checkout.git import ask_git, reach_git, run_git
from tasks.checkout.planted import refuse_planted
from tasks.checkout.settings import WorkerSettings
from tasks.checkout.software import require_pinned
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, read_checkpoint_card
from tasks.lifecycle.releases import continue_from_champion
from tasks.lifecycle.standing import find_unfinished
from tasks.requests.claims import work_folder
from tasks.storage.remote import configure_remote, pull_data
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import SetupError
from unlearn_core.records.request import RequestId

_VARIABLE = "LETHE_PROJECTS"
BRANCH = "deletions"


@dataclass(frozen=True)
class Project:
    """Where the deletions of one model are made.

    Attributes:
        checkout: The checkout.
        branch: The branch that a worker's clone pushes to; None in a person's checkout, which that person
            commits to.
    """

    checkout: Checkout
    branch: str | None


def find_project(folder: Path, model: str) -> Project:
    """Find where a model's deletions are made, cloning the repository if needed.

    Args:
        folder: Where the command was run.
        model: The registered model's name.

    Returns:
        A worker's clone of what ``LETHE_PROJECTS`` names, else the checkout that the folder is in.

    Raises:
        SetupError: If there is no such project, or it is another model's.
        UnavailableError: If its repository does not answer.
    """
    if template := WorkerSettings.read().projects:
        checkout, branch = Checkout.at(_clone(template, model)), BRANCH
    elif (found := find_checkout(folder)) is not None:
        checkout, branch = Checkout.at(found), None
    else:
        raise SetupError(f"{outside_of_projects(folder)}; or set {_VARIABLE}, to clone that of {model!r}")
    if (named := checkout.params.registry.model) != model:
        raise SetupError(
            f"the project in {checkout.root.resolve().name} is of {named!r}, expected {model!r}; "
            f"{_VARIABLE} may name a repository for each model, e.g. /srv/projects/{{model}}.git"
        )
    refuse_planted(checkout.root)
    return Project(checkout, branch)


@contextmanager
def open_project(folder: Path, model: str) -> Iterator[Project]:
    """Work alone in the project of a model, once prepared; otherwise as ``find_project``."""
    project = find_project(folder, model)
    with locked(project.checkout.root):
        yield project


def prepare_project(project: Project, request: RequestId | None = None) -> Checkout:
    """Prepare a project for a request: as its interrupted run left it, or as the last deletion ended.

    Args:
        project: The project, locked by the caller.
        request: The id of the request, or of the group, to be served next; None continues with the one that
            ``params.yaml`` names.

    Returns:
        The prepared checkout.

    Raises:
        SetupError: If the project was made with a Lethe other than the running one, or git holds what it
            must not.
        UnavailableError: If the repository or DVC's remote does not answer.
    """
    checkout = Checkout(project.checkout.root)
    wanted = request or checkout.params.request
    if project.branch is None:
        require_pinned(checkout.root)
        return checkout if checkout.params.request == wanted else _continue(checkout)
    configure_remote(checkout)
    start = _fetch(checkout.root, project.branch)
    # A commit that could not be pushed is ahead of the branch; it is pushed with the next one.
    if current := _holds(checkout.root, start):
        start = "HEAD"
    another = not current or checkout.params.request != wanted
    if another and not (current and _is_whole(checkout)):
        run_git(checkout.root, "checkout", "--quiet", "--force", "-B", project.branch, start)
        refuse_planted(checkout.root)
        pull_data(checkout)
        checkout = Checkout(checkout.root)
    # Only now: the fetched commit may be the one that pins the running Lethe.
    require_pinned(checkout.root)
    return _continue(checkout) if another else checkout


def continue_project(checkout: Checkout) -> Checkout:
    """Start from the champion, as the next deletion would, unless a deletion is unfinished.

    Args:
        checkout: The prepared checkout of a project.

    Returns:
        The checkout as it is then.
    """
    return checkout if find_unfinished(checkout) is not None else _continue(checkout)


def _holds(root: Path, commit: str) -> bool:
    """Tell whether a commit is checked out, or an ancestor of what is."""
    return ask_git(root, "merge-base", "--is-ancestor", commit, "HEAD") is not None


def _is_whole(checkout: Checkout) -> bool:
    """Tell whether a clone is in the state that its last deletion published, with the data."""
    there = checkout.outcome.is_file() or not (checkout.root / "dvc.lock").is_file()
    return there and not run_git(checkout.root, "status", "--porcelain")


def _continue(checkout: Checkout) -> Checkout:
    """Start from the champion, if this checkout made it and does not already start from it."""
    if not (checkout.unlearned / CARD).is_file():
        return checkout
    promoted = champion(tracking_of(checkout), checkout.params.registry.model)
    weights = read_checkpoint_card(checkout.unlearned).weights
    if promoted is not None and promoted.tags.get(Tag.WEIGHTS) == weights:
        continue_from_champion(checkout)
    return Checkout(checkout.root)


def _clone(template: str, model: str) -> Path:
    """Return the worker's clone of a model's repository, made once."""
    if (work := work_folder()) is None:
        raise SetupError(f"{_VARIABLE} is set, but LETHE_WORK is not: name a folder for the worker's clones")
    address = template.replace("{model}", model)
    folder = work.resolve() / model
    if folder.is_dir():
        return folder
    fresh = work.resolve() / f".{model}.{os.getpid()}"
    fresh.parent.mkdir(parents=True, exist_ok=True)
    try:
        reach_git(fresh.parent, "clone", "--quiet", address, str(fresh))
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _fetch(root: Path, branch: str) -> str:
    """Return the commit to start from: the branch's tip, or without the branch the repository's HEAD."""
    reach_git(root, "fetch", "--quiet", "--prune", "origin")
    known = run_git(root, "for-each-ref", "--format=%(objectname)", f"refs/remotes/origin/{branch}")
    return known or run_git(root, "rev-parse", "origin/HEAD")
