"""MLflow's experiments: one per registered model, with a description for new readers."""

from typing import TYPE_CHECKING

from tasks.checkout.tags import Tag
from tasks.report.notes import note
from unlearn_core.errors import SetupError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


def open_experiment(client: "MlflowClient", model: str, artifacts: str | None) -> str:
    """Find or create the experiment of a registered model.

    Args:
        client: MLflow's client.
        model: The registered model's name, which is also the experiment's.
        artifacts: Where a new one keeps its artifacts, unless the server decides.

    Returns:
        MLflow's id of it.

    Raises:
        SetupError: If it was deleted in MLflow.
    """
    found = client.get_experiment_by_name(model)
    if found is None:
        found = _make(client, model, artifacts)
    if found.lifecycle_stage != "active":
        raise SetupError(
            f"the experiment {model!r} was deleted in MLflow; restore it with `mlflow experiments restore "
            f"--experiment-id {found.experiment_id}`, or choose another registry.model"
        )
    # A description that somebody has written stays.
    for name, value in _words(model).items():
        if name not in found.tags:
            client.set_experiment_tag(found.experiment_id, name, value)
    return found.experiment_id


def _make(client: "MlflowClient", model: str, artifacts: str | None) -> "Experiment":
    """Create an experiment, unless another process has just done so."""
    from mlflow.exceptions import MlflowException

    try:
        made = client.create_experiment(model, artifact_location=artifacts, tags=_words(model))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        found = client.get_experiment_by_name(model)
        made = found.experiment_id if found is not None else ""
    return client.get_experiment(made)


def _words(model: str) -> dict[str, str]:
    """Return the tags that make MLflow show an experiment as a training one, with a description."""
    return {
        Tag.MODEL: model,
        Tag.EXPERIMENT_KIND: "custom_model_development",
        Tag.NOTE: note("experiment", model=model),
    }
