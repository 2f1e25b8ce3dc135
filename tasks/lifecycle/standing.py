"""A deletion request's standing in a checkout: new, unfinished, or served."""

from dataclasses import dataclass

from tasks.checkout.checkout import Checkout
from tasks.checkout.tags import Tag
from tasks.lifecycle.releases import ancestry, read_release
from tasks.requests.request_file import check_request, is_known, read_request
from tasks.requests.withdrawn import refuse_cancelled
from tasks.storage.versioning import is_pinned
from tasks.tracking.registry import champion, find_version
from tasks.tracking.runs import tracking_of
from tasks.tracking.server import has_store
from tasks.tracking.undoing import refuse_undoing
from unlearn_core.records.deletion import Released
from unlearn_core.records.request import DeletionRequest


@dataclass(frozen=True)
class New:
    """Nothing was released for the request here."""


@dataclass(frozen=True)
class Unfinished:
    """A run promoted a model that forgot the request, and was interrupted.

    Attributes:
        begun: The request of that run: this one, or a group that it is in.
    """

    begun: DeletionRequest


@dataclass(frozen=True)
class Served:
    """The request has been served completely.

    Attributes:
        releases: The release, or one for each member of a group, in order.
    """

    releases: tuple[Released, ...]


Standing = New | Unfinished | Served


def standing(checkout: Checkout, request: DeletionRequest) -> Standing:
    """Tell whether a request is new, unfinished or served.

    Args:
        checkout: The checkout.
        request: The request, or a group of them.

    Returns:
        Its standing, with what was found of it.

    Raises:
        RequestError: If it was not served and does not fit the data, or its id is taken by another scope.
    """
    if (releases := find_before(checkout, request)) is not None:
        return Served(releases)
    check_request(checkout, request)
    begun = find_unfinished(checkout)
    if begun is not None and all(any(map(one.asks_the_same, begun.singles)) for one in request.singles):
        return Unfinished(begun)
    return New()


def find_before(checkout: Checkout, request: DeletionRequest) -> tuple[Released, ...] | None:
    """Return the releases of exactly this request, as ``find_served`` does."""
    return find_served(checkout, request.id) if is_known(checkout, request) else None


def find_release(checkout: Checkout, request_id: str) -> Released | None:
    """Find the release of a request with the same scope, on this data or what it was retained from.

    Without its certificate a request does not count as served: serving it again writes one.

    Args:
        checkout: The checkout.
        request_id: The request's id; it may have been served in a group.

    Returns:
        The release, or None.
    """
    if not checkout.released(request_id).is_file():
        return None
    released, request = read_release(checkout, request_id), read_request(checkout, request_id)
    if not (checkout.root / released.certificate).is_file():
        return None
    served = released.group or request.summary
    if released.group is not None and request.summary.digest not in released.group.members:
        return None
    tags = {Tag.REQUEST: served.id, Tag.SCOPE: served.scope}
    version = find_version(tracking_of(checkout), released.registered_model, tags)
    if version is None or version.tags[Tag.DATA] not in ancestry(checkout):
        return None
    return released


def find_served(checkout: Checkout, request_id: str) -> tuple[Released, ...] | None:
    """Find the releases of a request, or of every member of a group, if it was served completely.

    Args:
        checkout: The checkout.
        request_id: The id of a request or of a group.

    Returns:
        One release, or one for each member, in order; None if anything is left to do.
    """
    if not checkout.request(request_id).is_file():
        return None
    singles = read_request(checkout, request_id).singles
    found = [find_release(checkout, single.id) for single in singles]
    settled = tuple(one for one in found if one is not None and _is_settled(checkout, one))
    return settled if len(settled) == len(singles) else None


def find_unfinished(checkout: Checkout) -> DeletionRequest | None:
    """Find the request whose model was promoted by a run that was then interrupted.

    It must be finished before anything else is served: the champion has forgotten it, the parent has not.

    Args:
        checkout: The checkout.

    Returns:
        The request that ``params.yaml`` names, possibly a group; None if nothing of it is left to do, or
        its model is not the champion.
    """
    named = checkout.params.request
    if not checkout.request(named).is_file() or find_served(checkout, named) is not None:
        return None
    promoted = champion(tracking_of(checkout), checkout.params.registry.model)
    request = read_request(checkout, named)
    own = {Tag.REQUEST: request.id, Tag.SCOPE: request.scope_digest}
    if promoted is None or not own.items() <= promoted.tags.items():
        return None
    return request if promoted.tags[Tag.DATA] in ancestry(checkout) else None


def _is_settled(checkout: Checkout, released: Released) -> bool:
    """Tell whether the last stage was pinned; that of an earlier request must have been."""
    served = released.outcome.request if released.group is None else released.group.id
    return checkout.params.request != served or is_pinned(checkout.root, checkout.outcome)


def refuse_new(checkout: Checkout, request: DeletionRequest) -> None:
    """Refuse to begin what was cancelled, or forgotten from this data before; nothing is changed.

    Args:
        checkout: The checkout.
        request: A request that is new here, or a group of them.

    Raises:
        RequestError: If it was cancelled, or the champion has already forgotten something from this data.
    """
    refuse_cancelled(checkout.root, request)
    if has_store(checkout.root):
        name = checkout.params.registry.model
        refuse_undoing(tracking_of(checkout), name, request_id=request.id, ancestry=ancestry(checkout))


def refuse_as_deletion_would(checkout: Checkout, request: DeletionRequest) -> None:
    """Refuse what ``delete`` would refuse at once.

    Args:
        checkout: The checkout.
        request: The request, or a group of them.

    Raises:
        RequestError: As ``standing`` and ``refuse_new`` do.
    """
    if not has_store(checkout.root) or isinstance(standing(checkout, request), New):
        refuse_new(checkout, request)
