"""MLflow's pages as ``lethe ui`` serves them: they open on a project's deletions, with nothing beside them.

Gunicorn reads this module as its configuration, and serves MLflow's tracking pages and their interface alone:
no assistant, which could start programs here, and no gateway to language models. What a browser remembers of
MLflow's pages is written before they begin, unless somebody has chosen otherwise there.
"""

import json
from typing import Any

from tasks.checkout.variables import variable_value

CONFIGURATION = f"python:{__name__}"
"""How Gunicorn is told of this module."""

OPENS_ON = "_LETHE_UI_OPENS_ON"
"""The variable that hands the address within the pages on to Gunicorn's process."""

REMEMBERED = {
    "mlflow.workflowType_v1": '"machine_learning"',
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
    "mlflow.settings.telemetry.enabled_v1": "false",
    "mlflow.telemetry.info.alert.dismissed_v1": "true",
}
"""What MLflow's pages remember in a browser: model training, no assistant, no usage statistics."""

# Gunicorn's own settings.
threads = 8
loglevel = "warning"


def post_worker_init(worker: Any) -> None:  # noqa: ARG001
    """Change the first page, as Gunicorn calls it before the first request."""
    from mlflow.server import app

    app.after_request(_begin_with_deletions)


def beginning(opens_on: str) -> str:
    """Return what the first page begins with.

    Args:
        opens_on: The address within the pages, which begins with ``#``.

    Returns:
        HTML for the page's head.
    """
    return (
        "<style>[data-assistant-ui] { display: none !important }</style><script>"
        f"for (const [name, value] of Object.entries({json.dumps(REMEMBERED)}))"
        " if (localStorage.getItem(name) === null) localStorage.setItem(name, value);"
        f' if (["", "#", "#/"].includes(location.hash)) location.hash = {json.dumps(opens_on)};</script>'
    )


def _begin_with_deletions(response: Any) -> Any:
    from flask import request

    if request.path == "/" and response.mimetype == "text/html":
        response.direct_passthrough = False
        head = beginning(variable_value(OPENS_ON) or "#/experiments")
        page = response.get_data(as_text=True)
        response.set_data(page.replace("<head>", f"<head>{head}", 1))
        # Another project's pages may be at this address tomorrow.
        response.headers["Cache-Control"] = "no-store"
        response.headers.pop("ETag", None)
        response.headers.pop("Last-Modified", None)
    return response
