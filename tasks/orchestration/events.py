"""The events sent to Prefect when requests arrive, so that a deployment can serve it at once.

The ledger is what counts: a lost event only costs time, since waiting requests are also polled on a schedule.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import httpx

from tasks.checkout.environment import now
from tasks.checkout.log import warn
from tasks.checkout.tags import SUBMITTED, SUBMITTED_TOGETHER, Tag, event_resource, model_resource
from tasks.orchestration.api import open_api
from unlearn_core.records.ledger import Entry


def announce(entries: Sequence[Entry]) -> None:
    """Announce waiting requests to the Prefect server that ``PREFECT_API_URL`` names, if any.

    Args:
        entries: The requests as in the ledger; those that do not wait, or wait for others, are skipped.
    """
    if not (events := list(_events(entries))):
        return
    try:
        with open_api() as api:
            if api is not None:
                api.post("/events", json=events).raise_for_status()
    # Whatever is wrong with the server or its address, the request is in the ledger and will be served.
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        warn(f"· Prefect was not notified ({type(error).__name__}); the requests wait for the schedule")


def _events(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Yield an event for each model: about its only request, or that several wait, to be served together."""
    by_model: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.state == "received" and entry.waits_until is None:
            by_model.setdefault(entry.submission.model, []).append(entry)
    for model, waiting in by_model.items():
        if waiting[1:]:
            about = {"prefect.resource.id": model_resource(model), Tag.MODEL: model}
            yield _event(SUBMITTED_TOGETHER, about, {"model": model})
        else:
            about = {"prefect.resource.id": event_resource(waiting[0].id), Tag.MODEL: model}
            yield _event(SUBMITTED, about, {"request_id": waiting[0].id})


def _event(name: str, about: dict[str, str], payload: dict[str, str]) -> dict[str, Any]:
    return {
        "event": name,
        "occurred": now(),
        "resource": about,
        "payload": payload,
        "id": str(uuid4()),
    }
