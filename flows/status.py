"""The verb ``status``: how a project stands, read from its files without changing or starting anything."""

from collections.abc import Callable, Iterable, Iterator

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.files import read_record
from tasks.checkout.software import require_pinned
from tasks.checkout.tags import Tag
from tasks.evidence.approving import asked_approval, find_approval
from tasks.evidence.purged import purge_of
from tasks.keys.signing import require_keys
from tasks.requests.ledger.finding import find_ledger
from tasks.requests.ledger.waiting import why_waiting
from tasks.requests.request_file import read_request
from tasks.storage.staleness import stale_stages
from tasks.tracking.in_use import read_champion
from unlearn_core.audit.deadlines import is_overdue
from unlearn_core.errors import LetheError, RequestError, SetupError, UsageError
from unlearn_core.kinds import OPEN, TO_SERVE
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.deletion import DeletionRecord, Released
from unlearn_core.records.params import RetainedSource
from unlearn_core.records.status import InUse, NextStep, Progress, StaleStage, Status, Waiting

_MENDS = {
    "lethe upgrade": "the project was made with another Lethe",
    "lethe keys init": "the keys are missing, or cannot be used",
}
"""What mends a project that cannot be worked in, and why."""


def status(checkout: Checkout) -> Status:
    """Return how a project stands.

    Args:
        checkout: The checkout; nobody needs to hold its lock.

    Returns:
        The model in use, what waits and when it is due, what has to run again, and what to do next.
    """
    params = checkout.params
    checks = {"lethe upgrade": lambda: require_pinned(checkout.root), "lethe keys init": require_keys}
    refusals = {mend: said for mend, check in checks.items() if (said := _refusal(check))}
    problems = [*refusals.values()]
    champion, progress = _champion(checkout), _progress(checkout, params.request)
    try:
        submitted = tuple(_in_ledger(checkout))
    except SetupError as error:
        problems.append(str(error))
        submitted = ()
    known = {one.request for one in submitted}
    asked, unreadable = _in_folder(checkout)
    problems += unreadable
    waiting = (*submitted, *(one for one in asked if one.request not in known))
    return Status(
        model=params.registry.model,
        champion=champion,
        request=params.request,
        progress=progress,
        waiting=waiting,
        stale=tuple(StaleStage(stage=one, why=why) for one, why in stale_stages(checkout.root).items()),
        problems=tuple(problems),
        next=(*_mends(refusals), *_steps(checkout, champion, progress, waiting)),
    )


def _champion(checkout: Checkout) -> InUse | None:
    """Return the version in use, if there is one."""
    if (found := read_champion(checkout.root, checkout.params.registry.model)) is None:
        return None
    tags = found.tags
    request, method, weights = (tags.get(tag) for tag in (Tag.REQUEST, Tag.METHOD, Tag.WEIGHTS))
    return InUse(version=found.version, request=request, method=method, weights=weights)


def _progress(checkout: Checkout, request_id: str) -> Progress:
    """Tell how far a request has come, from the files that its deletion left."""
    if not checkout.request(request_id).is_file():
        return "missing"
    try:
        released = _is_released(checkout, request_id)
    except RequestError:
        return "unreadable"
    if checkout.failure(request_id).is_file():
        return "refused"
    return "served" if released else _begun(checkout, request_id)


def _begun(checkout: Checkout, request_id: str) -> Progress:
    """Tell how far a request has come that has no release."""
    if not checkout.deletion.is_file():
        return "new"
    if read_record(checkout.deletion, DeletionRecord).request != request_id:
        return "new"
    undecided = asked_approval(checkout) is not None and find_approval(checkout) is None
    return "unapproved" if undecided else "unfinished"


def _is_released(checkout: Checkout, request_id: str) -> bool:
    """Tell whether a request, or every member of a group, has a release and its certificate."""
    singles = [one.id for one in read_request(checkout, request_id).singles]
    needed = (place(one) for one in singles for place in (checkout.released, checkout.certificate))
    return all(path.is_file() for path in needed)


def _in_ledger(checkout: Checkout) -> Iterator[Waiting]:
    """Yield what waits in the ledger for this model, by due day."""
    if (ledger := find_ledger(checkout.root)) is None:
        return
    entries = ledger.entries(model=checkout.params.registry.model, state=OPEN)
    why = why_waiting(ledger, entries)
    for entry in entries:
        due = entry.submission.due
        late = is_overdue(due, now())
        yield Waiting(request=entry.id, state=entry.state, due=due, overdue=late, why=why.get(entry.id))


def _in_folder(checkout: Checkout) -> tuple[list[Waiting], list[str]]:
    """Return the requests in ``requests/`` that have no certificate, and what is wrong with files there.

    Members of a group are there as well.
    """
    waiting, wrong = list[Waiting](), list[str]()
    paths = sorted((checkout.root / "requests").glob("*.json"))
    for path in paths:
        try:
            if not _is_released(checkout, path.stem):
                waiting.append(Waiting(request=path.stem, state="in requests/"))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        wrong.insert(
            0, f"{len(wrong)} of {len(paths)} files in requests/ are no requests; mend or remove them"
        )
    return waiting, wrong


def _mends(refusals: Iterable[str]) -> Iterator[NextStep]:
    """Yield what must be done before anything else can be."""
    for command in refusals:
        yield NextStep(command=command, why=_MENDS[command])


def _steps(
    checkout: Checkout, champion: InUse | None, progress: Progress, waiting: tuple[Waiting, ...]
) -> Iterator[NextStep]:
    """Yield what to do next, in order."""
    named = checkout.params.request
    match progress:
        case "unfinished":
            yield NextStep(command=f"lethe delete {named}", why="it was interrupted; this finishes it")
        case "unapproved":
            yield NextStep(command=f"lethe approve {named} --by NAME", why="a person has to decide")
        case "refused":
            yield NextStep(command=f"lethe report {named} --open", why="no model was accepted; it says why")
        case "served" if champion is not None and _is_behind(checkout, champion):
            yield NextStep(command="lethe next", why="later requests start from the model in use")
        case _:
            pass
    yield from _purging(checkout)
    yield from _serving(waiting, named if progress in {"unfinished", "unapproved", "refused"} else None)
    if not waiting:
        yield NextStep(command="lethe delete ID --class NAME", why="nothing waits")


def _purging(checkout: Checkout) -> Iterator[NextStep]:
    """Yield the purge of each served request whose data the project no longer starts from."""
    if not isinstance(params := checkout.params.dataset, RetainedSource):
        return
    card = checkout.generation("data", params.rows_digest) / "card.json"
    before = read_record(card, DatasetCard).lineage if card.is_file() else ()
    for request in checkout.with_evidence():
        path = checkout.released(request)
        if not path.is_file() or read_record(path, Released).outcome.data not in before:
            continue
        record = purge_of(checkout, request)
        if record is None or record.finished is None:
            yield NextStep(command=f"lethe purge {request}", why="the data is not yet erased")
        elif record.inventory is None:
            yield NextStep(
                command=f"lethe purge {request} --prove", why="no inventory shows yet what is gone"
            )


def _serving(waiting: tuple[Waiting, ...], begun: str | None) -> Iterator[NextStep]:
    """Yield what serves the requests that wait."""
    states = {one.request: one.state for one in waiting if one.request != begun}
    if any(state in TO_SERVE for state in states.values()):
        yield NextStep(command="lethe pending", why="serves what waits in the ledger, the first due first")
    for request, state in states.items():
        if state == "failed":
            yield NextStep(command=f"lethe request retry {request} --reason WHY", why="its run failed")
        elif state == "in requests/":
            yield NextStep(command=f"lethe delete {request}", why="serves it")


def _is_behind(checkout: Checkout, champion: InUse) -> bool:
    """Tell whether the parent that ``params.yaml`` names is not yet the model in use, which was made here."""
    released = checkout.released(champion.request or "")
    made = released.is_file() and read_record(released, Released).outcome.model == champion.weights
    return made and getattr(checkout.params.parent, "weights", None) != champion.weights


def _refusal(check: Callable[[], None]) -> str | None:
    """Return what a check says, or None if it passes."""
    try:
        check()
    except LetheError as error:
        return str(error)
    return None
