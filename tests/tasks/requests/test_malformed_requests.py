"""Two hundred files that are wrong in one place each: one clear message, and nothing in the ledger."""

import csv
import io
import json

import pytest

from flows.submit import import_file
from tasks.requests.ledger.ledger import connect
from unlearn_core.errors import RequestError

SECRET = "jane-doe-1970"
HEADER = ("id", "kind", "name", "basis", "received")
ROWS = tuple((f"r-{n}", "subject", f"{SECRET}-{n}", "gdpr", "2026-11-01") for n in range(4))


def changed(column, value):
    """Return what puts a value into one cell."""
    at = HEADER.index(column)
    return lambda row: (*row[:at], value, *row[at + 1 :])


WRONG = {
    "no id": changed("id", ""),
    "an id in capitals": changed("id", "R-1"),
    "an id with a blank": changed("id", "r 1"),
    "a path as an id": changed("id", "../../etc/passwd"),
    "an id that begins with a dot": changed("id", ".r"),
    "an id that is too long": changed("id", "r" * 64),
    "a person as an id": changed("id", f"{SECRET}@example.org"),
    "a control character in an id": changed("id", "r-\x07"),
    "no kind": changed("kind", ""),
    "an unknown kind": changed("kind", "person"),
    "a kind in capitals": changed("kind", "Subject"),
    "a name as a kind": changed("kind", SECRET),
    "no name": changed("name", ""),
    "a name of blanks": changed("name", "   "),
    "an unknown law": changed("basis", "hipaa"),
    "a person as a law": changed("basis", SECRET),
    "a day that there is not": changed("received", "2026-02-30"),
    "a day in words": changed("received", "yesterday"),
    "a day the other way round": changed("received", "01.11.2026"),
    "a day in the future": changed("received", "2999-01-01"),
    "a day as a number": changed("received", "20261101"),
    "a time without a zone": changed("received", "2026-11-01 10:00:00 CET"),
    "a column too many": lambda row: (*row, SECRET),
    "two columns too many": lambda row: (*row, SECRET, SECRET),
    "a name where the id should be": lambda row: (f"Jane Doe {row[2]}", *row[1:]),
}


def as_csv(rows):
    stream = io.StringIO()
    csv.writer(stream).writerows([HEADER, *rows])
    return stream.getvalue()


def as_json(rows):
    names = (*HEADER, "note", "more")
    return json.dumps([dict(zip(names, row, strict=False)) for row in rows], indent=1)


CASES = [
    (f"{name} in row {position + 1}.{suffix}", suffix, write, wrong, position)
    for suffix, write in (("csv", as_csv), ("json", as_json))
    for name, wrong in WRONG.items()
    for position in range(len(ROWS))
]


def test_two_hundred_files_that_are_wrong_leave_nothing(ledger_url, tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_DATABASE_URL", ledger_url.render_as_string(hide_password=False))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert len(CASES) == 200
    if ledger_url.get_backend_name() == "postgresql":
        from tasks.requests.ledger.database import open_engine
        from tasks.requests.ledger.schema import bring_up_to_date

        bring_up_to_date(open_engine(ledger_url))
    for n, (name, suffix, write, wrong, position) in enumerate(CASES):
        path = tmp_path / f"{n}.{suffix}"
        rows = [wrong(row) if at == position else row for at, row in enumerate(ROWS)]
        path.write_text(write(rows), encoding="utf-8")
        with pytest.raises(RequestError) as refused:
            import_file(tmp_path, path, model="digits")
        said = str(refused.value)
        assert "line " in said, name
        assert SECRET not in said, name
    assert connect(None).entries() == ()
    good = tmp_path / "good.csv"
    good.write_text(as_csv(ROWS))
    assert len(import_file(tmp_path, good, model="digits")) == len(ROWS)
