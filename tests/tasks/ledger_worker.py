"""A worker in its own process: it serves until nothing is left, or hangs until it is killed."""

import sys
import time

from tasks.requests.ledger.changing import change
from tasks.requests.ledger.database import writing
from tasks.requests.ledger.ledger import connect
from tasks.requests.ledger.queue import choose_rows
from unlearn_core.audit.queueing import DUE_FIRST


def serve(ledger, worker):
    """Serve what there is; print each request that was served."""
    while ledger.entries(state="received"):
        while claimed := ledger.claim(worker):
            ledger.complete(claimed[0].id, worker)
            print(claimed[0].id, flush=True)
        time.sleep(0.05)


def hang_after_claim(ledger, worker):
    """Claim a request and say no more."""
    print(ledger.claim(worker, lease_s=60)[0].id, flush=True)
    time.sleep(600)


def hang_inside_claim(ledger, worker):
    """Stop in the middle of the transaction that claims."""
    with writing(ledger.engine) as session:
        (row,) = choose_rows(session, DUE_FIRST)
        change(session, row, "claim", time=ledger.clock(), actor=worker)
        print(row.id, flush=True)
        time.sleep(600)


if __name__ == "__main__":
    globals()[sys.argv[1]](connect(None), sys.argv[2])
