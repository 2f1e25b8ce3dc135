"""Checkpoints from MLflow's model registry: a version's one safetensors file, and nothing unpickled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.computing.checkpoints import CARD
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.adoption import Claims
from unlearn_core.records.artifact import CheckpointCard

SCHEME = "models:/"
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib")


def fetch_weights(uri: str, folder: Path) -> tuple[Path, Claims]:
    """Download a registered model's weights, and the claims of its card if it is one of Lethe's.

    Args:
        uri: ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``, in the store that was opened last.
        folder: Where to write them.

    Returns:
        The safetensors file, and the claims.

    Raises:
        SetupError: If there is no such model.
        ConfigurationError: If it does not hold exactly one safetensors file.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        repository = get_artifact_repository(uri)
        files = sorted(_files(repository))
        weights = _only(uri, files)
        path = Path(repository.download_artifacts(weights, str(folder)))
        card = str(Path(weights).with_name(CARD))
        if card not in files:
            return path, Claims()
        raw = Path(repository.download_artifacts(card, str(folder))).read_bytes()
    except MlflowException as error:
        raise SetupError(f"{uri} cannot be fetched: {error.message}") from error
    return path, _claims_of(CheckpointCard.parse(raw))


def _files(repository: Any, folder: str | None = None) -> Iterator[str]:
    """Yield the path of every file of a model."""
    for entry in repository.list_artifacts(folder):
        if entry.is_dir:
            yield from _files(repository, entry.path)
        else:
            yield entry.path


def _only(uri: str, files: list[str]) -> str:
    found = [name for name in files if name.endswith(".safetensors")]
    if len(found) == 1:
        return found[0]
    pickled = [name for name in files if name.endswith(PICKLES)]
    hint = f"; {', '.join(pickled)} would have to be unpickled, which Lethe never does" if pickled else ""
    raise ConfigurationError(
        f"{uri} holds {len(found)} safetensors files, expected one{hint}. Log the weights with "
        "safetensors.torch.save_file, or name a file"
    )


def _claims_of(card: CheckpointCard) -> Claims:
    return Claims(
        architecture=card.architecture.name,
        classes=card.architecture.classes,
        normalisation=card.normalisation,
        recipe=card.recipe,
    )
