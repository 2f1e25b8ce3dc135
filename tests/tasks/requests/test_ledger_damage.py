"""A ledger that somebody has damaged by SQL: every kind is named, and the workers go on with the rest.

Each of these must turn red: a row that is read under another name than its own; a damaged row that keeps a
worker from the others; a changed request that is served; a trigger that is gone, changed or switched off
without a word.
"""

import pytest
from ledgers import TRIGGERS, draft, drop_triggers, enter

from unlearn_core.audit.queueing import in_groups
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope

OTHER = DeletionRequest(id="r-1", scope=ClassScope(classes=("4",))).canonical().decode()
RENAMED = "UPDATE deletion_requests SET id = 'r-9' WHERE id = 'r-1'"
CHANGED = f"UPDATE deletion_requests SET request = '{OTHER}' WHERE id = 'r-1'"
UNREADABLE = "UPDATE deletion_requests SET request = '{' WHERE id = 'r-1'"
NO_DAY = "UPDATE deletion_requests SET due = 'soon' WHERE id = 'r-1'"
LATER = "UPDATE deletion_requests SET due = '2036-01-01' WHERE id = 'r-1'"
OTHERS_NAME = "UPDATE deletion_requests SET request = (SELECT request FROM deletion_requests WHERE id = 'r-2') WHERE id = 'r-1'"  # noqa: E501
ROWS = {
    RENAMED: "request 'r-9' was renamed: what was asked for is 'r-1'",
    OTHERS_NAME: "request 'r-1' was renamed: what was asked for is 'r-2'",
    CHANGED: "'r-1', names sha256:.*; what was asked for has changed",
    UNREADABLE: "request 'r-1' is not as it was written",
    NO_DAY: "request 'r-1' is not as it was written: .*due",
    LATER: "request 'r-1': it is said to be due on 2036-01-01; .* is due on 2026-12-21",
}
each = pytest.mark.parametrize("damage", ROWS)


def harm(engine, *statements):
    """Change rows as whoever owns the tables can: no trigger and no key stands in the way."""
    drop_triggers(engine)
    connection = engine.raw_connection()
    cursor = connection.cursor()
    if engine.dialect.name == "sqlite":
        cursor.execute("PRAGMA foreign_keys = OFF")
    else:
        cursor.execute("ALTER TABLE deletion_events DROP CONSTRAINT deletion_events_request_fkey")
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    connection.close()


@each
def test_a_damaged_row_is_named(ledger, engine, damage):
    enter(ledger, "r-1", "r-2")
    harm(engine, damage)
    with pytest.raises(EvidenceError, match=f"(?s){ROWS[damage]}"):
        ledger.verify()


def test_every_damaged_row_is_named_and_not_the_first_alone(ledger, engine):
    enter(ledger, "r-1", "r-2", "r-3")
    harm(engine, UNREADABLE, "UPDATE deletion_requests SET state = 'failed' WHERE id = 'r-3'")
    with pytest.raises(EvidenceError) as told:
        ledger.verify()
    assert "request 'r-1' is not as it was written" in str(told.value)
    assert "of request 'r-3', left it received" in str(told.value)
    assert "'r-2'" not in str(told.value)


@each
def test_a_worker_leaves_out_a_damaged_request_says_so_and_serves_the_others(ledger, engine, damage, capsys):
    enter(ledger, draft("r-1", received="2026-11-01T00:00:00Z"), "r-2", draft("r-3", model="cifar"))
    harm(engine, damage)
    assert [one.id for one in ledger.claim("w-1")] == ["r-2"]
    ledger.complete("r-2", "w-1")
    assert [one.id for one in ledger.claim("w-1")] == ["r-3"]
    assert ledger.claim("w-2") == ()
    assert "left out: request 'r-" in capsys.readouterr().err
    assert {"r-2", "r-3"} <= {one.id for one in ledger.entries()}


@each
def test_what_was_begun_and_damaged_holds_its_model_and_no_other(ledger, engine, clock, damage):
    enter(ledger, "r-1", "r-2", draft("r-3", model="cifar"))
    ledger.claim("w-1", in_groups(most=1), lease_s=60)
    harm(engine, damage)
    clock.advance(61)
    assert [one.id for one in ledger.claim("w-2")] == ["r-3"]
    assert ledger.claim("w-3") == ()


def test_a_claim_without_an_end_has_ended(ledger, engine):
    enter(ledger, "r-1")
    ledger.claim("w-1")
    harm(engine, "UPDATE deletion_requests SET lease_until = NULL")
    assert ledger.claim("w-2")[0].attempts == 2


@pytest.mark.parametrize(
    ("time", "said"),
    [("noon", "LedgerEvent is not valid"), ("2036-01-01T00:00:00Z", "does not have the digest")],
)
def test_a_damaged_last_event_is_named_and_keeps_nobody_from_working(ledger, engine, time, said):
    enter(ledger, "r-1", "r-2")
    harm(engine, f"UPDATE deletion_events SET time = '{time}' WHERE sequence = 2")
    ledger.claim("w-1")
    assert ledger.complete("r-1", "w-1").state == "completed"
    with pytest.raises(EvidenceError, match=f"at event 2: .*{said}"):
        ledger.verify()


def test_times_that_run_backwards_are_named(ledger, clock, monkeypatch):
    enter(ledger, "r-1")
    clock.advance(-300)
    enter(ledger, "r-2")
    ledger.verify()
    clock.advance(-601)
    # Earlier versions did not look.
    monkeypatch.setattr("unlearn_core.audit.ledger.is_later", lambda *_: False)
    enter(ledger, "r-3")
    clock.advance(901)
    with pytest.raises(EvidenceError, match="at event 3: time runs backwards: it is of 2026-11-21T11:44:59Z"):
        ledger.verify()


TWO_DAYS_S = 172_800


def test_nothing_is_recorded_by_a_clock_that_was_moved_back(ledger, clock):
    enter(ledger, "r-1", "r-2")
    ledger.claim("w-1", lease_s=60)
    clock.advance(-TWO_DAYS_S)
    acts = (
        lambda: enter(ledger, "r-3"),
        lambda: ledger.complete("r-1", "w-1"),
        lambda: ledger.give_back("r-1", "w-1", reason="told to end"),
        lambda: ledger.cancel("r-2", actor="a", reason="asked to"),
    )
    for act in acts:
        with pytest.raises(SetupError, match=r"clock says 2026-11-19T12:00:00Z, and the last event .* is of"):
            act()
    clock.advance(TWO_DAYS_S)
    assert [entry.state for entry in ledger.entries()] == ["running", "received"]
    ledger.complete("r-1", "w-1")
    ledger.verify()


def test_after_a_clock_that_was_ahead_the_chain_waits_and_holds(ledger, clock):
    clock.advance(TWO_DAYS_S)
    enter(ledger, "r-1")
    clock.advance(-TWO_DAYS_S)
    with pytest.raises(SetupError, match="if it is, wait until then"):
        ledger.claim("w-1")
    clock.advance(TWO_DAYS_S)
    ledger.claim("w-1")
    ledger.verify()


def test_a_receipt_after_its_entry_is_named(ledger, clock):
    enter(ledger, draft("r-1", received="2026-11-22T12:00:00Z"))
    with pytest.raises(EvidenceError, match="received at 2026-11-22T12:00:00Z, after it was entered at"):
        ledger.verify()


@pytest.fixture
def triggers(engine):
    """The triggers that keep rows as they were, and the tables that they are on."""
    return TRIGGERS[engine.dialect.name]


def test_each_missing_trigger_is_named(ledger, engine, triggers):
    enter(ledger, "r-1")
    drop_triggers(engine)
    with pytest.raises(EvidenceError) as told:
        ledger.verify()
    for name in triggers:
        assert f"the trigger {name} is missing" in str(told.value)


@pytest.mark.parametrize("body", ["SELECT 1", "SELECT RAISE(IGNORE)"])
def test_a_changed_trigger_is_named(ledger, engine, body):
    name = "requests_stay_as_received"
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE UPDATE OF id ON deletion_requests BEGIN {body}; END"
            )
        elif body == "SELECT 1":
            connection.exec_driver_sql(
                "CREATE OR REPLACE FUNCTION refuse_to_change_a_request() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RETURN NEW; END $$"
            )
        else:
            connection.exec_driver_sql(f"ALTER TABLE deletion_requests DISABLE TRIGGER {name}")
    with pytest.raises(EvidenceError, match=f"the trigger {name} is not as it was made"):
        ledger.verify()


def test_a_trigger_that_lethe_did_not_make_is_named(ledger, engine):
    kind = engine.dialect.name
    with engine.begin() as connection:
        if kind == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER quiet BEFORE INSERT ON deletion_events BEGIN SELECT 1; END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE TRIGGER quiet BEFORE INSERT ON deletion_events FOR EACH ROW "
                "EXECUTE FUNCTION refuse_an_event_out_of_turn()"
            )
    with pytest.raises(EvidenceError, match="the trigger quiet is not Lethe's"):
        ledger.verify()
