"""Prefect's API by plain HTTP, for commands that tell it little: its own client takes seconds to load."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tasks.checkout.settings import ServiceSettings

_WAIT_S = 10


@contextmanager
def open_api() -> Iterator[httpx.Client | None]:
    """Open the API of the Prefect server that ``PREFECT_API_URL`` names.

    Yields:
        A client for paths below that address, or None if no server is named.
    """
    server = ServiceSettings.read()
    if not server.prefect_url:
        yield None
        return
    user, _, password = server.prefect_auth.get_secret_value().partition(":")
    auth = (user, password) if password else None
    with httpx.Client(base_url=server.prefect_url.rstrip("/"), auth=auth, timeout=_WAIT_S) as client:
        yield client
