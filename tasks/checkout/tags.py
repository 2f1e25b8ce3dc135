"""The names of tags, by which runs, versions and events are found in MLflow and Prefect.

Records carry no tags: the ``schema_version`` of a record, e.g. ``lethe.request/1``, is in its class.
A tag never names a person.
"""

from collections.abc import Mapping
from typing import Literal

from unlearn_core.records.base import RegistryName, Sha256
from unlearn_core.records.request import RequestId


class Tag:
    """Tags in MLflow: of runs, registered versions, experiments and data sets."""

    KIND = "lethe.kind"
    """What a run is: a deletion, an attempt, a comparison, an adoption, or a benchmark."""

    # By these, repeated work finds its earlier results.
    DELETION_KEY = "lethe.deletion_key"
    ATTEMPT_KEY = "lethe.attempt_key"
    COMPARISON_KEY = "lethe.comparison_key"
    ADOPTION_KEY = "lethe.adoption_key"
    BENCHMARK_KEY = "lethe.benchmark_key"

    REQUEST = "lethe.request"
    REQUESTS = "lethe.requests"
    """The ids of requests that are served together, on one line."""
    SCOPE = "lethe.scope"
    SCOPE_KIND = "lethe.scope_kind"
    DUE = "lethe.due"

    VERDICT = "lethe.verdict"
    """The verdict on the claim *behaves*; of attempts and refused deletions also *drifted*, *relapsed*."""
    REMOVED = "lethe.removed"
    """The verdict on the claim *removed*, or ``NOT_JUDGED``."""
    METHOD = "lethe.method"
    LEVEL = "lethe.level"
    SHOWN = "lethe.shown"
    ACCEPTED = "lethe.accepted"
    """Whether an attempt's model was accepted: yes or no."""
    REASON = "lethe.reason"
    POLICY = "lethe.policy"

    MODEL = "lethe.model"
    WEIGHTS = "lethe.weights"
    FILES = "lethe.files"
    """The digest of all files that a version has in the artifact store: weights, card, code, requirements."""
    ERASED = "lethe.erased"
    """When the files of a version were erased."""
    PARENT_WEIGHTS = "lethe.parent_weights"
    PARENT_VERSION = "lethe.parent_version"
    REGISTERED_VERSION = "lethe.registered_version"

    DATA = "lethe.data"
    """The digest of the data before the deletion, on a version that has forgotten a part of it."""
    RETAINED = "lethe.retained"
    SOURCES = "lethe.retained.sources"
    """The digests of all data that it was retained from, the latest first; versions may be deleted."""
    TRAINED_ON = "lethe.trained_on"
    """The digest of the data that an adopted model was trained on."""
    ROWS = "lethe.sha256"
    """The whole digest of a data set's rows; MLflow itself keeps 36 characters of it."""

    COMMIT = "lethe.commit"
    CERTIFICATE = "lethe.certificate"

    # MLflow's own.
    RUN_NAME = "mlflow.runName"
    NOTE = "mlflow.note.content"
    """The description on the page of a run, a version or an experiment, in Markdown."""
    PARENT_RUN = "mlflow.parentRunId"
    SOURCE = "mlflow.source.name"
    """What a run came from, which MLflow shows in its list: the request."""
    EXPERIMENT_KIND = "mlflow.experimentKind"
    CONTEXT = "mlflow.data.context"


def certificate_tags(digests: Mapping[RequestId, Sha256]) -> dict[str, str]:
    """Return the tags of certificates by request: one for a single request, one per member of a group."""
    if len(digests) == 1:
        (digest,) = digests.values()
        return {Tag.CERTIFICATE: digest}
    return {f"{Tag.CERTIFICATE}.{request}": digest for request, digest in digests.items()}


def flow_tag(kind: Literal["model", "project", "request", "verdict", "method", "command"], value: str) -> str:
    """Return a tag of Prefect's flow runs, which have no value of their own."""
    return f"{kind}:{value}"


SUBMITTED = "lethe.request.submitted"
"""The event sent to Prefect when a request arrives."""


SUBMITTED_TOGETHER = "lethe.requests.submitted"
"""The event that tells that several requests on one model wait."""


def model_resource(model: RegistryName) -> str:
    """Return what Prefect calls the model that an event is about."""
    return f"{Tag.MODEL}.{model}"


def event_resource(request: RequestId) -> str:
    """Return Prefect's name for the resource of an event about a request."""
    return f"{Tag.REQUEST}.{request}"
