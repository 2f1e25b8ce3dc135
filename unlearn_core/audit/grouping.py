"""Several requests made into one: what a single unlearning run can serve together."""

from collections.abc import Sequence

from unlearn_core.errors import RequestError
from unlearn_core.records.request import DeletionRequest, Member, group_id, only_model, union


def make_group(requests: Sequence[DeletionRequest]) -> DeletionRequest:
    """Return the request that stands for several: the same ones, in any order, make the same group.

    Args:
        requests: At least two single requests of one kind. Their scopes may overlap.

    Returns:
        The group.

    Raises:
        RequestError: If there are fewer, one came twice or is a group itself, or they are of several kinds
            or for several models.
    """
    ids = [request.id for request in requests]
    if len(requests) < 2:
        raise RequestError(f"a group needs at least two requests, got {len(requests)}")
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise RequestError(f"{', '.join(twice)} came twice; a group has each request once")
    if groups := [request.id for request in requests if request.members]:
        raise RequestError(f"{', '.join(groups)} is a group already; give its members instead")
    if len(kinds := sorted({request.scope.kind for request in requests})) > 1:
        raise RequestError(
            f"a group names one kind of thing; these name {' and '.join(kinds)}: group by kind"
        )
    try:
        model = only_model(requests)
    except ValueError as error:
        raise RequestError(f"{error}: group by model") from error
    return DeletionRequest(
        id=group_id(request.summary.digest for request in requests),
        model=model,
        scope=union(request.scope for request in requests),
        members=tuple(
            Member(id=request.id, model=request.model, scope=request.scope)
            for request in sorted(requests, key=lambda one: one.id)
        ),
    )


def make_one(requests: Sequence[DeletionRequest]) -> DeletionRequest:
    """Return what stands for some requests: their group, or the only request.

    Args:
        requests: At least one.

    Returns:
        The request to serve.
    """
    return requests[0] if len(requests) == 1 else make_group(requests)
