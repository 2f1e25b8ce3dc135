"""The event sent to Prefect when a request arrives, so that a deployment can serve it at once.

The ledger is what counts: a lost event only costs time, since waiting requests are also polled on a schedule.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx

from tasks.checkout.environment import now
from tasks.checkout.log import warn
from tasks.checkout.settings import ServiceSettings
from tasks.checkout.tags import SUBMITTED, Tag, event_resource
from unlearn_core.records.ledger import Entry

_WAIT_S = 10


def announce(entries: Sequence[Entry]) -> None:
    """Announce waiting requests to the Prefect server that ``PREFECT_API_URL`` names, if any.

    Args:
        entries: The requests as in the ledger; those that do not wait are skipped.
    """
    waiting = [entry for entry in entries if entry.state == "received"]
    server = ServiceSettings.read()
    if not server.prefect_url or not waiting:
        return
    try:
        _send(server, waiting)
    # Whatever is wrong with the server or its address, the request is in the ledger and will be served.
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        warn(f"· Prefect was not notified ({type(error).__name__}); the requests wait for the schedule")


def _send(server: ServiceSettings, entries: Sequence[Entry]) -> None:
    """Send one event per request, with only its id; Prefect's client takes seconds to load."""
    user, _, password = server.prefect_auth.get_secret_value().partition(":")
    answer = httpx.post(
        f"{server.prefect_url.rstrip('/')}/events",
        json=[_event(entry) for entry in entries],
        auth=(user, password) if password else None,
        timeout=_WAIT_S,
    )
    answer.raise_for_status()


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
