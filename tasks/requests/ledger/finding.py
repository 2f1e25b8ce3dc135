"""Open the ledger to look something up, without creating one."""

from pathlib import Path

from tasks.requests.ledger.database import is_absent, ledger_url
from tasks.requests.ledger.ledger import Ledger, connect


def find_ledger(root: Path | None) -> Ledger | None:
    """Open the ledger if there is one.

    Args:
        root: The checkout, if there is one.

    Returns:
        The ledger, or None where no database is named and the checkout holds none.

    Raises:
        SetupError: If the named database cannot be reached, or its tables are not of this version.
    """
    return None if is_absent(ledger_url(root)) else connect(root)
