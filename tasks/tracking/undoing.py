"""Whether a model may take a champion's place: never one that knows what the registered one has forgotten."""

from tasks.checkout.tags import Tag
from tasks.tracking.registry import champion, versions_of
from tasks.tracking.runs import Tracking
from unlearn_core.audit.lineage import sources_of, would_undo
from unlearn_core.errors import RequestError
from unlearn_core.records.base import Sha256


def refuse_undoing(tracking: Tracking, name: str, *, request_id: str, ancestry: tuple[Sha256, ...]) -> None:
    """Refuse a model on data of which the registered one has already forgotten a part: it still knows it.

    Args:
        tracking: The store.
        name: The registered model's name.
        request_id: The request; the champion's own may be served again.
        ancestry: The digest of the data, and those of what it was retained from.

    Raises:
        RequestError: If the data that was retained is not among them, but any of its sources is.
    """
    unlearned = [one for one in versions_of(tracking, name) if Tag.RETAINED in one.tags]
    # A model that was adopted since has forgotten nothing; what was promised before it still holds.
    current = champion(tracking, name)
    last = current if current in unlearned else next(iter(unlearned[::-1]), None)
    if last is None or last.tags.get(Tag.REQUEST) == request_id:
        return
    deletions = [(one.tags[Tag.DATA], one.tags[Tag.RETAINED]) for one in unlearned]
    # Versions in between may have been deleted; those registered by earlier versions of Lethe say no more.
    named = last.tags.get(Tag.SOURCES, "").split()
    if would_undo({*named, *sources_of(last.tags[Tag.DATA], deletions)}, last.tags[Tag.RETAINED], ancestry):
        raise RequestError(
            f"{last} has forgotten request {last.tags[Tag.REQUEST]!r} from this data, and this parent still "
            "knows it; run `lethe next` to start from the champion, or name another registry.model"
        )
