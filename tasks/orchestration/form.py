"""The form of the deployment ``delete``, which offers the requests that wait.

A form is drawn from the JSON schema that Prefect stores with its deployment, where a list of choices is
fixed. So the schema is written anew when the queue has changed. Any other id may be typed as well: the event
and the API name requests that the form has not heard of yet.
"""

from collections.abc import Sequence
from typing import Any

import httpx

from tasks.orchestration.api import open_api
from tasks.requests.ledger.reading import LedgerReader
from unlearn_core.errors import UnavailableError
from unlearn_core.records.ledger import Entry

MOST = 100
"""How many requests the form offers: those that are due first."""
_DELETE = "/deployments/name/delete/delete"
_WORDS = ("title", "description")


def offer(ledger: LedgerReader) -> None:
    """Let the form offer the requests that wait; without a server or the deployment, do nothing.

    Args:
        ledger: Holds the requests.
    """
    try:
        with open_api() as api:
            if api is not None and (found := api.get(_DELETE)).is_success:
                _write(api, found.json(), ledger.entries(state="received", limit=MOST))
    # Whatever answers there, or does not: ids can be typed, and the form is written again at the next change.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, UnavailableError):
        return


def _write(api: httpx.Client, deployment: dict[str, Any], waiting: Sequence[Entry]) -> None:
    stored = deployment["parameter_openapi_schema"]
    if stored and (schema := with_choices(stored, waiting)) != stored:
        api.patch(f"/deployments/{deployment['id']}", json={"parameter_openapi_schema": schema})


def with_choices(schema: dict[str, Any], waiting: Sequence[Entry]) -> dict[str, Any]:
    """Return a form's schema with the waiting requests as choices, or without any if none waits.

    Args:
        schema: The schema of the deployment's parameters, with or without choices.
        waiting: The requests, those due first before the others.

    Returns:
        The schema; the same if the form is not Lethe's own.
    """
    try:
        order = schema["definitions"]["DeletionOrder"]
        field = order["properties"]["request_id"]
    except KeyError:
        return schema
    fields = {**order["properties"], "request_id": _field(field, waiting[:MOST])}
    definitions = {**schema["definitions"], "DeletionOrder": {**order, "properties": fields}}
    return {**schema, "definitions": definitions}


def _field(field: dict[str, Any], offered: Sequence[Entry]) -> dict[str, Any]:
    words = {name: field[name] for name in _WORDS if name in field}
    rest = {name: value for name, value in field.items() if name not in _WORDS}
    typed = {name: value for name, value in rest.get("anyOf", [rest])[-1].items() if name not in _WORDS}
    if not offered:
        return {**words, **typed}
    listed = "; ".join(f"{one.id}: {one.submission.model}, due {one.submission.due}" for one in offered)
    waiting = {
        "title": "Waiting",
        "type": "string",
        "enum": [one.id for one in offered],
        "description": listed,
    }
    return {**words, "anyOf": [waiting, {"title": "Another id", **typed}]}
