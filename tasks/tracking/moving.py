"""MLflow's local store after its project was moved or copied: it holds absolute addresses of all artifacts.

MLflow itself cannot change them. Left as they are, a copy would write to the place that it was copied from,
and load models from there. So they are corrected in the database before MLflow opens it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tasks.checkout.tags import Tag
from unlearn_core.errors import SetupError

ARTIFACTS = "artifacts"
LOCK_WAIT_S = 60
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""The columns that hold addresses of artifacts."""


def settle(folder: Path) -> None:
    """Update a store's addresses that name a folder where it was before.

    Addresses outside its folder stay as they are.

    Args:
        folder: The folder of the store, absolute; it need not exist.

    Raises:
        SetupError: If it was moved, and its database cannot be written.
    """
    database = folder / "mlflow.db"
    if not database.is_file():
        return
    with closing(sqlite3.connect(database, timeout=LOCK_WAIT_S)) as store:
        if not (elsewhere := _earlier_folders(store, folder)):
            return
        try:
            with store:
                _rewrite(store, elsewhere, folder)
        except sqlite3.OperationalError as error:
            raise SetupError(
                f"{database} names the folder that it was in before it was moved or copied, and cannot be "
                f"written ({error}); give yourself write permission"
            ) from error


def _earlier_folders(store: sqlite3.Connection, folder: Path) -> list[str]:
    """Return where the store was, from the artifact locations of Lethe's experiments, beside the database."""
    if not {"experiments", "experiment_tags"} <= {table for table, _ in _columns(store)}:
        return []
    own = store.execute(
        "SELECT DISTINCT artifact_location FROM experiments JOIN experiment_tags USING (experiment_id) "
        "WHERE key = ? AND artifact_location LIKE ?",
        (
            Tag.MODEL,
            f"file:///%/{folder.name}/{ARTIFACTS}",
        ),
    )
    found = {str(location).removesuffix(f"/{ARTIFACTS}") for (location,) in own}
    return sorted(found - {folder.as_uri()})


def _rewrite(store: sqlite3.Connection, elsewhere: list[str], folder: Path) -> None:
    """Replace the earlier folders by the current one, in URIs and in plain paths."""
    known = _columns(store)
    for earlier in elsewhere:
        for old, new in ((earlier, folder.as_uri()), (unquote(urlsplit(earlier).path), str(folder))):
            for table, column in (place for place in PLACES if place in known):
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, len(old) + 1, f"{old}/"),
                )


def _columns(store: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return every column of the database, with its table."""
    query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    return {(str(table), str(column)) for table, column in store.execute(query)}
