"""A claim reads little of the queue, and takes what its rule would take of all of it."""

import random

import pytest
from ledgers import draft, enter

from tasks.requests.ledger.batches import keep_batch
from tasks.requests.ledger.changing import Draft
from unlearn_core.audit.queueing import DUE_FIRST, in_groups, turn_of
from unlearn_core.kinds import TO_SERVE
from unlearn_core.records.batch import Batch
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, SampleScope

MODELS = ("a", "b", "c", "d")
BATCH = Batch(wait_h=24, at_most=3)


def any_draft(chance, n):
    """Return a request of any kind, for any model, received on any of the last days."""
    scope = ClassScope(classes=("3",))
    if chance.random() < 0.5:
        scope = SampleScope(samples=(f"hmac-sha256:{n:064x}",))
    model = chance.choice(MODELS)
    received = f"2026-11-{chance.randint(1, 21):02d}T00:00:00Z"
    return Draft(DeletionRequest(id=f"r-{n}", scope=scope), model, received=received)


def any_rule(chance, ids):
    """Return one of the rules that workers have."""
    return chance.choice(
        [
            DUE_FIRST,
            in_groups(),
            in_groups(most=2),
            in_groups(patient=False),
            in_groups(model=chance.choice(MODELS)),
            turn_of(chance.choice(ids)),
            turn_of(chance.choice(ids), ahead=True),
        ]
    )


def any_end(chance, ledger, worker, entry):
    """Leave a claim as it is, or end it in one of the ways in which it can."""
    match chance.randrange(5):
        case 0:
            ledger.complete(entry.id, worker)
        case 1:
            ledger.fail(entry.id, worker, reason="no model was accepted")
        case 2 | 3:
            ledger.give_back(entry.id, worker, reason="the store is away")
        case _:
            pass


@pytest.mark.parametrize("seed", range(6))
def test_a_claim_takes_what_its_rule_takes_of_the_whole_queue(ledger, clock, seed):
    chance = random.Random(seed)
    keep_batch(ledger, "a", BATCH)
    keep_batch(ledger, "b", BATCH)
    ids = [f"r-{n}" for n in range(24)]
    enter(ledger, *(any_draft(chance, n) for n in range(24)))
    for turn in range(14):
        clock.advance(chance.randint(0, 3) * 3600)
        rule, worker = any_rule(chance, ids), f"w-{turn}"
        ledger.expire(actor="warden")
        queue = [
            entry.model_copy(update={"waits_until": None})
            if entry.waits_until is not None and entry.waits_until <= clock()
            else entry
            for entry in ledger.entries(state=TO_SERVE)
        ]
        models = {entry.id: entry.submission.model for entry in queue}
        expected = [
            one.id
            for model in (models.get(rule.request), *MODELS)
            for one in rule.under(BATCH if model in {"a", "b"} else None)(queue)
            if model == one.submission.model
        ]
        claimed = ledger.claim(worker, rule, lease_s=4 * 3600)
        assert [entry.id for entry in claimed] == list(dict.fromkeys(expected))
        for entry in claimed:
            any_end(chance, ledger, worker, entry)
    ledger.verify()


def test_of_many_requests_a_page_and_a_claim_read_few(ledger, engine, monkeypatch):
    enter(ledger, *(draft(f"r-{n:04d}", model=f"m-{n % 5}") for n in range(1000)))
    from tasks.requests.ledger import entries

    read = []
    monkeypatch.setattr(entries, "entry_of", lambda row, real=entries.entry_of: read.append(row) or real(row))
    assert [one.id for one in ledger.claim("w")] == ["r-0000"]
    assert len(ledger.claim("w-2", in_groups(most=50))) == 50
    assert [one.id for one in ledger.entries(limit=3, after=997)] == ["r-0997", "r-0998", "r-0999"]
    assert (ledger.count(), ledger.count(model="m-1"), ledger.count(state="running")) == (1000, 200, 51)
    assert len(read) < 120
