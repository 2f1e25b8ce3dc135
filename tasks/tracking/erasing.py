"""Erase registered models that learned what was purged: their files go, the entry in the registry stays.

The entry says which request a version served, and from which data; it is how Lethe knows that a request was
served, and it holds no weights.
"""

from collections.abc import Collection, Iterator
from typing import Any

from tasks.checkout.tags import Tag
from tasks.tracking.registry import SCHEME
from tasks.tracking.runs import Tracking
from unlearn_core.records.base import Sha256, UtcTime
from unlearn_core.records.request import RequestId


def erase_versions(
    tracking: Tracking, weights: Collection[Sha256], *, request: RequestId, at: UtcTime
) -> int:
    """Erase the files of every version that has certain weights, under whatever name.

    Args:
        tracking: The store.
        weights: The digests of the weights.
        request: The request that is purged.
        at: When.

    Returns:
        How many versions were erased; one that was erased before is not counted.
    """
    erased = 0
    for version in _versions(tracking):
        if version.tags.get(Tag.WEIGHTS) in weights and Tag.ERASED not in version.tags:
            _erase(tracking, version)
            # Last, so that what was interrupted is done again.
            words = f"Its files were erased on {at[:10]}, with what request {request} named."
            tracking.client.update_model_version(version.name, version.version, words)
            tracking.client.set_model_version_tag(version.name, version.version, Tag.ERASED, at)
            erased += 1
    return erased


def registered_weights(tracking: Tracking) -> set[Sha256]:
    """Return the digests of the weights of all versions: the models that were accepted or adopted."""
    found = (version.tags.get(Tag.WEIGHTS) for version in _versions(tracking))
    return {weights for weights in found if weights is not None}


def _versions(tracking: Tracking) -> Iterator[Any]:
    """Yield every version of every registered model, page by page."""
    token = None
    while (page := tracking.client.search_model_versions(page_token=token)) is not None:
        yield from page
        if not (token := page.token):
            return


def _erase(tracking: Tracking, version: Any) -> None:
    """Delete a version's aliases, its files and its logged model."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client = tracking.client
    for alias in client.get_model_version(version.name, version.version).aliases:
        client.delete_registered_model_alias(version.name, alias)
    try:
        # The registry in a database keeps where a version is from, and not the logged model's id.
        logged = client.get_logged_model(version.source.removeprefix(SCHEME))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return  # an interrupted purge deleted it
    get_artifact_repository(logged.artifact_location).delete_artifacts()
    client.delete_logged_model(logged.model_id)
