"""What each store is: a name may lead to another folder, bucket or server than when a purge was planned.

A plan keeps keyed digests of the addresses. They say nothing without the pseudonym key, but a proof can tell
with it whether it searches what was purged.
"""

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from tasks.checkout.linked import REPLAYS
from tasks.checkout.settings import ServiceSettings
from tasks.keys.outlines import outline_key
from tasks.traces.stored import SearchableStore
from unlearn_core.errors import SetupError
from unlearn_core.records.purge import PurgePlan


def places_of(root: Path, stores: Sequence[SearchableStore], key: bytes) -> dict[str, str]:
    """Return the keyed digest of where each store is, by its name; the services' servers are among them.

    Args:
        root: The checkout. What lies in it is named from there, so a project may be moved.
        stores: The stores; replays that were cut short are left out, since each goes as a whole.
        key: The pseudonym key.

    Returns:
        The digests; a server that is not named has none.
    """
    services = ServiceSettings.read()
    servers = {"MLflow's server": services.tracking_uri, "Prefect's server": services.prefect_url}
    found = {one.name: _from(root, one.location()) for one in stores if not one.name.startswith(REPLAYS)}
    found |= {name: address for name, address in servers.items() if address}
    return {name: _marked(key, address) for name, address in found.items()}


def elsewhere_now(plan: PurgePlan, places: dict[str, str]) -> tuple[str, ...]:
    """Return the names of a plan's stores that lead elsewhere now, or nowhere.

    Args:
        plan: The plan.
        places: Where the stores are now, marked with the key that the plan is sealed with.

    Returns:
        The names, in order.
    """
    return tuple(sorted(name for name, known in plan.places.items() if {*known} != {places.get(name)}))


def refuse_elsewhere(plan: PurgePlan, places: dict[str, str]) -> None:
    """Refuse to carry out a plan in other stores than it was made for: what it names is not there.

    Raises:
        SetupError: If any store leads elsewhere now.
    """
    if moved := elsewhere_now(plan, places):
        raise SetupError(
            f"{', '.join(moved)}: not what it was when `lethe purge` planned the purge of request "
            f"{plan.request!r}, which is not finished; set its address as it was"
        )


def joined(earlier: dict[str, tuple[str, ...]], places: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return all the places that each store has had, in the plans of one purge."""
    names = sorted({*earlier, *places})
    return {
        name: tuple(sorted({*earlier.get(name, ()), *([places[name]] if name in places else [])}))
        for name in names
    }


def _from(root: Path, address: str) -> str:
    """Return a path in the project from there, and any other address as it is."""
    own = Path(address)
    top = root.resolve()
    return f"./{own.relative_to(top)}" if own.is_absolute() and own.is_relative_to(top) else address


def _marked(key: bytes, address: str) -> str:
    return hmac.digest(outline_key(key), b"place\0" + address.encode(), hashlib.sha256).hex()
