"""How the steps of a flow are named on Prefect's pages, and which of their failures are retried."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.checkout.patience import STEP

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

TITLES = {
    "code": "list the code of each stage",
    "dataset": "read the data",
    "parent": "get the model to start from",
    "moments": "collect second moments",
    "split": "split off the forget set",
    "certify": "sign, register, report",
}
"""What each stage of ``dvc.yaml`` does; the flow of a deletion has its own tasks for ``unlearn``."""


def stage_name(parameters: dict[str, Any]) -> str:
    """Name the run of a stage."""
    name = parameters["name"]
    return f"{name}: {TITLES[name]}"


def measuring_name(parameters: dict[str, Any]) -> str:
    """Name the task that measures a model: the original, a retrained one, or an attempt."""
    folder = Path(parameters["checkpoint"])
    if folder.parent.name == "references":
        return "measure a retrained model"
    return "measure the original model" if folder.name == "parent" else f"measure {folder.name}"


STAGE: dict[str, Any] = {"name": "stage", "task_run_name": stage_name}
MEASURING: dict[str, Any] = {"name": "evaluate", "task_run_name": measuring_name}
"""How these tasks are named. Prefect's types do not allow for a function of the parameters."""


def may_pass(_task: Any, _run: Any, state: "State") -> bool:
    """Tell whether the failure of a task is worth another try."""
    return STEP.passes(state.result(raise_on_failure=False))


RETRIES: dict[str, Any] = {
    "retries": len(STEP.pauses_s),
    "retry_delay_seconds": list(STEP.pauses_s),
    "retry_condition_fn": may_pass,
}
"""How Prefect retries a step that talks to a store."""
