"""What Prefect is told when a request comes in, so that a deployment can serve it at once.

The ledger is what counts: an event that is lost costs time, and nothing else, since the requests that wait
are looked for on a schedule as well.
"""

import asyncio
import os
from collections.abc import Sequence

from tasks.progress import tell
from unlearn_core.records.ledger import Entry

SUBMITTED = "lethe.request.submitted"


def announce(entries: Sequence[Entry]) -> None:
    """Tell the Prefect server that ``PREFECT_API_URL`` names, if it names one, of requests that wait.

    Args:
        entries: The requests as they stand in the ledger; those that do not wait are passed over.
    """
    waiting = [entry for entry in entries if entry.state == "received"]
    if not os.environ.get("PREFECT_API_URL") or not waiting:
        return
    try:
        asyncio.run(_emit(waiting))
    # Whatever is wrong with the server: the request is in the ledger, and will be served.
    except Exception as error:
        tell(f"· Prefect was not told ({type(error).__name__}); the requests wait for the schedule")


async def _emit(entries: Sequence[Entry]) -> None:
    """Send one event a request, each with its id alone."""
    from prefect.events import Event, Resource
    from prefect.events.clients import get_events_client

    async with get_events_client() as client:
        for entry in entries:
            about = {
                "prefect.resource.id": f"lethe.request.{entry.id}",
                "lethe.model": entry.submission.model,
            }
            await client.emit(
                Event(event=SUBMITTED, resource=Resource(about), payload={"request_id": entry.id})
            )
