"""Several workers at once, and workers that are killed: every request is served once, on either database."""

import time

import pytest
from ledgers import draft, enter, kill_after_a_line, spawned, start
from sqlalchemy import URL

from tasks.requests.ledger.ledger import Ledger

WORKERS, EACH, MODELS = 4, 50, 10


@pytest.mark.long
def test_of_four_workers_no_two_get_the_same_request_or_the_same_model(ledger, ledger_url):
    wanted = [draft(f"r-{n}", model=f"model-{n % MODELS}") for n in range(WORKERS * EACH)]
    enter(ledger, *wanted)
    # The workers go by the machine's clock.
    ledger = Ledger(ledger.engine)
    with spawned(
        "ledger_worker.py", ledger_url, "serve", names=[f"w-{n}" for n in range(WORKERS)]
    ) as workers:
        while ledger.entries(state="received"):
            assert [worker.poll() for worker in workers if worker.poll()] == [], "a worker stopped"
            ledger.verify()
            time.sleep(0.5)
        said = [worker.communicate(timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORKERS
    served = [request for out in said for request in out.split()]
    assert sorted(served) == sorted(one.request.id for one in wanted)
    assert all((entry.state, entry.attempts) == ("completed", 1) for entry in ledger.entries())
    ledger.verify()


def test_several_processes_may_be_the_first_to_open_a_file(tmp_path):
    url = URL.create("sqlite+pysqlite", database=str(tmp_path / "new" / "ledger.db"))
    with spawned("ledger_worker.py", url, "serve", names=["w-1", "w-2", "w-3"]) as workers:
        assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]


@pytest.mark.parametrize("place", ["hang_after_claim", "hang_inside_claim"])
def test_what_a_killed_worker_had_claimed_is_taken_up_once(ledger, ledger_url, engine, place):
    enter(ledger, "r-1")
    killed = kill_after_a_line(start("ledger_worker.py", ledger_url, place, "w-killed"))
    assert killed == "r-1"
    # The killed one went by the machine's clock; its lease is over a day later, whatever the hour.
    tomorrow = Ledger(engine, lambda: "2999-01-01T00:00:00Z")
    attempts = 2 if place == "hang_after_claim" else 1
    assert tomorrow.claim("w-2")[0].attempts == attempts
    assert tomorrow.claim("w-3") == ()
    assert tomorrow.complete("r-1", "w-2").state == "completed"
    expired = [event.action for event in tomorrow.history("r-1")[1]].count("expire")
    assert expired == attempts - 1
    tomorrow.verify()
