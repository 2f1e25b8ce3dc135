"""From what a person typed to the page about a deletion."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.report.page import write_report


def report_on(checkout: Checkout, request_id: str | None, output: Path | None) -> tuple[str, Path]:
    """Write the report on a request's deletion.

    Args:
        checkout: The checkout, which nobody else works in.
        request_id: The request's id; that of the last request by default.
        output: Where to; among the request's evidence by default.

    Returns:
        The request's id, and the page.

    Raises:
        SetupError: If nothing tells of such a deletion.
    """
    named = request_id or checkout.params.request
    return named, write_report(checkout, named, output)
