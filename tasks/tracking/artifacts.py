"""A registered version's files in MLflow's artifact store, compared with what the registry says of them.

Whoever can write to the artifact store can replace weights, card and code, and MLflow would serve them. So a
version is fetched to a folder of its own, and nothing in it is parsed or run before its digest was compared.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.checkout.files import file_digest, folder_digest
from tasks.checkout.names import refuse_unsafe_name
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, WEIGHTS
from tasks.tracking.registry import ModelVersion
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.artifact import CheckpointCard

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

_MLFLOWS_NOTE = "registered_model_meta"
"""What MLflow adds to every copy that it fetches by a registered model's name."""


def load_registered(version: ModelVersion) -> "PyFuncModel":
    """Load a registered version, if all of its files are those that were registered.

    Unlike ``mlflow.pyfunc.load_model``, it runs no code of the artifact store that was put there later.

    Args:
        version: The version, as ``registry.champion`` returns it.

    Returns:
        MLflow's model: ``predict`` takes images and returns logits.

    Raises:
        EvidenceError: If a file was replaced, added or removed, or it is not known what was registered.
    """
    import mlflow

    with fetched(version) as folder:
        refuse_replaced(version, folder)
        if Tag.FILES not in version.tags:
            raise EvidenceError(
                f"{version} was registered by a Lethe that did not record its code's digest ({Tag.FILES}): "
                "the weights are right, the code is unknown. Nothing was run"
            )
        return mlflow.pyfunc.load_model(str(folder))


@contextmanager
def fetched(version: ModelVersion) -> Iterator[Path]:
    """Yield a temporary folder with a copy of a version's files.

    Raises:
        SetupError: If there are none, or the store does not give them out.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with tempfile.TemporaryDirectory() as scratch:
        try:
            repository = get_artifact_repository(f"models:/{version.name}/{version.version}")
            # Python writes compiled code beside the code that it runs; a copy never contains any.
            names = [name for name in stored_names(repository) if "__pycache__" not in name.split("/")]
            for name in names:
                repository.download_artifacts(name, scratch)
        except (MlflowException, OSError) as error:
            raise SetupError(f"the files of {version} cannot be fetched: {error}") from error
        if not names:
            raise SetupError(f"the files of {version} are gone from the artifact store")
        Path(scratch, _MLFLOWS_NOTE).unlink(missing_ok=True)
        yield Path(scratch)


def stored_names(repository: Any, folder: str | None = None) -> Iterator[str]:
    """Yield the path of every file of a model, each a plain path below the model's folder."""
    for entry in repository.list_artifacts(folder):
        refuse_unsafe_name(entry.path, "the artifact store")
        if entry.is_dir:
            yield from stored_names(repository, entry.path)
        else:
            yield entry.path


def refuse_replaced(version: ModelVersion, folder: Path) -> None:
    """Refuse a version whose files are not those that its tags name.

    Args:
        version: The version.
        folder: Its files.

    Raises:
        EvidenceError: If weights, card or another file differ; the message says which and how.
    """
    tagged = version.tags.get(Tag.WEIGHTS)
    if (weights := _only(folder, WEIGHTS)) is None or (card := _only(folder, CARD)) is None:
        raise EvidenceError(f"{version} does not have one {WEIGHTS} and one {CARD} in the artifact store")
    if (found := file_digest(weights)) != tagged:
        raise EvidenceError(
            f"the weights of {version} in the artifact store are {found}, {tagged} was registered: they were "
            "replaced. Do not serve this version; restore the file, or promote `previous`"
        )
    if (named := CheckpointCard.parse(card.read_bytes()).weights) != found:
        raise EvidenceError(f"the card of {version} in the artifact store is of {named}: it was replaced")
    expected = version.tags.get(Tag.FILES)
    if expected is not None and folder_digest(folder) != expected:
        raise EvidenceError(
            f"the weights of {version} are those that were registered, but another of its files in the "
            "artifact store was replaced, added or removed: code, requirements or MLmodel. Do not load it"
        )


def _only(folder: Path, name: str) -> Path | None:
    found = list(folder.rglob(name))
    return found[0] if len(found) == 1 else None
