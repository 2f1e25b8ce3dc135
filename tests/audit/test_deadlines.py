"""By when a request is due: the laws' own arithmetic, and dates that are none."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.deadlines import due_day, due_days, is_overdue, later, parse_day, parse_received
from unlearn_core.errors import RequestError

NOW = "2026-11-21T12:00:00Z"
days = st.dates(date(2018, 5, 25), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-03-05", "2026-04-05"),
        ("2026-08-31", "2026-09-30"),
        ("2026-01-31", "2026-02-28"),
        ("2028-01-31", "2028-02-29"),
        ("2028-01-30", "2028-02-29"),
        ("2026-12-31", "2027-01-31"),
        ("2026-02-28", "2026-03-28"),
    ],
)
def test_gdpr_is_one_month_by_the_calendar(received, due):
    assert due_day("gdpr", f"{received}T23:59:59Z") == due


def test_ccpa_is_45_days():
    assert due_day("ccpa", "2026-11-21T00:00:00Z") == "2027-01-05"


@given(days)
def test_a_month_ends_on_the_same_day_or_on_the_last_one(day):
    due = date.fromisoformat(due_day("gdpr", f"{day}T00:00:00Z"))
    tomorrow = due + timedelta(days=1)
    assert (due.year * 12 + due.month) - (day.year * 12 + day.month) == 1
    assert due.day == day.day or (due.day < day.day and tomorrow.day == 1)


@given(days, days)
def test_what_came_in_later_is_never_due_earlier(first, second):
    first, second = sorted((first, second))
    for basis in ("gdpr", "ccpa"):
        assert due_day(basis, f"{first}T00:00:00Z") <= due_day(basis, f"{second}T00:00:00Z")


def test_the_due_day_is_over_when_it_is_over_in_the_east():
    assert not is_overdue("2026-11-21", "2026-11-21T09:59:59Z")
    assert is_overdue("2026-11-21", "2026-11-21T10:00:00Z")


@pytest.mark.parametrize("basis", ["gdpr", "ccpa"])
@given(
    received=st.datetimes(datetime(2018, 5, 25), datetime(2100, 1, 1)),
    minutes=st.integers(-12 * 4, 14 * 4).map(lambda quarters: 15 * quarters),
)
def test_wherever_the_requester_lives_a_request_is_late_no_later_than_there(basis, received, minutes):
    """The obvious count: the requester's own day of receipt, and the end of the own due day."""
    received = received.replace(microsecond=0)
    zone = timezone(timedelta(minutes=minutes))
    own_day = received.replace(tzinfo=UTC).astimezone(zone).date()
    own_due = date.fromisoformat(due_day(basis, f"{own_day}T00:00:00Z"))
    over = datetime.combine(own_due + timedelta(days=1), time(), zone).astimezone(UTC)
    if received.time() == time():
        return  # only the day is known, and it is the requester's
    due = due_day(basis, f"{received.isoformat()}Z")
    assert is_overdue(due, f"{over:%Y-%m-%dT%H:%M:%SZ}")


def test_a_receipt_in_the_morning_was_the_day_before_in_the_west():
    assert due_day("gdpr", "2026-03-01T03:00:00Z") == "2026-03-28"
    assert due_day("gdpr", "2026-03-01T12:00:00Z") == "2026-04-01"
    assert due_day("gdpr", "2026-03-01T00:00:00Z") == "2026-04-01", "a day alone is the requester's own"


def test_the_due_days_that_follow_are_those_of_today_and_of_the_first_ledgers():
    assert due_days("gdpr", "2026-03-01T03:00:00Z") == ("2026-03-28", "2026-04-01")
    assert due_days("gdpr", "2026-02-30T03:00:00Z") == ()


@pytest.mark.parametrize(
    ("text", "time"),
    [("2026-11-20", "2026-11-20T00:00:00Z"), ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z")],
)
def test_a_day_or_a_time_is_read(text, time):
    assert parse_received(text, NOW) == time


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-02-30", "20261120", "2026-W01-1", "2026-1-2", "20.11.2026",
     "2026-11-20T09:30:00", "2026-11-20T09:30:00+02:00", "2026-11-20 09:30:00Z", "2026-11-20T24:00:00Z",
     "2026-11-20\n", "0000-01-01"],
)  # fmt: skip
def test_what_is_no_date_is_refused_and_not_repeated(text):
    expected = "not a day or a time; expected one like 2026-11-20 or 2026-11-20T09:30:00Z (UTC)"
    with pytest.raises(RequestError, match=f"^{re.escape(expected)}$"):
        parse_received(text, NOW)


@given(st.text())
def test_any_text_is_a_day_or_refused(text):
    try:
        assert parse_day(text) == text
    except RequestError:
        return
    assert date.fromisoformat(text).isoformat() == text


@pytest.mark.parametrize("text", ["2026-11-22", "2026-11-21T12:00:01Z"])
def test_the_future_is_refused(text):
    with pytest.raises(RequestError, match="in the future"):
        parse_received(text, NOW)


def test_a_lease_ends_some_seconds_later():
    assert later("2026-12-31T23:59:30Z", 45) == "2027-01-01T00:00:15Z"
