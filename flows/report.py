"""From what a person typed to the page about a deletion."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import require_checkout, sole_use
from tasks.checkout.params import read_section
from tasks.report.page import write_report


def report_on(root: Path, request_id: str | None, output: Path | None) -> tuple[str, Path]:
    """Write the report on a request's deletion.

    Args:
        root: A folder of the checkout.
        request_id: The request's id; that of the last request by default.
        output: Where to; among the request's evidence by default.

    Returns:
        The request's id, and the page.

    Raises:
        SetupError: If nothing tells of such a deletion, or another process is at work here.
    """
    checkout = Checkout(require_checkout(root))
    named = request_id or read_section(checkout.root, "request", str)
    with sole_use(checkout.root):
        return named, write_report(checkout, named, output)
