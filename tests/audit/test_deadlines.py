"""By when a request is due: the laws' own arithmetic, and dates that are none."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.deadlines import due_day, is_overdue, later, parse_day, parse_received
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


def test_the_due_day_counts_until_its_end():
    assert not is_overdue("2026-11-21", "2026-11-21T23:59:59Z")
    assert is_overdue("2026-11-21", "2026-11-22T00:00:00Z")


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
