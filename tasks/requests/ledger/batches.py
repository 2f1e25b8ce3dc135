"""How long the requests on a model wait for one another: the policy of its checkout, kept with the ledger.

A request may be entered where there is no checkout, and is claimed before its model's checkout is opened. So
each command that enters requests in the checkout, and each turn of a worker there, keeps the policy here.
"""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tasks.requests.ledger.database import reading, writing
from tasks.requests.ledger.reading import LedgerReader
from tasks.requests.ledger.tables import BatchRow, RequestRow, submission_of
from unlearn_core.audit.batching import waits_until
from unlearn_core.records.base import RegistryName
from unlearn_core.records.batch import Batch


def batch_of(session: Session, model: RegistryName) -> Batch | None:
    """Return how requests on a model wait for one another; None if they do not, or nobody has said yet."""
    row = session.get(BatchRow, model)
    return None if row is None else Batch(wait_h=row.wait_h, at_most=row.at_most)


def keep_batch(ledger: LedgerReader, model: RegistryName, batch: Batch | None) -> None:
    """Keep how requests on a model wait for one another; what waits already waits as it says now.

    Args:
        ledger: The ledger.
        model: The registered model.
        batch: The policy's ``batch``, as its checkout has it.
    """
    with reading(ledger.engine) as session:
        if batch_of(session, model) == batch:
            return
    with writing(ledger.engine) as session:
        row = session.get(BatchRow, model)
        if row is not None and batch is None:
            session.delete(row)
        if batch is not None:
            session.merge(BatchRow(model=model, wait_h=batch.wait_h, at_most=batch.at_most))
        for waiting in _waiting(session, model):
            waiting.waits_until = waits_until(submission_of(waiting), batch, ledger.clock())
        let_full_go(session, [model])


def let_full_go(session: Session, models: Iterable[RegistryName]) -> None:
    """Let the requests on a model go once as many wait as one run serves."""
    for model in models:
        count = select(func.count()).where(RequestRow.model == model, RequestRow.waits_until.is_not(None))
        batch = batch_of(session, model)
        if batch is not None and (session.scalar(count) or 0) >= batch.at_most:
            for row in _waiting(session, model):
                row.waits_until = None


def _waiting(session: Session, model: RegistryName) -> list[RequestRow]:
    waiting = select(RequestRow).where(RequestRow.model == model, RequestRow.waits_until.is_not(None))
    return list(session.scalars(waiting))
