"""MLflow's model registry: versions found by digests, loaded without pickles, promoted by alias."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.checkout.files import file_digest, folder_digest, read_record
from tasks.checkout.tags import Tag
from tasks.report.notes import note
from tasks.tracking.runs import Run, Tracking
from tasks.tracking.served_code import copy_needed
from unlearn_core.audit.lineage import would_undo
from unlearn_core.errors import PipelineError, RequestError
from unlearn_core.factories import is_factory
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import Sha256

CHAMPION, PREVIOUS = "champion", "previous"
_STILL_KNOWS = "Still knows what"
SCHEME = "models:/"
"""How the address of a registered version begins."""


@dataclass(frozen=True)
class ModelVersion:
    """A registered version.

    Attributes:
        name: The registered model's name.
        version: Counts from 1 per name.
        tags: Its origin: digests and ids.
    """

    name: str
    version: int
    tags: dict[str, str]

    def __str__(self) -> str:
        return f"{self.name!r} version {self.version}"


def register_model(
    run: Run,
    name: str,
    *,
    weights: Path,
    card: Path,
    key: Sha256,
    tags: Mapping[str, str],
    description: str = "",
) -> ModelVersion:
    """Register a checkpoint as a model that MLflow can serve; the same one twice is one version.

    Args:
        run: The run that it came from.
        name: The registered model's name, created if it does not exist.
        weights: Safetensors.
        card: The ``CheckpointCard`` beside them.
        key: The deletion's key, as in ``deletion_run``.
        tags: Its origin: digests and ids. They must not name a person.
        description: The text for the version's page.

    Returns:
        The new version, or the one that has the same key and weights.

    Raises:
        PipelineError: If the weights do not match the card's digest.
    """
    described = read_record(card, CheckpointCard)
    if (found := file_digest(weights)) != described.weights:
        raise PipelineError(
            f"{weights} has digest {found}, its card says {described.weights}; nothing was registered"
        )
    identity = {Tag.DELETION_KEY: key, Tag.WEIGHTS: described.weights}
    if (existing := find_version(run.tracking, name, identity)) is not None:
        return existing
    model_id, files = _log_model(run, name, weights, card, described)
    client = run.tracking.client
    _ensure_registered(run.tracking, name)
    # The tags are set with the version itself: a crash in between would leave one that is never found again.
    created = client.create_model_version(
        name,
        f"models:/{model_id}",
        run_id=run.id,
        tags={**tags, **identity, Tag.FILES: files},
        description=description,
        model_id=model_id,
    )
    return _described(created)


def promote(tracking: Tracking, name: str, version: int) -> None:
    """Move ``champion`` to a version; the one that had it becomes ``previous``.

    Promoting the champion again changes nothing, so a repeat keeps ``previous``.

    Args:
        tracking: The store.
        name: The registered model's name.
        version: The version.
    """
    current = champion(tracking, name)
    if current is not None and current.version == version:
        return
    # First ``previous``, then ``champion``: after a crash in between, a repeat does the rest.
    if current is not None:
        _say_what_it_knows(tracking, current, version)
        tracking.client.set_registered_model_alias(name, PREVIOUS, str(current.version))
    tracking.client.set_registered_model_alias(name, CHAMPION, str(version))


def _say_what_it_knows(tracking: Tracking, current: ModelVersion, successor: int) -> None:
    """Begin the description of a version with what it still knows, where its successor forgot something."""
    client = tracking.client
    request = client.get_model_version(current.name, str(successor)).tags.get(Tag.REQUEST)
    described = client.get_model_version(current.name, str(current.version)).description or ""
    if request is None or described.startswith(_STILL_KNOWS):
        return
    told = note("previous", knows=_STILL_KNOWS, request=request, successor=str(successor), model=current.name)
    client.update_model_version(current.name, str(current.version), f"{told}\n{described}")


def champion(tracking: Tracking, name: str) -> ModelVersion | None:
    """Return the version in use, or None if there is none."""
    return _by_alias(tracking, name, CHAMPION)


def previous(tracking: Tracking, name: str) -> ModelVersion | None:
    """Return the version that was in use before, or None if there is none."""
    return _by_alias(tracking, name, PREVIOUS)


def refuse_undoing(tracking: Tracking, name: str, *, request_id: str, ancestry: tuple[Sha256, ...]) -> None:
    """Refuse to serve a request on data that the champion has already forgotten a part of.

    The request's parent would still know that part, and so would the model that replaces the champion.

    Args:
        tracking: The store.
        name: The registered model's name.
        request_id: The request; the champion's own may be served again.
        ancestry: The digest of the data, and those of what it was retained from.

    Raises:
        RequestError: If the data that the champion retained is not among them, but its source is.
    """
    current = champion(tracking, name)
    if current is None or current.tags.get(Tag.REQUEST) == request_id:
        return
    if would_undo(current.tags.get(Tag.DATA), current.tags.get(Tag.RETAINED), ancestry):
        forgotten = current.tags[Tag.REQUEST]
        raise RequestError(
            f"{name!r} version {current.version} has forgotten request {forgotten!r} from this data, but the "
            "parent that params.yaml names still knows it; run `lethe next` to start from the champion, or "
            "name another registry.model"
        )


def find_version(tracking: Tracking, name: str, tags: Mapping[str, str]) -> ModelVersion | None:
    """Find the version that has all of some tags.

    Args:
        tracking: The store.
        name: The registered model's name.
        tags: The tags and their values.

    Returns:
        The oldest such version, or None.
    """
    found = tracking.client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])
    matching = (entry for entry in found if tags.items() <= (entry.tags or {}).items())
    return next((_described(entry) for entry in matching), None)


def _by_alias(tracking: Tracking, name: str, alias: str) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    try:
        return _described(tracking.client.get_model_version_by_alias(name, alias))
    except MlflowException as error:
        # An unknown alias is INVALID_PARAMETER_VALUE, an unknown name RESOURCE_DOES_NOT_EXIST.
        if error.error_code in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"}:
            return None
        raise


def _ensure_registered(tracking: Tracking, name: str) -> None:
    """Create a registered model with a description; one that somebody has written stays."""
    found = tracking.client.search_registered_models(f"name = '{name}'", max_results=1)
    words = note("registered_model", model=name, experiment=tracking.experiment_id)
    if not found:
        tracking.client.create_registered_model(name, description=words)
    elif not found[0].description:
        tracking.client.update_registered_model(name, description=words)


def _log_model(
    run: Run, name: str, weights: Path, card: Path, described: CheckpointCard
) -> tuple[str, Sha256]:
    """Store a servable model with its own copy of the core; return its id, and the digest of its files."""
    import mlflow
    import numpy as np
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    client, net = run.tracking.client, described.architecture.name
    tags = {Tag.WEIGHTS: described.weights}
    logged = client.create_logged_model(run.tracking.experiment_id, name, source_run_id=run.id, tags=tags)
    with tempfile.TemporaryDirectory() as folder:
        code, *artifacts = _copied(Path(folder), Path(__file__).with_name("served_model.py"), weights, card)
        mlflow.pyfunc.save_model(
            f"{folder}/model",
            # MLflow's own logging puts the store's absolute path here, and a home folder may name a person.
            mlflow_model=Model(artifact_path=name, run_id=run.id, model_id=logged.model_id),
            python_model=code,
            artifacts=dict(zip(("weights", "card"), artifacts, strict=True)),
            code_paths=[str(copy_needed("tasks.tracking.served_model", Path(folder)))],
            # Stored beside the model, so that neither weights nor card can be replaced alone.
            model_config={"weights": described.weights, "factories": [net] if is_factory(net) else []},
            signature=_signature(described),
            # Stored with the model, so it must not be a person's image.
            input_example=np.zeros((1, *described.architecture.input_shape), dtype=np.float32),
            pip_requirements=_requirements(),
        )
        files = folder_digest(Path(folder, "model"))
        client.log_model_artifacts(logged.model_id, f"{folder}/model")
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run.id, [LoggedModelOutput(logged.model_id, step=0)])
    return logged.model_id, files


def _copied(folder: Path, *paths: Path) -> tuple[str, ...]:
    """Return copies in a folder: MLflow stores the paths that it is given, and a home may name a person."""
    return tuple(str(shutil.copyfile(path, folder / path.name)) for path in paths)


def _signature(card: CheckpointCard) -> Any:
    """Return the signature: images in, logits out, any batch size; unnamed, to allow plain arrays."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    images = TensorSpec(np.dtype(np.float32), (-1, *card.architecture.input_shape))
    logits = TensorSpec(np.dtype(np.float32), (-1, len(card.architecture.classes)))
    return ModelSignature(inputs=Schema([images]), outputs=Schema([logits]))


def _requirements() -> list[str]:
    """Return what serving needs, in the installed versions; inferring it would run the model."""
    from importlib.metadata import version

    packages = (
        "mlflow",
        "torch",
        "torchvision",
        "numpy",
        "safetensors",
        "pydantic",
        "pillow",
        "scikit-learn",
    )
    return [f"{package}=={version(package)}" for package in packages]


def _described(version: Any) -> ModelVersion:
    return ModelVersion(version.name, int(version.version), dict(version.tags or {}))
