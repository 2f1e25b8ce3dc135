"""A worker in its own process: it serves until nothing is left, or hangs until it is killed."""

import sys
import time

from tasks.ledger.changing import change, due_first
from tasks.ledger.database import writing
from tasks.ledger.ledger import connect
from tasks.ledger.reading import known_row


def serve(ledger, worker):
    """Serve what there is; print each request that was served."""
    while ledger.entries(state="received"):
        while (entry := ledger.claim_next(worker)) is not None:
            ledger.complete(entry.id, worker)
            print(entry.id, flush=True)
        time.sleep(0.05)


def hang_after_claim(ledger, worker):
    """Claim a request and say no more."""
    print(ledger.claim_next(worker, lease_s=60).id, flush=True)
    time.sleep(600)


def hang_inside_claim(ledger, worker):
    """Stop in the middle of the transaction that claims."""
    with writing(ledger.engine) as session:
        row = known_row(session, session.scalar(due_first(None)).id)
        change(session, row, "claim", time=ledger.clock(), actor=worker)
        print(row.id, flush=True)
        time.sleep(600)


if __name__ == "__main__":
    globals()[sys.argv[1]](connect(None), sys.argv[2])
