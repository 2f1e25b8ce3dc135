"""The event sent to Prefect when a request arrives, so that a deployment can serve it at once.

The ledger is what counts: a lost event only costs time, since waiting requests are also polled on a schedule.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx

from tasks.checkout.environment import now
from tasks.checkout.log import warn
from tasks.checkout.tags import SUBMITTED, Tag, event_resource
from tasks.orchestration.api import open_api
from unlearn_core.records.ledger import Entry


def announce(entries: Sequence[Entry]) -> None:
    """Announce waiting requests to the Prefect server that ``PREFECT_API_URL`` names, if any.

    Args:
        entries: The requests as in the ledger; those that do not wait are skipped.
    """
    waiting = [entry for entry in entries if entry.state == "received"]
    if not waiting:
        return
    try:
        with open_api() as api:
            if api is not None:
                # One event per request, with only its id.
                api.post("/events", json=[_event(entry) for entry in waiting]).raise_for_status()
    # Whatever is wrong with the server or its address, the request is in the ledger and will be served.
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        warn(f"· Prefect was not notified ({type(error).__name__}); the requests wait for the schedule")


def _event(entry: Entry) -> dict[str, Any]:
    return {
        "event": SUBMITTED,
        "occurred": now(),
        "resource": {
            "prefect.resource.id": event_resource(entry.id),
            Tag.MODEL: entry.submission.model,
        },
        "payload": {"request_id": entry.id},
        "id": str(uuid4()),
    }
