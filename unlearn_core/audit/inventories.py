"""Inventories of absence: what makes one void, and how one is read out of a signed payload."""

from unlearn_core.audit.clocks import is_later
from unlearn_core.audit.envelope import canonical_text
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.base import UtcTime
from unlearn_core.records.inventory import INVENTORY_TYPE, InventoryStatement


def is_inventory(payload: bytes) -> bool:
    """Tell whether a payload, verified or not, says that it is an inventory."""
    return f'"predicateType":"{INVENTORY_TYPE}"'.encode() in payload


def require_control(found: int) -> None:
    """Refuse a search that did not find the control record: what it did not find may be there as well.

    Args:
        found: How many objects it found the record in.

    Raises:
        EvidenceError: If that is none.
    """
    if not found:
        raise EvidenceError(
            "the control record, which was not deleted, was not found by the same search: the search is "
            "void, and nothing follows from what it did not find"
        )


def read_inventory(payload: bytes) -> InventoryStatement:
    """Read an inventory out of a payload whose signature has been verified.

    Args:
        payload: The verified bytes.

    Returns:
        The statement.

    Raises:
        EvidenceError: If the bytes are not the canonical JSON of an inventory.
    """
    text = canonical_text(payload)
    try:
        return InventoryStatement.parse(text)
    except ConfigurationError as error:
        raise EvidenceError(f"{error}\nIf a newer Lethe wrote it, verify it with that version.") from error


def check_inventory(statement: InventoryStatement, *, now: UtcTime | None = None) -> None:
    """Check that an inventory's parts agree.

    Args:
        statement: The statement; its signature is another matter.
        now: The current time, which nothing in it may be after; None if it is not known.

    Raises:
        EvidenceError: If any two parts contradict one another; every problem is listed.
    """
    inventory = statement.predicate
    require_control(sum(one.control for one in inventory.stores))
    found = {
        one.name: sum(rest.objects for rest in inventory.remains if rest.store == one.name)
        for one in inventory.stores
    }
    times = [one.erased_at for one in inventory.stores if one.erased_at is not None]
    problems = {
        "the subject is another certificate than the one in it": statement.subject_digest
        != inventory.certificate,
        "it is called complete, and is not, or the other way round": inventory.complete
        != (
            not inventory.lost and not inventory.elsewhere and all(one.is_record for one in inventory.remains)
        ),
        "a store is listed twice": len(found) != len(inventory.stores),
        "what remains is of a store that was not searched": not {one.store for one in inventory.remains}
        <= found.keys(),
        "the stores do not hold what remains": any(
            one.remaining != found[one.name] for one in inventory.stores
        ),
        "more was found in a store than was read": any(
            max(one.remaining, one.control) > one.objects for one in inventory.stores
        ),
        "nothing was looked for": not inventory.sought or not inventory.rows,
        "the search ended before it began": is_later(inventory.started, inventory.finished),
        "something was erased after the search": any(is_later(one, inventory.started) for one in times),
        "the search lies in the future": now is not None and is_later(inventory.finished, now),
    }
    if wrong := [f"  {problem}" for problem, is_so in problems.items() if is_so]:
        raise EvidenceError("\n".join(["the inventory contradicts itself:", *wrong]))
