"""The runs of a request in the ledger: recorded while they happen, and told when a certificate is signed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import actor
from tasks.requests.claims import claimed_by
from tasks.requests.ledger.finding import find_ledger
from tasks.requests.ledger.ledger import Ledger
from tasks.requests.ledger.runs import record_judgement, record_run
from unlearn_core.audit.histories import history_of
from unlearn_core.errors import GateError, SetupError
from unlearn_core.kinds import RunResult
from unlearn_core.records.base import Sha256
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.request import DeletionRequest


@dataclass
class RunOfRequest:
    """A run that is going on.

    Attributes:
        deletion: The digest of its record, once there is one.
    """

    deletion: Sha256 | None = None


@contextmanager
def recorded_run(checkout: Checkout, requests: Sequence[DeletionRequest]) -> Iterator[RunOfRequest]:
    """Record the beginning and the end of a run in the ledger, for each request that it holds.

    A run that is killed has a beginning and no end, so it is not lost.

    Args:
        checkout: The checkout.
        requests: What is served together.

    Yields:
        The run.
    """
    ledger, run = find_ledger(checkout.root), RunOfRequest()
    held = [] if ledger is None else [one for one in requests if ledger.holds([one])]
    if ledger is None or not held:
        yield run
        return
    who, policy = claimed_by() or actor(), checkout.params.policy.digest

    def end(result: RunResult) -> None:
        record_run(ledger, held, actor=who, policy=policy, result=result, deletion=run.deletion)

    record_run(ledger, held, actor=who, policy=policy)
    try:
        yield run
    except Exception as error:
        # Why the run ended is more than that the ledger is away; then it has no end there.
        with suppress(SetupError):
            end("refused" if isinstance(error, GateError) else "failed")
        raise
    end("accepted")


def recorded_judgement(
    checkout: Checkout, request: DeletionRequest, certificate: Sha256, ending: str
) -> bool:
    """Record in the ledger, if it holds a request, that a model was judged which somebody else made.

    Args:
        checkout: The checkout.
        request: What the model should have forgotten.
        certificate: The digest of the certificate's file.
        ending: What came of it, in a few words.

    Returns:
        Whether a ledger holds the request.
    """
    ledger, singles = find_ledger(checkout.root), request.singles
    if ledger is None or not ledger.holds(singles):
        return False
    policy = checkout.params.policy.digest
    record_judgement(ledger, singles, actor=actor(), policy=policy, certificate=certificate, ending=ending)
    return True


def find_history(
    checkout: Checkout, request: DeletionRequest, deletion: Sha256 | None = None
) -> RequestHistory | None:
    """Return the earlier runs of a request, and the policy when it was received, from the ledger.

    ``len(history.runs)`` is their number; ``history.policy_changed(digest)`` tells about the policy.

    Args:
        checkout: The checkout.
        request: The request, a single one.
        deletion: The digest of the present run's record; without it all runs are told.

    Returns:
        The history; None if no ledger holds exactly this request.
    """
    ledger: Ledger | None = find_ledger(checkout.root)
    if ledger is None or not ledger.holds([request]):
        return None
    return history_of(ledger.history(request.id)[1], deletion)
