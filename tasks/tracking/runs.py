"""MLflow's tracking store: one run per deletion, with its inputs and outputs.

Runs are found by tags that carry digests, never by a handle that a process keeps: stages in different
processes add to the same run, and a repeat of the same work finds it again. Everything goes through
``MlflowClient``: the fluent API would change the status of a run that it resumes, and tag it with the name of
the system's user.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tasks.checkout.begun import note_begun
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import configure_libraries
from tasks.checkout.log import note_run
from tasks.checkout.tags import Tag
from tasks.checkout.variables import restored
from tasks.tracking.experiments import open_experiment
from tasks.tracking.server import addresses
from unlearn_core.audit.clocks import as_time
from unlearn_core.records.base import Sha256, UtcTime

if TYPE_CHECKING:
    from mlflow import MlflowClient

RunStatus = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

# How many characters of a data set's digest MLflow's stores keep.
_DIGEST_LENGTH = 36


@dataclass(frozen=True)
class Tracking:
    """An open tracking store.

    Attributes:
        client: MLflow's client for it, and for the model registry in it.
        experiment_id: The experiment of the runs.
        folder: Where what begins in it is noted.
    """

    client: "MlflowClient"
    experiment_id: str
    folder: Path


@dataclass(frozen=True)
class Run:
    """A handle on a run; it can be dropped, since ``deletion_run`` finds the run again.

    Attributes:
        tracking: Where the run is.
        id: MLflow's id of it.
    """

    tracking: Tracking
    id: str


def tracking_of(checkout: Checkout) -> Tracking:
    """Open the tracking store of a checkout: its model's experiment."""
    return open_tracking(checkout.root, checkout.params.registry.model)


def open_tracking(folder: Path, model: str) -> Tracking:
    """Open the tracking store: the server that ``MLFLOW_TRACKING_URI`` names, or ``mlruns`` in a folder.

    The address becomes MLflow's default in this process, so that ``models:/`` addresses can be loaded.

    Args:
        folder: A checkout's top folder, or any folder; created if it does not exist.
        model: The registered model whose experiment is wanted.

    Returns:
        The open store.
    """
    configure_libraries()
    import mlflow
    from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

    address, artifacts = addresses(folder)
    if mlflow.get_tracking_uri() != address:
        # It is keyed only by a run's id, and a copy of a store has the same runs.
        _artifact_repos_cache.clear()
    # MLflow sets it in the environment, where the next checkout in this process would find it.
    with restored("MLFLOW_TRACKING_URI"):
        mlflow.set_tracking_uri(address)
    client = mlflow.MlflowClient(address)
    return Tracking(client, open_experiment(client, model, artifacts), folder)


def deletion_run(
    tracking: Tracking, *, request_id: str, key: Sha256, tags: Mapping[str, str] | None = None
) -> Run:
    """Find or start the run of a deletion.

    Args:
        tracking: The store.
        request_id: The request's id; the only part of the request that is stored.
        key: What identifies a deletion: the digest of scope, data, model and settings.
        tags: More tags, set whether the run is new or not. They must not name a person.

    Returns:
        The run. Its status stays until ``end_run`` changes it.
    """
    fixed = {Tag.REQUEST: request_id, Tag.SOURCE: request_id}
    own = {**fixed, **(tags or {}), Tag.KIND: "deletion", Tag.DELETION_KEY: key}
    run = find_or_start(tracking, Tag.DELETION_KEY, name=f"delete {request_id}", tags=own)
    note_run(run.id)
    return run


def comparison_run(tracking: Tracking, *, request_id: str, key: Sha256) -> Run:
    """Find or start the run that holds methods tried beside a deletion, for comparison only."""
    named = {Tag.REQUEST: request_id, Tag.SOURCE: request_id}
    tags = {Tag.COMPARISON_KEY: key, **named, Tag.KIND: "comparison"}
    return find_or_start(tracking, Tag.COMPARISON_KEY, name=f"compare {request_id}", tags=tags)


def adoption_run(tracking: Tracking, *, name: str, key: Sha256) -> Run:
    """Find or start the run that an adopted model is registered from.

    Args:
        tracking: The store.
        name: The registered model's name.
        key: What identifies an adoption: the digest of weights and data.

    Returns:
        The run.
    """
    tags = {Tag.ADOPTION_KEY: key, Tag.KIND: "adoption"}
    return find_or_start(tracking, Tag.ADOPTION_KEY, name=f"adopt {name}", tags=tags)


def end_run(run: Run, status: RunStatus) -> None:
    """Set how a run ended; ``RUNNING`` opens it again."""
    if status == "RUNNING":
        run.tracking.client.update_run(run.id, status)
    else:
        run.tracking.client.set_terminated(run.id, status)


def started_at(run: Run) -> UtcTime:
    """Return when a run began, UTC, to the second."""
    milliseconds = run.tracking.client.get_run(run.id).info.start_time
    return as_time(milliseconds // 1000)


def set_tags(run: Run, tags: Mapping[str, str]) -> None:
    """Set tags on a run, all in one call; they must not name a person.

    ``Tag.RUN_NAME`` sets the run's name, ``Tag.NOTE`` its description.
    """
    from mlflow.entities import RunTag

    if tags:
        entries = [RunTag(name, value) for name, value in tags.items()]
        run.tracking.client.log_batch(run.id, tags=entries)


def log_dataset_input(run: Run, *, name: str, digest: Sha256, source: str, context: str) -> None:
    """Log that a run read a data set; logging it twice changes nothing.

    Args:
        run: The run.
        name: The data set's name.
        digest: The digest of its rows. MLflow keeps 36 characters of it; a tag holds all of it.
        source: Where it is: a path in the checkout, or an address.
        context: What it was read for, for example ``training`` or ``retained``.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    short = digest.removeprefix("sha256:")[:_DIGEST_LENGTH]
    dataset = Dataset(name, short, source_type="local", source=json.dumps({"uri": source}))
    tags = [InputTag(Tag.CONTEXT, context), InputTag(Tag.ROWS, digest)]
    run.tracking.client.log_inputs(run.id, [DatasetInput(dataset, tags)])


def log_documents(run: Run, *paths: Path, artifact_path: str | None = None) -> None:
    """Copy files, or the contents of folders, into a run's artifacts, replacing those of the same name.

    Args:
        run: The run.
        paths: Files and folders.
        artifact_path: The folder among the artifacts; their root by default.
    """
    for path in paths:
        log = run.tracking.client.log_artifacts if path.is_dir() else run.tracking.client.log_artifact
        log(run.id, str(path), artifact_path)


def find_or_start(tracking: Tracking, tag: str, *, name: str, tags: dict[str, str]) -> Run:
    """Return the run that carries a tag, or start it.

    Args:
        tracking: The store.
        tag: The tag that identifies the run; its value is in ``tags``.
        name: The name of a new run.
        tags: The run's tags.

    Returns:
        The run; an existing one gets these tags, and keeps its name and other tags. One that was cut short is
        open again.
    """
    search = f"tags.`{tag}` = '{tags[tag]}'"
    note_begun(tracking.folder, "mlflow", search)
    # The oldest one wins, so that two processes that both started one agree from then on.
    found = tracking.client.search_runs(
        [tracking.experiment_id],
        search,
        max_results=1,
        order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
    )
    if found:
        run, known = Run(tracking, found[0].info.run_id), found[0].data.tags
        if found[0].info.status == "KILLED":
            end_run(run, "RUNNING")
        set_tags(run, {key: value for key, value in tags.items() if known.get(key) != value})
        return run
    return Run(
        tracking, tracking.client.create_run(tracking.experiment_id, tags=tags, run_name=name).info.run_id
    )
