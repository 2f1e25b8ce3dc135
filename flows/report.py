"""``lethe report``: the page about a deletion."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.report.page import write_report


def report_on(checkout: Checkout, request_id: str | None, output: Path | None) -> tuple[str, Path]:
    """Write the report on a request's deletion.

    Args:
        checkout: The checkout; the caller holds its lock.
        request_id: The request's id; by default that of the last request.
        output: Where to write it; by default among the request's evidence.

    Returns:
        The request's id, and the page.

    Raises:
        SetupError: If there is no record of such a deletion.
    """
    named = request_id or checkout.params.request
    return named, write_report(checkout, named, output)
