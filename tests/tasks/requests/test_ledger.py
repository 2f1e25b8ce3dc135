"""The ledger, on a SQLite file and on a real PostgreSQL server: who may change what, and what stays."""

import pytest
from ledgers import NOON, draft, drop_triggers, enter
from sqlalchemy.exc import DBAPIError

from tasks.checkout.settings import LEASE_S
from tasks.requests.ledger.changing import Draft
from tasks.requests.ledger.ledger import MOST_ATTEMPTS
from unlearn_core.audit.deadlines import later
from unlearn_core.audit.queueing import in_groups, turn_of
from unlearn_core.errors import EvidenceError, RequestError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope


def actions(ledger, request):
    return [event.action for event in ledger.history(request)[1]]


def test_a_request_comes_in_once(ledger):
    (first,) = enter(ledger, "r-1")
    assert (first.state, first.attempts, first.submission.received, first.submission.due) == (
        "received", 0, NOON, "2026-12-21",
    )  # fmt: skip
    assert enter(ledger, "r-1") == (first,)
    assert actions(ledger, "r-1") == ["submit"]


def test_the_same_request_is_known_in_whatever_state_it_is(ledger, clock):
    enter(ledger, "r-1")
    ledger.cancel("r-1", actor="clerk", reason="withdrawn")
    clock.advance(86400)
    assert enter(ledger, "r-1")[0].state == "cancelled"


def test_a_request_from_before_requests_named_their_model_is_known(ledger):
    (first,) = enter(ledger, "r-1")
    again = DeletionRequest(id="r-1", model="digits", scope=first.submission.request.scope)
    assert enter(ledger, Draft(again, "digits")) == (first,)
    assert ledger.holds([again])


def test_a_request_is_for_the_model_that_it_names(ledger):
    other = DeletionRequest(id="r-1", model="cifar", scope=ClassScope(classes=("3",)))
    with pytest.raises(RequestError, match="the request is for the model cifar, not for digits"):
        enter(ledger, Draft(other, "digits"))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (draft("r-1", "4"), "another scope"),
        (draft("r-1", model="cifar"), "another model"),
        (draft("r-1", "4", basis="ccpa"), "another scope and basis"),
        (draft("r-1", received="2026-11-01T00:00:00Z"), "another time of receipt"),
    ],
)
def test_an_id_is_taken_once(ledger, other, said):
    enter(ledger, "r-1")
    with pytest.raises(RequestError, match=f"the id 'r-1' is taken by a request with {said}"):
        enter(ledger, other)


def test_of_many_requests_all_come_in_or_none(ledger):
    enter(ledger, "r-1")
    head = ledger.head()
    with pytest.raises(RequestError) as refused:
        enter(ledger, "r-2", draft("r-1", "4", where="line 3: "), "r-3", draft("r-2", "5", where="line 5: "))
    assert [line[:7] for line in str(refused.value).splitlines()] == ["line 3:", "line 5:"]
    assert [entry.id for entry in ledger.entries()] == ["r-1"]
    assert ledger.head() == head


def test_requests_are_listed_and_claimed_by_due_day_then_receipt_then_id(ledger):
    enter(
        ledger,
        draft("e", received="2026-11-02T00:00:00Z"),
        draft("d", basis="ccpa", received="2026-10-01T00:00:00Z"),
        draft("c", received="2026-10-14T00:00:00Z"),
        draft("b", basis="ccpa", received="2026-09-30T00:00:00Z"),
        draft("a", received="2026-10-14T00:00:00Z"),
    )
    order = ["a", "b", "c", "d", "e"]
    by_day = sorted(order, key=lambda one: (_entry(ledger, one).due, _entry(ledger, one).received, one))
    assert [entry.id for entry in ledger.entries()] == by_day == ["b", "a", "c", "d", "e"]
    claimed = []
    while claimed_now := ledger.claim("w"):
        (entry,) = claimed_now
        claimed.append(entry.id)
        ledger.complete(entry.id, "w")
    assert claimed == by_day
    assert [one.id for one in ledger.entries(state="completed", due_before="2026-11-15")] == ["b", "a", "c"][
        :3
    ]


def _entry(ledger, request):
    return ledger.history(request)[0].submission


def test_a_model_has_one_running_request_and_others_go_on(ledger):
    enter(ledger, "a-1", "a-2", draft("b-1", model="cifar"))
    assert ledger.claim("w-1")[0].id == "a-1"
    assert ledger.claim("w-2")[0].id == "b-1"
    assert ledger.claim("w-3") == ()
    ledger.complete("a-1", "w-1")
    assert ledger.claim("w-3", in_groups(most=1, model="cifar")) == ()
    assert ledger.claim("w-3")[0].id == "a-2"


def test_the_database_itself_refuses_a_second_running_request_of_a_model(ledger, engine):
    enter(ledger, "a-1", "a-2")
    ledger.claim("w")
    with pytest.raises(DBAPIError, match=r"(?i)unique"), engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deletion_requests SET state = 'running'")


def test_a_claim_says_who_and_until_when(ledger):
    enter(ledger, "r-1")
    (claimed,) = ledger.claim("w", lease_s=90)
    assert (claimed.state, claimed.attempts, claimed.worker) == ("running", 1, "w")
    assert claimed.lease_until == "2026-11-21T12:01:30Z"
    assert ledger.complete("r-1", "w", reason="svd").lease_until is None


def test_a_sign_of_life_extends_the_claim_and_is_no_event(ledger, clock):
    enter(ledger, "r-1")
    ledger.claim("w", lease_s=60)
    head = ledger.head()
    clock.advance(50)
    assert ledger.heartbeat("r-1", "w").lease_until == later(NOON, 50 + LEASE_S)
    clock.advance(60)
    assert ledger.expire(actor="warden") == ()
    assert ledger.head() == head


def test_an_expired_claim_is_taken_up_again_and_the_first_worker_is_told(ledger, clock):
    enter(ledger, "r-1")
    ledger.claim("w-1", lease_s=60)
    clock.advance(61)
    assert ledger.claim("w-2")[0].attempts == 2
    for late in (ledger.heartbeat, ledger.complete):
        with pytest.raises(RequestError, match="'w-1' does not hold request 'r-1': it is running, and w-2"):
            late("r-1", "w-1")
    ledger.complete("r-1", "w-2")
    entry, events = ledger.history("r-1")
    assert [event.action for event in events] == ["submit", "claim", "expire", "claim", "complete"]
    assert events[2].reason == "w-1 gave no sign of life until 2026-11-21T12:01:00Z"
    assert entry.state == "completed"


def test_a_lease_holds_to_its_last_second(ledger, clock):
    enter(ledger, "r-1")
    ledger.claim("w", lease_s=60)
    clock.advance(60)
    assert ledger.expire(actor="warden") == ()
    clock.advance(1)
    assert [entry.state for entry in ledger.expire(actor="warden")] == ["received"]


def test_however_long_a_workers_name_its_silence_can_be_told(ledger, clock):
    enter(ledger, "r-1")
    with pytest.raises(RequestError, match="actor: String should have at most 200"):
        ledger.claim("w" * 201)
    ledger.claim("w" * 200, lease_s=60)
    clock.advance(61)
    assert ledger.claim("w-2")[0].attempts == 2


def test_a_failure_is_final_until_somebody_asks_again(ledger):
    enter(ledger, "r-1")
    ledger.claim("w")
    assert ledger.fail("r-1", "w", reason="no method was accepted").state == "failed"
    assert ledger.claim("w") == ()
    ledger.retry("r-1", actor="clerk", reason="another policy")
    assert ledger.claim("w")[0].attempts == 2
    reasons = [event.reason for event in ledger.history("r-1")[1]]
    assert reasons == [None, None, "no method was accepted", "another policy", None]


def test_what_was_begun_and_interrupted_is_not_cancelled(ledger):
    enter(ledger, "r-1", "r-2")
    ledger.claim("w-1", in_groups(most=2))
    for request in ("r-1", "r-2"):
        ledger.give_back(request, "w-1", reason="the store is away")
        with pytest.raises(
            RequestError, match=f"cannot cancel request '{request}': a run of it was interrupted"
        ):
            ledger.cancel(request, actor="clerk", reason="withdrawn")
    assert [one.id for one in ledger.claim("w-2", in_groups(most=2))] == ["r-1", "r-2"]
    for request in ("r-1", "r-2"):
        ledger.fail(request, "w-2", reason="no model was accepted")
    ledger.retry("r-1", actor="clerk", reason="a wider policy")
    assert ledger.cancel("r-1", actor="clerk", reason="withdrawn").state == "cancelled"


def test_only_what_waits_can_be_cancelled(ledger):
    enter(ledger, "r-1")
    ledger.claim("w")
    with pytest.raises(RequestError, match="cannot cancel request 'r-1': it is running"):
        ledger.cancel("r-1", actor="clerk", reason="withdrawn")
    ledger.complete("r-1", "w")
    with pytest.raises(RequestError, match="it is completed, and that is final"):
        ledger.cancel("r-1", actor="clerk", reason="withdrawn")
    assert actions(ledger, "r-1") == ["submit", "claim", "complete"]


def test_what_is_not_there_is_said_to_be_not_there(ledger):
    for wanted in (ledger.history, lambda one: ledger.cancel(one, actor="clerk", reason="x")):
        with pytest.raises(RequestError, match="no request 'r-9' in the ledger"):
            wanted("r-9")


def test_a_refused_change_leaves_no_trace(ledger):
    enter(ledger, "r-1")
    head = ledger.head()
    with pytest.raises(RequestError, match="the event is not valid"):
        ledger.cancel("r-1", actor="clerk", reason="\udcff")
    assert ledger.history("r-1")[0].state == "received"
    assert ledger.head() == head


def test_the_head_is_that_of_the_last_event_and_of_none_at_first(ledger):
    assert ledger.head() is None
    assert ledger.verify() is None
    enter(ledger, "r-1", "r-2")
    first = ledger.head()
    assert ledger.history("r-2")[1][-1].digest == first == ledger.verify()
    ledger.cancel("r-1", actor="clerk", reason="withdrawn")
    assert ledger.head() != first
    assert ledger.verify(first) == ledger.head()


def test_a_head_that_the_ledger_never_had_shows_that_it_was_cut_off(ledger):
    enter(ledger, "r-1")
    with pytest.raises(EvidenceError, match=r"no event sha256:0+: it was truncated"):
        ledger.verify("sha256:" + "0" * 64)


FIRST = "SELECT * FROM deletion_events WHERE sequence = 1"
OUT_OF_TURN = (
    "4, schema_version, time, request, action, actor, before, after, reason, submission, 'x', 'y', "
    "policy, run, deletion"
)
COMMON = [
    "UPDATE deletion_events SET actor = 'nobody'",
    "UPDATE deletion_events SET sequence = 7",
    "DELETE FROM deletion_events",
    "DELETE FROM deletion_events WHERE sequence = 2",
    f"INSERT INTO deletion_events {FIRST}",
    f"INSERT INTO deletion_events {FIRST.replace('*', OUT_OF_TURN)}",
    "DELETE FROM deletion_requests",
]
REFUSED = {
    "sqlite": [*COMMON, f"INSERT OR REPLACE INTO deletion_events {FIRST}"],
    "postgresql": [*COMMON, "TRUNCATE deletion_events", "TRUNCATE deletion_requests CASCADE"],
}


def test_the_database_refuses_to_change_what_has_happened(ledger, engine):
    enter(ledger, "r-1", "r-2")
    before = ledger.history("r-1")
    for statement in REFUSED[engine.dialect.name]:
        with (
            pytest.raises(DBAPIError, match=r"(?i)events of the ledger|foreign key"),
            engine.begin() as connection,
        ):
            connection.exec_driver_sql(statement)
    assert ledger.history("r-1") == before
    ledger.verify()


TAMPERED = {
    "UPDATE deletion_events SET actor = 'nobody' WHERE sequence = 2": "at event 2: its content",
    "UPDATE deletion_events SET time = 'noon' WHERE sequence = 2": "at event 2: LedgerEvent is not valid",
    "UPDATE deletion_requests SET state = 'completed' WHERE id = 'r-1'": "event 1, the last of request 'r-1'",
    "UPDATE deletion_requests SET due = '2036-01-01' WHERE id = 'r-1'": "what was asked for has changed",
    "UPDATE deletion_requests SET state = 'lost' WHERE id = 'r-1'": "request 'r-1' .* Entry is not valid",
    "UPDATE deletion_requests SET request = '{' WHERE id = 'r-1'": "request 'r-1' is not as it was written",
}


@pytest.mark.parametrize("statement", TAMPERED)
def test_who_takes_the_triggers_away_is_found_out(ledger, engine, statement):
    enter(ledger, "r-1", "r-2")
    drop_triggers(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(EvidenceError, match=TAMPERED[statement]):
        ledger.verify()


def test_what_is_served_together_is_claimed_together_and_its_model_is_taken(ledger):
    enter(ledger, "a-1", "a-2", "a-3", draft("b-1", model="cifar"))
    claimed = ledger.claim("w-1", in_groups(most=2))
    assert [(one.id, one.state, one.leader) for one in claimed] == [
        ("a-1", "running", "a-1"),
        ("a-2", "running", "a-1"),
    ]
    assert ledger.claim("w-2", turn_of("a-3")) == ()
    for one in claimed:
        assert ledger.complete(one.id, "w-1").leader is None
    assert ledger.claim("w-2", turn_of("a-3"))[0].leader == "a-3"
    ledger.verify()


@pytest.mark.parametrize("choose", [turn_of("a-2", ahead=True), turn_of("a-2"), in_groups(most=9)])
def test_what_was_served_together_and_interrupted_is_taken_up_together(ledger, clock, choose):
    enter(ledger, "a-1", "a-2")
    ledger.claim("w-1", in_groups(most=9), lease_s=60)
    enter(ledger, "a-3")
    clock.advance(61)
    assert [one.id for one in ledger.claim("w-2", choose)] == ["a-1", "a-2"]
    ledger.verify()


def test_what_costs_every_worker_its_life_fails_in_the_end(ledger, clock):
    enter(ledger, "r-1")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert ledger.claim(f"w-{attempt}", lease_s=60)[0].attempts == attempt
        clock.advance(61)
    assert ledger.claim("w-last") == ()
    entry, events = ledger.history("r-1")
    assert (entry.state, events[-1].action) == ("failed", "fail")
    assert events[-1].reason.startswith(f"w-{MOST_ATTEMPTS} gave no sign of life")
    ledger.verify()


@pytest.mark.parametrize(("suspect", "state"), [(False, "received"), (True, "failed")])
def test_what_is_given_back_again_and_again_fails_only_if_it_may_be_why(ledger, suspect, state):
    enter(ledger, "r-1")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert ledger.claim("w-1")[0].attempts == attempt
        entry = ledger.give_back("r-1", "w-1", reason="stopped", suspect=suspect)
    assert entry.state == state
    ledger.verify()


def test_a_worker_that_cannot_serve_now_gives_back(ledger):
    enter(ledger, "r-1")
    ledger.claim("w-1")
    with pytest.raises(RequestError, match="'w-2' does not hold"):
        ledger.give_back("r-1", "w-2", reason="not mine")
    enter(ledger, draft("r-0", received="2026-01-01T00:00:00Z"))
    assert ledger.give_back("r-1", "w-1", reason="the tracking server is away").state == "received"
    assert ledger.claim("w-2")[0].attempts == 2
