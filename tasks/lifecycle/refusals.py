"""What a command refuses before it loads torch, MLflow, Prefect or DVC; nothing here loads any of them.

A wrong word then costs a moment, and changes nothing. The checks at the place of the work stay: a worker
comes by there without a command line, and the project may have changed in between.
"""

from tasks.checkout.checkout import Checkout
from tasks.keys.signing import require_keys
from tasks.requests.request_file import check_request, nothing_about, read_request
from tasks.storage.object_store import find_store
from tasks.tracking.server import has_store
from unlearn_core.errors import SetupError
from unlearn_core.records.request import DeletionRequest


def require_ready() -> None:
    """Refuse to begin what could not be signed and stored here.

    Raises:
        SetupError: If keys are missing, or the bucket cannot be used.
        UnavailableError: If the bucket does not answer.
    """
    require_keys()
    if (store := find_store()) is not None:
        store.require()


def require_fitting(checkout: Checkout, request: DeletionRequest) -> None:
    """Refuse a request that does not fit the data, as ``check_request`` does.

    One that was released here is left alone: the data may have moved on since.

    Args:
        checkout: The checkout.
        request: The request, or a group of them.
    """
    if not all(checkout.released(one.id).is_file() for one in request.singles):
        check_request(checkout, request)


def require_named(checkout: Checkout) -> None:
    """Refuse work for the request that ``params.yaml`` names if it is not there, or could not be resolved.

    Args:
        checkout: The checkout.
    """
    require_fitting(checkout, read_request(checkout, checkout.params.request))
    require_keys()


def require_accepted(checkout: Checkout) -> None:
    """Refuse to continue from a deletion that was never made.

    Raises:
        SetupError: If nothing has been deleted here yet.
    """
    if not checkout.unlearned.is_dir():
        raise SetupError("no deletion has been accepted in this checkout yet; serve one with `lethe delete`")


def require_facts(checkout: Checkout, request_id: str) -> None:
    """Refuse a report on a request that nothing here is about.

    Raises:
        SetupError: If neither a deletion nor the facts of an earlier one are here.
    """
    if not checkout.report_facts(request_id).is_file() and not (checkout.split / "split.json").is_file():
        raise SetupError(nothing_about(checkout, request_id))


def has_evidence(checkout: Checkout) -> bool:
    """Tell whether a checkout or its registry may hold anything that can be verified."""
    models = checkout.unlearned.is_dir() or (checkout.root / "models" / "generations").is_dir()
    return models or bool(checkout.with_evidence()) or has_store(checkout.root)
