"""``lethe serve``: Lethe's deployments, served from one process."""

from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

from tasks.checkout.imports import own_root
from tasks.checkout.log import tell
from tasks.checkout.settings import WorkerSettings
from tasks.checkout.variables import set_variable
from tasks.orchestration.deploying import (
    DEPLOYMENTS,
    PURGE_POOL,
    prefect_explained,
    read_deployments,
    require_server,
)
from unlearn_core.names import printable


def serve_deployments(root: Path, *, limit: int, folder: Path = DEPLOYMENTS) -> None:
    """Serve until interrupted: all but what erases, which a person does in a checkout with ``lethe purge``.

    Args:
        root: The checkout.
        limit: The most flow runs at once.
        folder: Holds the ``prefect.yaml`` that describes the deployments.

    Raises:
        SetupError: If no Prefect server is named, or the folder describes no deployments.
        UnavailableError: If the server does not answer.
    """
    require_server()
    described = [one for one in read_deployments(folder) if not _erases(one)]
    tell(f"· {what_it_does(root)}")
    from prefect import serve

    # Runs start in this process's folder, and Prefect looks for modules there first: so it must be Lethe's,
    # not the project's, where anything may have the name of one of Lethe's packages.
    set_variable("LETHE_PROJECT", str(root.resolve()))
    with prefect_explained(), chdir(own_root()):
        serve(*(deployment_of(one) for one in described), limit=limit)


def _erases(described: dict[str, Any]) -> bool:
    """Tell whether a deployment is for workers that may erase."""
    pool = described.get("work_pool")
    return isinstance(pool, dict) and pool.get("name") == PURGE_POOL


def what_it_does(root: Path) -> str:
    """Say in which folder runs will work, and what they change there.

    Args:
        root: The checkout that is served from.

    Returns:
        One line.
    """
    if WorkerSettings.read().projects:
        # It loads torch, which a refusal does without.
        from tasks.lifecycle.projects import BRANCH

        return (
            "runs work in clones below LETHE_WORK, one for each model, and push each deletion to the branch "
            f"{BRANCH} of the repository that LETHE_PROJECTS names; this checkout stays as it is"
        )
    return (
        f"runs work in this very checkout, {printable(root.resolve().name)}: each deletion changes "
        "params.yaml, dvc.lock, data/, models/, reports/ and evidence/, and what is registered. Nothing is "
        "committed, and other commands that write here are refused while a run works. Set LETHE_PROJECTS and "
        "LETHE_WORK to work in clones instead"
    )


def deployment_of(described: dict[str, Any]) -> Any:
    """Return a deployment as ``prefect deploy`` would make it, without its work pool."""
    from prefect.events import DeploymentTriggerTypes
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType
    from pydantic import TypeAdapter

    module, _, name = described["entrypoint"].rpartition(".")
    triggers = TypeAdapter(list[DeploymentTriggerTypes]).validate_python(described.get("triggers", []))
    schedules = [
        Cron(one["cron"], timezone=one.get("timezone", "UTC"), active=one.get("active", True))
        for one in described.get("schedules", ())
    ]
    return getattr(import_module(module), name).to_deployment(
        name=described["name"],
        description=described["description"],
        tags=described["tags"],
        schedules=schedules,
        triggers=triggers,
        enforce_parameter_schema=described["enforce_parameter_schema"],
        # With a file path, a run would look for the flow below the folder that it is served from.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
