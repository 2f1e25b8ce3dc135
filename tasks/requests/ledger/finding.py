"""Open the ledger of a folder, or of a checkout that may have none."""

from pathlib import Path

from tasks.checkout.environment import find_checkout
from tasks.requests.ledger.database import is_absent, ledger_url
from tasks.requests.ledger.ledger import Ledger, connect


def open_ledger(folder: Path) -> Ledger:
    """Open the ledger of a folder's checkout, or the one that ``LETHE_DATABASE_URL`` names."""
    return connect(find_checkout(folder))


def find_ledger(root: Path | None) -> Ledger | None:
    """Open the ledger if there is one; none is created.

    Args:
        root: The checkout, if there is one.

    Returns:
        The ledger, or None where no database is named and the checkout holds none.

    Raises:
        SetupError: If the named database cannot be reached, or its tables are not of this version.
    """
    return None if is_absent(ledger_url(root)) else connect(root)
