"""Which version is in use, read from a local store without loading MLflow, changing or creating anything."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tasks.checkout.settings import ServiceSettings
from tasks.tracking.registry import CHAMPION, ModelVersion, champion
from tasks.tracking.runs import Tracking
from tasks.tracking.server import local_database


def read_champion(root: Path, name: str) -> ModelVersion | None:
    """Return the version in use.

    Args:
        root: The checkout.
        name: The registered model's name.

    Returns:
        The version, or None if there is none. A server that ``MLFLOW_TRACKING_URI`` names is asked by way of
        MLflow's client.
    """
    if address := ServiceSettings.read().tracking_uri:
        from mlflow import MlflowClient

        return champion(Tracking(MlflowClient(address), "", root), name)
    database = local_database(root)
    if not database.is_file():
        return None
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as store:
        query = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
        found = store.execute(query, (name, CHAMPION)).fetchone()
        if found is None:
            return None
        query = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"
        return ModelVersion(name, int(found[0]), dict(store.execute(query, (name, found[0]))))
