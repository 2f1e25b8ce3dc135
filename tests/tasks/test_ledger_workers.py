"""Several workers at once, and workers that are killed: every request is served once, on either database."""

import time

import pytest
from ledgers import draft, enter, kill_after_a_line, start

from tasks.ledger.ledger import Ledger

WORKERS, EACH, MODELS = 4, 50, 10


def said_by(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return out.split()


def test_of_four_workers_no_two_get_the_same_request_or_the_same_model(ledger, ledger_url):
    wanted = [draft(f"r-{n}", model=f"model-{n % MODELS}") for n in range(WORKERS * EACH)]
    enter(ledger, *wanted)
    workers = [start("ledger_worker.py", ledger_url, "serve", f"w-{n}") for n in range(WORKERS)]
    while any(worker.poll() is None for worker in workers):
        ledger.verify()
        time.sleep(0.5)
    served = [request for worker in workers for request in said_by(worker)]
    assert sorted(served) == sorted(one.request.id for one in wanted)
    assert all((entry.state, entry.attempts) == ("completed", 1) for entry in ledger.entries())
    ledger.verify()


@pytest.mark.parametrize("place", ["hang_after_claim", "hang_inside_claim"])
def test_what_a_killed_worker_had_claimed_is_taken_up_once(ledger, ledger_url, engine, place):
    enter(ledger, "r-1")
    killed = kill_after_a_line(start("ledger_worker.py", ledger_url, place, "w-killed"))
    assert killed == "r-1"
    # The killed one went by the machine's clock; its lease is over a day later, whatever the hour.
    tomorrow = Ledger(engine, lambda: "2999-01-01T00:00:00Z")
    attempts = 2 if place == "hang_after_claim" else 1
    assert tomorrow.claim_next("w-2").attempts == attempts
    assert tomorrow.claim_next("w-3") is None
    assert tomorrow.complete("r-1", "w-2").state == "completed"
    expired = [event.action for event in tomorrow.history("r-1")[1]].count("expire")
    assert expired == attempts - 1
    tomorrow.verify()
