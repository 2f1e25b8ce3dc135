"""Checkpoints from MLflow's model registry: a version's one safetensors file, and nothing unpickled."""

from pathlib import Path

from tasks.checkout.files import file_digest
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD
from tasks.tracking.artifacts import stored_names
from tasks.tracking.registry import SCHEME
from unlearn_core.errors import ConfigurationError, EvidenceError, SetupError
from unlearn_core.records.adoption import Claims
from unlearn_core.records.artifact import CheckpointCard

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
        EvidenceError: If the weights are not those that its registered version or its card names.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    try:
        repository = get_artifact_repository(uri)
        files = sorted(stored_names(repository))
        weights = _only(uri, files)
        path = Path(repository.download_artifacts(weights, str(folder)))
        _refuse_other(uri, path, _tagged(uri), "registered")
        card = str(Path(weights).with_name(CARD))
        if card not in files:
            return path, Claims()
        raw = Path(repository.download_artifacts(card, str(folder))).read_bytes()
    except MlflowException as error:
        raise SetupError(f"{uri} cannot be fetched: {error.message}") from error
    described = CheckpointCard.parse(raw)
    _refuse_other(uri, path, described.weights, "named by its card")
    return path, _claims_of(described)


def _tagged(uri: str) -> str | None:
    """Return the digest that a version was registered with; None if Lethe did not register it."""
    from mlflow import MlflowClient

    client, address = MlflowClient(), uri.removeprefix(SCHEME)
    name, at, alias = address.partition("@")
    if at:
        return client.get_model_version_by_alias(name, alias).tags.get(Tag.WEIGHTS)
    name, _, version = address.partition("/")
    return client.get_model_version(name, version).tags.get(Tag.WEIGHTS) if version.isdecimal() else None


def _refuse_other(uri: str, weights: Path, expected: str | None, how: str) -> None:
    """Refuse weights that were replaced in the artifact store."""
    if expected is not None and (found := file_digest(weights)) != expected:
        raise EvidenceError(
            f"the weights of {uri} in the artifact store are {found}, {expected} was {how}: they were "
            "replaced. Nothing was adopted"
        )


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
