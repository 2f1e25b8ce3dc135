"""What an older version of a model still knows, said where people look: in its description."""

from tasks.checkout.tags import Tag
from tasks.report.notes import note
from tasks.tracking.runs import Tracking

_STILL_KNOWS = "Still knows what"


def say_what_it_knows(tracking: Tracking, name: str, version: int, *, successor: int) -> None:
    """Begin the description of a version with what its successor forgot, if that forgot anything; once.

    Args:
        tracking: The store.
        name: The registered model's name.
        version: The version that is replaced.
        successor: The one that replaces it.
    """
    client = tracking.client
    request = client.get_model_version(name, str(successor)).tags.get(Tag.REQUEST)
    described = client.get_model_version(name, str(version)).description or ""
    if request is None or described.startswith(_STILL_KNOWS):
        return
    told = note("previous", knows=_STILL_KNOWS, request=request, successor=str(successor), model=name)
    client.update_model_version(name, str(version), f"{told}\n{described}")
