"""The facts of a deletion, gathered from what it left in a checkout."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_record
from tasks.computing.costs import read_cost, read_time
from tasks.computing.materials import read_split
from tasks.data.datasets import read_card
from tasks.keys.signing import read_certificate
from tasks.report.others import deeds_of_others, words_of_others
from tasks.requests.request_file import nothing_about, read_request
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.deletion import DeletionRecord, Released, SplitRecord
from unlearn_core.records.evaluation import Cost, TimeSpent
from unlearn_core.records.report import Pictures, ReportFacts
from unlearn_core.records.request import DeletionRequest


def gather_facts(checkout: Checkout, request_id: str) -> ReportFacts:
    """Return the facts of a request's deletion: from the pinned records, or as kept earlier.

    The facts are kept with the request's evidence, for when the checkout has moved on.

    Args:
        checkout: The checkout.
        request_id: The request's id.

    Returns:
        The facts.

    Raises:
        SetupError: If the checkout holds nothing about the request.
    """
    kept = checkout.report_facts(request_id)
    if (checkout.split / "split.json").is_file():
        split = read_split(checkout)
        served = _find_served(checkout, split, request_id)
        record = _find_record(checkout, split) if served is not None else None
        # After `lethe next` the data set is another than the one that the request was served on.
        same = (checkout.dataset / "card.json").is_file() and read_card(checkout.dataset).rows_digest
        if served is not None and record is not None and same == split.data:
            facts = _gather(checkout, split, record, served, request_id)
            write_record(kept, facts)
            return facts
    if not kept.is_file():
        _refuse_group(checkout, request_id)
        raise SetupError(nothing_about(checkout, request_id))
    return read_record(kept, ReportFacts)


def _find_served(checkout: Checkout, split: SplitRecord, request_id: str) -> DeletionRequest | None:
    """Return the request that a split was made for, or the group, if it served a request."""
    if split.request != request_id and not checkout.request(split.request).is_file():
        return None
    served = read_request(checkout, split.request)
    return served if request_id in {single.id for single in served.singles} else None


def _refuse_group(checkout: Checkout, request_id: str) -> None:
    """Refuse the id of a group, and name its members: each has its own report."""
    if checkout.request(request_id).is_file() and (found := read_request(checkout, request_id)).members:
        ids = ", ".join(single.id for single in found.singles)
        raise SetupError(f"{request_id!r} is a group of {ids}; each has its own report, so name one of them")


def _find_record(checkout: Checkout, split: SplitRecord) -> DeletionRecord | None:
    """Return the ladder that was run for a split: the one that failed, or the pinned one."""
    for path in (checkout.failure(split.request), checkout.deletion):
        if path.is_file() and (record := read_record(path, DeletionRecord)).split == split.digest:
            return record
    return None


def _gather(
    checkout: Checkout, split: SplitRecord, record: DeletionRecord, served: DeletionRequest, request_id: str
) -> ReportFacts:
    card = read_card(checkout.dataset)
    certificate, signer = _certificate(checkout, record, request_id)
    return ReportFacts(
        request=request_id,
        group=served.group,
        kind=split.scope_kind,
        named=len(served.scope.names),
        dataset=card.name,
        classes=card.classes,
        forgotten_classes=split.classes,
        earlier=card.earlier,
        rows=_training_rows(card),
        forgotten_rows=len(split.forget_rows),
        deletion=record,
        pictures=_pictures(checkout, record),
        costs=_costs(checkout, record),
        time=_time(checkout, split.request),
        released=_released(checkout, record, request_id),
        certificate=certificate,
        signer=signer,
        words=words_of_others(record),
        does=deeds_of_others(record),
    )


def _training_rows(card: DatasetCard) -> int:
    return next(entry.rows for entry in card.splits if entry.split == "train")


def _pictures(checkout: Checkout, record: DeletionRecord) -> Pictures | None:
    """Return the pictures of an accepted deletion; a failed one has none."""
    there = record.accepted is not None and checkout.pictures.is_file()
    return read_record(checkout.pictures, Pictures) if there else None


def _costs(checkout: Checkout, record: DeletionRecord) -> dict[str, Cost]:
    """Return what each model cost, if it was made on this machine."""
    weights = {"original": record.original.model}
    weights |= {} if record.reference is None else {"retrained": record.reference.model}
    weights |= {rung.unlearning.name: rung.unlearning.weights for rung in record.rungs}
    found = {name: read_cost(checkout, digest) for name, digest in weights.items()}
    return {name: cost for name, cost in found.items() if cost is not None}


def _time(checkout: Checkout, request_id: str) -> TimeSpent | None:
    """Return where the time went, without certifying: the first report is written before that ends."""
    spent = read_time(checkout, request_id)
    return None if spent is None else spent.model_copy(update={"certificate": 0.0})


def _released(checkout: Checkout, record: DeletionRecord, request_id: str) -> Released | None:
    """Return the release from exactly this ladder."""
    path = checkout.released(request_id)
    released = read_record(path, Released) if path.is_file() else None
    return released if released is not None and released.outcome.deletion == record.digest else None


def _certificate(
    checkout: Checkout, record: DeletionRecord, request_id: str
) -> tuple[DeletionCertificate | None, Sha256 | None]:
    """Return the accepted model's certificate and the key that it names; verifying is up to the reader."""
    path = checkout.certificate(request_id)
    if record.accepted is None or not path.is_file():
        return None, None
    payload, _, keyid = decode_envelope(read_certificate(path))
    certificate = read_statement(payload).predicate
    about_it = certificate.models.unlearned == record.accepted.unlearning.weights
    return (certificate, keyid) if about_it else (None, None)
