"""Inventories of absence: signed, and verified with nothing else."""

from pathlib import Path

from tasks.checkout.environment import now
from tasks.evidence.verification import trusted_keys
from tasks.keys.signing import load_signer, sign_payload, verified_payload
from unlearn_core.audit.inventories import check_inventory, read_inventory
from unlearn_core.records.base import Sha256
from unlearn_core.records.purge import Inventory, InventoryStatement


def sign_inventory(inventory: Inventory, *, name: str) -> bytes:
    """Sign an inventory.

    Args:
        inventory: The inventory; its parts must agree.
        name: What the certificate is called that it is about.

    Returns:
        The file's content.
    """
    statement = InventoryStatement.of(inventory, name=name)
    check_inventory(statement, now=now())
    return sign_payload(statement.canonical(), load_signer())


def verify_inventory(raw: bytes, *, key: Path | None = None) -> tuple[Inventory, Sha256]:
    """Verify an inventory.

    Args:
        raw: The file's content.
        key: The public key that should have signed it; the trust folder's keys by default.

    Returns:
        The inventory, and the id of the key that signed it.
    """
    payload, signer = verified_payload(raw, trusted_keys(key))
    statement = read_inventory(payload)
    check_inventory(statement, now=now())
    return statement.predicate, signer
