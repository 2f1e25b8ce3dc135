"""Where a certified deletion can be run again: its commit in a separate folder, with the data it read."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest
from tasks.checkout.git import ask_git, run_git
from tasks.checkout.imports import own_root
from tasks.checkout.linked import REPLAYS
from tasks.checkout.params import read_values
from tasks.checkout.plain_yaml import load_yaml
from tasks.checkout.planted import refuse_planted
from tasks.checkout.software import is_source
from tasks.checkout.variables import restored, unset_variable
from tasks.extensions.listing import extension_digests
from tasks.lifecycle.pins import ancestors, references, refuse_other_pins
from tasks.requests.request_file import read_request
from tasks.storage.remote import pull_data, shared_settings
from tasks.storage.versioning import digest_of_lock
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.request import RequestId

READ = ("data/dataset", "models/parent", "models/moments")
"""What the stages before a deletion make for it."""
_CODE = "reports/code"
"""The lists of Lethe's files that the stages ran."""


def find_pinned(root: Path, certified: DeletionCertificate) -> str:
    """Find the commit with the lock that a deletion was certified with.

    Args:
        root: The clone; all its branches are searched, and those of its remotes.
        certified: The deletion.

    Returns:
        The commit's id.

    Raises:
        SetupError: If no commit has it.
    """
    # Only this request's locks are parsed: history may be long, and so is a lock.
    mark = f"requests/{served_as(certified)}.json"
    seen: set[str | None] = set()
    for commit in run_git(root, "log", "--all", "--full-history", "--format=%H", "--", "dvc.lock").split():
        blob = ask_git(root, "rev-parse", "--verify", f"{commit}:./dvc.lock")
        if blob is not None and blob not in seen:
            lock = run_git(root, "cat-file", "blob", blob)
            if mark in lock and _digest(lock) == certified.lock:
                return commit
        seen.add(blob)
    shallow = run_git(root, "rev-parse", "--is-shallow-repository") == "true"
    raise SetupError(
        f"no commit of this clone has the lock {certified.lock}, which request {certified.request.id!r} was "
        f"certified with; run `git fetch {'--unshallow' if shallow else '--all'}`. If the lock was never "
        "committed, the deletion cannot be replayed"
    )


def served_as(certified: DeletionCertificate) -> RequestId:
    """Return the id under which a certified request was served: its own, or its group's."""
    return certified.request.id if certified.group is None else certified.group.id


@contextmanager
def checked_out(checkout: Checkout, commit: str) -> Iterator[Checkout]:
    """Check a commit out in a temporary folder, removed afterwards; the clone itself is not changed.

    Args:
        checkout: The clone.
        commit: The commit.

    Yields:
        Its checkout.
    """
    folder = Path(tempfile.mkdtemp(prefix=REPLAYS))
    tree = folder / "checkout"
    # The project may be below git's top folder.
    project = tree / run_git(checkout.root, "rev-parse", "--show-prefix")
    here, path = str(checkout.root.resolve()), list(sys.path)
    try:
        # Hooks of the clone would run in the folder.
        add = ("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach")
        run_git(checkout.root, *add, str(tree), commit)
        refuse_planted(project)
        # If the commit names a net of its own, it is the commit's and not the clone's.
        sys.path[:] = [place for place in path if place != here or is_source(checkout.root)]
        yield Checkout(project)
    finally:
        sys.path[:] = path
        shutil.rmtree(folder, ignore_errors=True)
        ask_git(checkout.root, "worktree", "prune")


@contextmanager
def own_tracking_store() -> Iterator[None]:
    """Make MLflow write into the current checkout, whatever server the environment names."""
    with restored("MLFLOW_TRACKING_URI"):
        unset_variable("MLFLOW_TRACKING_URI")
        yield


def place_inputs(
    checkout: Checkout, tree: Checkout, certified: DeletionCertificate, *, from_data: bool = False
) -> None:
    """Bring into a checked-out commit what its deletion reads, from the clone's cache or the remote.

    Args:
        checkout: The clone.
        tree: The commit.
        certified: The deletion.
        from_data: Bring only what the stages before the deletion read, not what they make.

    Raises:
        PipelineError: If something is missing from both or altered, or the commit's parameters, lock and
            ``.dvc`` files do not belong together.
    """
    refuse_other_params(tree.root)
    refuse_other_pins(tree, certified)
    settings = shared_settings(checkout)

    def bring(*paths: str) -> None:
        if paths:
            pull_data(tree, *paths, settings=settings)

    _place_request(checkout, tree, certified, bring)
    bring(_CODE)
    if from_data:
        bring(*_pinned(tree, "data/generations"), *_pinned(tree, "models/generations"))
        return
    bring(*READ)
    bring(*(path for path in _pinned(tree, "models/generations") if Path(path).name in ancestors(tree)))
    wanted, known = references(tree, certified.data.retained, certified.data.before), certified.pins
    bring(
        *(
            path
            for path in _pinned(tree, "models/references")
            # Any other is trained again: nobody certified that this one is what it is called.
            if Path(path).name in wanted and (known is None or f"{path}.dvc" in known)
        )
    )


def refuse_other_params(root: Path) -> None:
    """Refuse a commit whose parameters differ from those that its lock was written with.

    Args:
        root: The checkout.

    Raises:
        PipelineError: If any of them differs; each is named.
    """
    params = read_values(root)
    different = sorted(
        {
            name
            for stage in ("split", "unlearn")
            for name, value in _stage(root, stage)["params"]["params.yaml"].items()
            if _value(params, name) != value
        }
    )
    if different:
        raise PipelineError(
            f"params.yaml and dvc.lock of the commit differ in {', '.join(different)}: they were not "
            "committed together, so it is unknown what was run"
        )


def other_code(root: Path) -> list[str]:
    """Return the code that a deletion ran with and that differs or is missing here.

    Args:
        root: The checkout with the deletion's inputs.

    Returns:
        The paths of Lethe's files, compared with the running Lethe and not with the checkout, and the names
        of other packages' code.
    """
    checkout = Checkout(root)
    then = [json.loads((checkout.code / f"{stage}.json").read_bytes()) for stage in ("split", "unlearn")]
    digests = {path: digest for stage in then for path, digest in stage.items()}
    others = extension_digests(checkout.params).get("unlearn", {})
    return sorted(
        path for path, digest in digests.items() if (others.get(path) or _digest_here(path)) != digest
    )


def _place_request(checkout: Checkout, tree: Checkout, certified: DeletionCertificate, bring: Any) -> None:
    """Bring the request: from DVC or git, or from the clone, if somebody put it there by hand."""
    name = served_as(certified)
    path = tree.request(name)
    if path.with_name(f"{path.name}.dvc").is_file():
        bring(str(path.relative_to(tree.root)))
    elif not path.is_file() and checkout.request(name).is_file():
        path.parent.mkdir(exist_ok=True)
        shutil.copy(checkout.request(name), path)
    elif not path.is_file():
        raise SetupError(
            f"neither the commit nor DVC holds the request {name!r}; put it where it was served from, as "
            f"requests/{name}.json"
        )
    asked = {one.id: one.scope_digest for one in read_request(tree, name).singles}
    if (found := asked.get(certified.request.id)) != certified.request.scope:
        raise PipelineError(
            f"the request {name!r} here names {found}, the certified one {certified.request.scope}; use the "
            "one that was served"
        )


def _pinned(tree: Checkout, folder: str) -> list[str]:
    """Return what a commit has under DVC in a folder."""
    return sorted(
        str(path.relative_to(tree.root))[: -len(".dvc")] for path in (tree.root / folder).glob("*.dvc")
    )


def _digest(lock: str) -> Sha256 | None:
    """Return the digest of a lock, or None if it is not a lock: history may hold anything."""
    try:
        return digest_of_lock(lock)
    except (YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _stage(root: Path, name: str) -> dict[str, Any]:
    return load_yaml(root / "dvc.lock")["stages"][name]


def _value(params: dict[str, Any], name: str) -> Any:
    """Return a value by its dotted name."""
    value: Any = params
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _digest_here(path: str) -> Sha256 | None:
    """Return the digest of one of the running Lethe's files, or None if it has no such file."""
    file = own_root() / path
    return file_digest(file) if file.is_file() else None
