"""Files of requests: all or nothing, every problem by its line, and never a cell repeated."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.requests import request_file
from tasks.requests.bulk import read_requests
from tasks.requests.request_file import make_scope
from unlearn_core.errors import RequestError, SetupError

NOW = "2026-11-21T12:00:00Z"
SECRET = "jane-doe-1970"
HEADER = ("id", "kind", "name", "basis", "received")
GOOD = [
    ("r-1", "subject", "anna", "gdpr", "2026-11-01"),
    ("r-2", "class", "3", "ccpa", "2026-11-20T09:30:00Z"),
    ("r-1", "subject", "bert", "gdpr", "2026-11-01"),
    ("r-3", "sample", "image, \"7\"", "", ""),
]  # fmt: skip


def as_csv(rows, header=HEADER):
    stream = io.StringIO()
    csv.writer(stream).writerows([header, *rows])
    return stream.getvalue()


def as_json(rows, header=HEADER):
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=1)


@pytest.fixture
def read(tmp_path):
    def reads(content, name="requests.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        return read_requests(path, model="digits", now=NOW)

    return reads


def scope(**named):
    return make_scope(**{"classes": (), "samples": (), "subjects": (), **named})


@pytest.mark.parametrize(("name", "write"), [("a.csv", as_csv), ("a.JSON", as_json)])
def test_rows_of_one_id_are_one_request(read, name, write):
    first, second, third = (one.draft for one in read(write(GOOD), name))
    assert first.request.id == "r-1"
    assert first.request.scope == scope(subjects=("anna", "bert"))
    assert (first.basis, first.received) == ("gdpr", "2026-11-01T00:00:00Z")
    assert second.request.scope == scope(classes=("3",))
    assert (second.basis, second.received) == ("ccpa", "2026-11-20T09:30:00Z")
    assert third.request.scope == scope(samples=('image, "7"',))
    assert (third.basis, third.received, third.model) == ("gdpr", None, "digits")


def test_basis_and_received_may_be_left_out_and_columns_are_in_any_order(read):
    (only,) = read("name,id,kind\nanna,r-1,subject\n")
    assert only.draft.request.scope == scope(subjects=("anna",))


def test_a_byte_order_mark_other_line_ends_and_empty_lines_do_no_harm(read):
    (only,) = read(b"\xef\xbb\xbfid,kind,name\r\n\r\nr-1,class,3\r\n\r\n")
    assert only.draft.where == "line 3: "


def test_a_request_knows_its_lines(read):
    first, *_ = read(as_csv(GOOD))
    assert first.draft.where == "lines 2, 4: "
    (bert,) = scope(subjects=("bert",)).subjects
    assert first.by_line(f"unknown subject: {bert}") == "lines 2, 4: unknown subject: the one of line 4"


def test_a_cell_of_several_lines_does_not_confuse_the_count(read):
    said = refused(read, 'id,kind,name\nr-1,subject,"a\nb"\nr-2,nothing,c\n')
    assert "line 4, column kind" in said


def refused(read, content, name="requests.csv"):
    """Return what is said of a file, which must tell no more than lines, columns and expectations."""
    with pytest.raises(RequestError, match="not imported") as error:
        read(content, name)
    assert SECRET not in str(error.value)
    return str(error.value)


ROW = {"id": "r-1", "kind": "subject", "name": SECRET, "basis": "gdpr", "received": "2026-11-01"}
WRONG_CELLS = {
    "id": ["", SECRET.upper(), f"{SECRET}@example.org", f"../{SECRET}", " r-1", "r-1\n", "ü", "a" * 64],
    "kind": ["", SECRET, "subjects", "Subject", "subject "],
    "name": ["", " ", "\t", f" {SECRET}", f"{SECRET}\n", f"{SECRET}\nr-2,subject,{SECRET}"],
    "basis": [SECRET, "GDPR", " gdpr", "lgpd"],
    "received": [SECRET, "01.11.2026", "2026-02-30", "2031-01-01", " ", "2026-11-01T00:00:00"],
}
CELLS = [(column, cell) for column, cells in WRONG_CELLS.items() for cell in cells]


@pytest.mark.parametrize(("column", "cell"), CELLS)
@pytest.mark.parametrize(("name", "write"), [("a.csv", as_csv), ("a.json", as_json)])
def test_a_wrong_cell_is_named_by_line_and_column(read, name, write, column, cell):
    rows = [GOOD[1], tuple({**ROW, column: cell}.values())]
    said = refused(read, write(rows), name)
    assert f"line {3 if name == 'a.csv' else 9}, column {column}: " in said
    assert said.count("\n") == 1


SHAPES = {
    "": "line 1: the header has no column id, kind, name;",
    "id,kind,name\n": "holds no request",
    f"r-1,subject,{SECRET}\n": "no column id, kind, name and an unknown name for column 1, 2, 3",
    "id,kind\nr-1,subject\n": "the header has no column name",
    f"id,kind,name,{SECRET}\n": "an unknown name for column 4",
    "id,kind,name,name\n": "a name given twice",
    "id;kind;name\n": "line 1: the columns are separated by semicolons",
    f"id,kind,name\nr-1,subject,{SECRET},x\n": "line 2: got 4 cells, expected 3",
    f"id,kind,name\n\n{SECRET}\n": "line 3: got 1 cells",
    f'id,kind,name\nr-1,subject,"{SECRET}\n': "line 2: not CSV: unexpected end of data",
    f'id,kind,name\nr-1,subject,"{SECRET}"x\n': "line 2: not CSV: ',' expected after",
    f"id,kind,name\nr-1,subject,{SECRET * 20000}\n": "line 2: not CSV: field larger than field limit",
    f"id,kind,name,basis\nr-1,subject,a,\nr-1,subject,{SECRET},ccpa\n": "column basis: differs from line",
}


def test_rows_of_one_id_may_name_several_kinds(read):
    (found,) = read("id,kind,name\nr-1,class,3\nr-1,subject,p\n")
    assert found.draft.request.scope.kind == "mixed"
    name = found.draft.request.scope.subjects[0]
    assert found.by_line(f"class 3 and {name}").endswith("class 3 and the one of line 3")


@pytest.mark.parametrize("content", SHAPES, ids=range(len(SHAPES)))
def test_a_csv_of_the_wrong_shape_is_refused(read, content):
    assert SHAPES[content] in refused(read, content)


JSON_SHAPES = {
    f'[{{"id": "r-1", "kind": "subject", "name": "{SECRET}\\u0000x"}}]': "line 1, column name: a line break",
    "": "line 1: not a JSON list of objects: expected '['",
    "{}": "line 1: not a JSON list of objects: expected '['",
    "[]": "holds no request",
    "[\n1\n]": "line 2: got int, expected an object",
    f'["{SECRET}"]': "line 1: got str",
    '[{"id": "r-1"}]': "line 1: the object has no kind, name",
    f'[{{"id": "r-1", "kind": "subject", "name": "x", "{SECRET}": 1}}]': "has 1 unknown keys",
    '[{"id": "r-1", "kind": "subject", "name": 7}]': "something other than text as name",
    f'[{{"id": "r-1", "kind": "subject", "name": ["{SECRET}"]}}]': "something other than text as name",
    f'[{{"id": "r-1", "kind": "class", "name": "x", "name": "{SECRET}"}}]': "after: a key is given twice",
    f'[{{"id": "r-1",\n "kind": "subject"\n "name": "{SECRET}"}}]': "line 3: not a JSON list of objects",
    f'[{{"id": "r-1", "kind": "subject", "name": "{SECRET}"}}': "expected ','",
    f'[{{"id": "r-1", "kind": "subject", "name": "{SECRET}"}},]': "line 1: not a JSON list of objects",
    f'[{{"id": "r-1", "kind": "subject", "name": "{SECRET}"}}] x': "expected nothing after the list",
    "[" * 100_000: "line 1 or after",
    f"[{'9' * 5000}]": "line 1",
    f'[{{"id": "r-1", "kind": "subject", "name": "{SECRET}\\ud800"}}]': "line 1, column name",
    "[NaN]": "got float",
}


@pytest.mark.parametrize("content", JSON_SHAPES, ids=range(len(JSON_SHAPES)))
def test_a_json_file_of_the_wrong_shape_is_refused(read, content):
    assert JSON_SHAPES[content] in refused(read, content, "a.json")


def test_what_is_not_utf_8_is_named_by_line(read):
    assert "line 3 is not UTF-8 text" in refused(read, b"id,kind,name\nr-1,class,3\nr-2,class,\xff\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"\xef\xbb\xbfid,kind,name\n\xff", "line 2 is not"),
        ("id,kind,name\nr-1,class,3\n".encode("utf-16"), "line 1 is not"),
        ("id,kind,name\nr-1,class,3\n".encode("utf-16-le"), "line 1 holds a NUL byte"),
        (f"id,kind,name\nr-1,class,3\nr-1,subject,{SECRET}\0\n".encode(), "line 3 holds a NUL byte"),
    ],
)
def test_the_line_of_another_encoding_is_right_and_said_with_what_to_do(read, content, line):
    said = refused(read, content)
    assert line in said
    assert "expected UTF-8: save the file again" in said


def test_all_problems_are_listed_up_to_a_number(read):
    rows = [(f"R-{n}", "class", "3", "", "") for n in range(30)]
    said = refused(read, as_csv(rows))
    assert [f"line {n}, column id" in said for n in (2, 21, 22)] == [True, True, False]
    assert said.endswith("and 10 more problems")


def test_another_kind_of_file_and_none_at_all_are_refused(read, tmp_path):
    with pytest.raises(RequestError, match=r"a\.xlsx is neither a \.csv nor a \.json file"):
        read("", "a.xlsx")
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises((SetupError, RequestError)):
            read_requests(path, model="digits", now=NOW)


texts = st.text(max_size=12)
cells = st.one_of(texts, st.sampled_from(["r-1", "r-2", "class", "subject", "3", "gdpr", "2026-11-01"]))
tables = st.lists(st.lists(cells, min_size=0, max_size=6), max_size=6)
objects = st.dictionaries(st.sampled_from(HEADER) | texts, cells | st.integers())
values = st.one_of(objects, st.recursive(st.none() | st.floats() | cells, st.lists))
ANY_NUMBER = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY_NUMBER
@given(tables)
def test_any_table_is_read_or_refused_with_a_line(read, rows):
    _read_or_refused(read, as_csv(rows), "a.csv")


@ANY_NUMBER
@given(values)
def test_any_json_is_read_or_refused_with_a_line(read, value):
    _read_or_refused(read, json.dumps([value]), "a.json")


@ANY_NUMBER
@given(st.binary(max_size=60), st.sampled_from(["a.csv", "a.json"]), st.booleans())
def test_any_bytes_are_read_or_refused_with_a_line(read, content, name, headed):
    start = b"id,kind,name\n" if name == "a.csv" else b'[{"id": "r-1", "kind": "class", "name": "'
    _read_or_refused(read, start + content if headed else content, name)


# No message of Lethe's has a Greek letter, so a single one in a refusal is a cell's.
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
greek = st.text(GREEK + GREEK + ' "\n;\t\0', min_size=1, max_size=8)
ours = st.sampled_from(["r-1", "subject", "class", "gdpr", "2026-11-01"])
of_persons = st.lists(st.lists(greek | ours, max_size=6), max_size=4)


@ANY_NUMBER
@given(of_persons, st.sampled_from(["", "id,kind,name\n", "id,kind,name,basis,received\n"]), st.booleans())
def test_nothing_of_a_table_is_ever_in_a_refusal_or_a_log(read, capfd, rows, header, quoted):
    plain = header + "\n".join(map(",".join, rows))
    content, name = (json.dumps(rows and [dict(zip(HEADER, row, strict=False)) for row in rows]), "a.json")
    try:
        said = str(read(*((content, name) if quoted else (plain, "a.csv"))) and "")
    except RequestError as error:
        said = str(error)
    assert not set(GREEK) & set(said + "".join(capfd.readouterr()))


def _read_or_refused(read, content, name):
    try:
        found, said = read(content, name), ""
    except RequestError as error:
        found, said = (), str(error)
    assert found or "line " in said or "holds no request" in said


@pytest.mark.parametrize("start", ["id,kind,name\nr-1,class,", '[{"id":"r-1","kind":"class","name":"'])
def test_a_file_that_is_much_too_large_is_refused_in_words(read, start):
    name = "requests.csv" if start.startswith("id") else "requests.json"
    with pytest.raises(RequestError, match="more than 16 MiB"):
        read(start.encode() + b"x" * 16 * 2**20, name)


def test_the_key_is_read_once_for_all_names_of_a_request_and_each_name_has_its_line(read, monkeypatch):
    loaded = []
    load = request_file.load_pseudonym_key
    monkeypatch.setattr(request_file, "load_pseudonym_key", lambda: loaded.append(1) or load())
    (found,) = read(as_csv([("r-1", "subject", f"person-{row}", "", "") for row in range(500)]))
    assert len(loaded) <= 2, "for the scope, and for the lines"
    message = ", ".join(found.draft.request.scope.names)
    assert sorted(found.by_line(message).partition(": ")[2].split(", ")) == sorted(
        f"the one of line {row + 2}" for row in range(500)
    )
