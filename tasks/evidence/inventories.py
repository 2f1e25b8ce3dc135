"""Inventories of absence: signed, and verified with nothing else."""

from collections.abc import Iterator
from pathlib import Path

from tasks.checkout.environment import now
from tasks.evidence.attestation import Attestors, attested
from tasks.evidence.telling import Summary
from tasks.evidence.verification import keys_to_trust
from tasks.keys.signing import load_signer, read_certificate, sign_payload, verify_payload
from unlearn_core.audit.countersigning import take_apart
from unlearn_core.audit.inventories import check_inventory, read_inventory
from unlearn_core.errors import EvidenceError
from unlearn_core.names import one_line
from unlearn_core.records.base import Sha256
from unlearn_core.records.inventory import Inventory, InventoryStatement
from unlearn_core.records.request import RequestId


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
    payload, signer = verify_payload(raw, keys_to_trust(key))
    statement = read_inventory(payload)
    check_inventory(statement, now=now())
    return statement.predicate, signer


def verify_inventory_file(
    path: Path, *, key: Path | None, request: RequestId | None, attestors: Attestors
) -> tuple[Inventory, Sha256, Summary]:
    """Verify an inventory, and what others say of it.

    Args:
        path: The file, beside which their files are.
        key: The public key that should have signed it; the trust folder's keys by default.
        request: The id of the request that it should be about.
        attestors: Who else is asked about it.

    Returns:
        The inventory, the id of the key that signed it, and what ``attested`` says.

    Raises:
        EvidenceError: If the inventory or its time stamp is false, too few witnesses signed it, or it is
            about another request.
    """
    issued, inside = take_apart(read_certificate(path))
    inventory, signer = verify_inventory(issued, key=key)
    if request is not None and inventory.request.id != request:
        raise EvidenceError(f"the inventory is about request {inventory.request.id}, not {request}")
    return inventory, signer, attested(path, issued, inside, finished=inventory.finished, asked=attestors)


def inventory_in_words(inventory: Inventory) -> str:
    """Say in a sentence what an inventory shows."""
    if inventory.lost:
        return (
            f"{inventory.rows} row(s) of request {inventory.request.id} were looked for; {inventory.lost} "
            "more could not be, since no store has them: nobody can tell whether a copy is left"
        )
    if inventory.elsewhere:
        return (
            f"{inventory.rows} row(s) of request {inventory.request.id} were looked for, but not in all that "
            f"was purged: {', '.join(map(one_line, inventory.elsewhere))} led elsewhere then"
        )
    left = "nothing of it is left" if inventory.complete else "not all of it is erased yet"
    return f"{inventory.rows} row(s) of request {inventory.request.id} were looked for, and {left}"


def inventory_lines(inventory: Inventory) -> Iterator[str]:
    """Yield what an inventory says: each store, what stays and why, and what was not searched."""
    yield f"certificate {inventory.certificate}"
    yield f"searched   {inventory.started} to {inventory.finished}"
    for one in inventory.stores:
        read = f"{one.objects} object(s), {one.size} bytes read"
        when = f" on {one.erased_at}" if one.erased_at else ""
        found = f"{one.erased} erased{when}, {one.remaining} left, control found {one.control} time(s)"
        yield f"{one.place}: {read}; {found}"
    for one in inventory.remains:
        yield f"stays in {one.store}: {one.objects} object(s), {one.why}"
    for one in inventory.elsewhere:
        yield f"another now: {one_line(one)}; prove again with the address of the purge, or search there"
    for one in inventory.beyond:
        yield f"not searched: {one}"
    if inventory.unsearchable:
        yield f"not sought: {inventory.unsearchable} id(s) or image(s) that are too short or too uniform"
