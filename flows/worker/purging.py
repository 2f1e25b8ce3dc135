"""The purges that are due, in the workers' clones: all served requests whose time of grace has passed."""

from collections import defaultdict
from pathlib import Path

from flows.prove import prove
from flows.purge import purge
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.log import about, tell, tell_error
from tasks.evidence.downloading import fetch_evidence
from tasks.evidence.purged import purge_of
from tasks.evidence.uploading import store_inventory
from tasks.evidence.verification import verify_bytes
from tasks.keys.signing import read_certificate
from tasks.lifecycle.projects import Project, continue_project, open_project, prepare_project
from tasks.lifecycle.publishing import publish_purge
from tasks.requests.claims import PASSING
from tasks.requests.holding import hold_on
from tasks.requests.ledger.finding import open_ledger
from tasks.requests.ledger.ledger import Ledger
from unlearn_core.audit.purging import purge_from
from unlearn_core.errors import LetheError
from unlearn_core.records.base import RegistryName
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import RequestId


def purge_due(folder: Path) -> tuple[list[RequestId], list[str]]:
    """Purge every completed request of the ledger that is due and not held, and prove each purge.

    Args:
        folder: Where the worker was started.

    Returns:
        The requests of which an inventory was signed; and for each that could not be purged why, with its id.

    Raises:
        PASSING: If a service is unavailable, or this machine cannot purge anything.
    """
    ledger, models = open_ledger(folder), defaultdict[RegistryName, list[Entry]](list)
    for entry in ledger.entries(state="completed"):
        models[entry.submission.model].append(entry)
    done, failed = list[RequestId](), list[str]()
    for model, entries in models.items():
        with open_project(folder, model) as project:
            checkout = prepare_project(project)
            for entry in entries:
                with about(entry.id):
                    try:
                        done += [entry.id] if _purge(project, checkout, ledger, entry) else []
                    except PASSING:
                        raise
                    except LetheError as error:
                        tell_error(error)
                        failed.append(f"{entry.id}: {error}")
    return done, failed


def _purge(project: Project, checkout: Checkout, ledger: Ledger, entry: Entry) -> bool:
    """Purge a request and prove it, if that is due; tell whether it was."""
    fetch_evidence(checkout, entry.id)
    if (why := _waits(checkout, ledger, entry)) is not None:
        tell(f"· {entry.id}: {why}")
        return False
    # What the next deletion would start from holds nothing of it; what the last one started from does.
    checkout = continue_project(Checkout(checkout.root))
    purge(checkout, entry.id)
    if project.branch is not None:
        publish_purge(checkout, entry.id, branch=project.branch)
    prove(checkout, entry.id)
    store_inventory(checkout, entry.id)
    return True


def _waits(checkout: Checkout, ledger: Ledger, entry: Entry) -> str | None:
    """Say why nothing of a request is purged now; None if it is due."""
    if (held := hold_on(ledger, entry.submission.request)) is not None:
        return f"held since {held.time}"
    record = purge_of(checkout, entry.id)
    if record is not None and record.proved is not None:
        return f"its inventory stands since {record.proved}"
    certified = verify_bytes(read_certificate(checkout.certificate(entry.id)))[0]
    until = purge_from(certified.provenance.finished, checkout.params.policy.purge)
    if record is not None and record.previous_until is not None:
        until = max(until, record.previous_until)
    return f"kept until {until}" if now() < until else None
