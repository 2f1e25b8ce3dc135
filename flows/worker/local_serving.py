"""``lethe serve``: the deployments of ``infra/prefect.yaml``, served from one process."""

from importlib import import_module
from pathlib import Path
from typing import Any

from tasks.orchestration.deploying import explained, read_deployments, require_server


def serve_deployments(root: Path, *, limit: int) -> None:
    """Serve until interrupted.

    Args:
        root: The checkout.
        limit: How many flow runs there may be at once.

    Raises:
        SetupError: If no Prefect server is named, or the checkout describes no deployments.
        UnavailableError: If the server does not answer.
    """
    require_server()
    described = read_deployments(root / "infra")
    from prefect import serve

    with explained():
        serve(*(deployment_of(one) for one in described), limit=limit)


def deployment_of(described: dict[str, Any]) -> Any:
    """Return a deployment as ``prefect deploy`` would make it, less its work pool."""
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
        # By its file's path a run would look for the flow below the folder that is served in.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
