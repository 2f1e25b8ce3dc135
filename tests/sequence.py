"""Request after request on the same model, through the stages as plain functions."""

from pathlib import Path

from templates import run_stages
from world import SMALL, commit

from flows.stages.pipeline import DELETION, PREPARATION
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.data.datasets import read_manifest
from tasks.lifecycle.releases import continue_from_champion
from tasks.requests.request_file import make_scope, submit_request
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import Scope

# A handful of samples is too few to tell original and unlearned model apart: accept those with a note.
LENIENT = {**SMALL["policy"], "when_inconclusive": "accept_with_note"}


def of_class(name: str) -> Scope:
    return make_scope(classes=(name,), samples=(), subjects=())


def of_samples(root: Path, count: int) -> Scope:
    """Return a scope of the first training samples that are left."""
    manifest = read_manifest(Checkout(root).dataset)
    ids = manifest.sample_ids[manifest.splits == "train"][:count]
    return make_scope(classes=(), samples=tuple(str(one) for one in ids), subjects=())


def prepare(root: Path) -> None:
    """Bring the data set, the parent and the moments up to date."""
    run_stages(root, PREPARATION)


def serve_and_go_on(root: Path, request_id: str, scope: Scope) -> None:
    """Serve one request in a prepared checkout, go on from the model that forgot, and commit that."""
    serve(root, request_id, scope)
    continue_from_champion(Checkout(root))
    commit(root, f"Delete {request_id}")


def serve(root: Path, request_id: str, scope: Scope) -> DeletionRecord:
    """Serve one request in a prepared checkout."""
    checkout = Checkout(root)
    submit_request(checkout, DeletionRequest(id=request_id, scope=scope))
    run_stages(root, DELETION)
    return read_record(checkout.deletion, DeletionRecord)
