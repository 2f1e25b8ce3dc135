"""Tables of subjects: read in one way or refused by line, and nothing of them is ever repeated."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import picture, save

from tasks.data.folders import list_folder
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.params import ImageFolderSource

GOOD = "path,subject\ncat/0.png,alice\ndog/1.png,bob\n"
OWNERS = {"cat/0.png": "alice", "dog/1.png": "bob"}
PERSONS = ("alice", "bob", "smith", "example.org", ".png", "cat/", "dog/")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name in ("cat/0.png", "cat/1.png", "cat/a,b.png", "dog/0.png", "dog/1.png"):
        save(folder / "images" / name, picture(0, 1))
    return folder


def owners(root, raw, name="who.csv"):
    """Return the images that belong to somebody, if the table says so."""
    (root / name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
    found = list_folder(root, ImageFolderSource(path="images", subjects=name))
    return {path: one for path, one in zip(found.sample_ids, found.subject_ids, strict=True) if one}


def refusal(root, raw, name="who.csv"):
    with pytest.raises(ConfigurationError) as caught:
        owners(root, raw, name)
    said = str(caught.value)
    assert [one for one in PERSONS if one in said] == []
    return said


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        GOOD.encode("utf-8-sig"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\n\n"),
        "subject,path\nalice,cat/0.png\nbob,dog/1.png\n",
        "note,path,subject,,\n1,cat/0.png,alice,,\n2,dog/1.png,bob,,x\n",
        GOOD + "cat/0.png,alice\n" + "cat/1.png,\n",
    ],
)
def test_a_plain_table_is_read(root, raw):
    assert owners(root, raw) == OWNERS


def test_a_comma_in_a_path_is_quoted(root):
    assert owners(root, 'path,subject\n"cat/a,b.png",alice\n') == {"cat/a,b.png": "alice"}


HEADERS = {
    "cat/0.png,alice\ndog/1.png,bob\n": "line 1: the header has no column path, subject",
    "path,alice smith\ncat/0.png,alice\n": "line 1: the header has no column subject",
    "path;subject\ncat/0.png;alice\n": "semicolons; expected path and subject, separated by commas",
    '"path"\t"subject"\ncat/0.png\talice\n': "the columns are separated by tabs",
    "note|subject|path\n1|alice|cat/0.png\n": "the columns are separated by bars",
    "path,subject,subject\ncat/0.png,alice,bob\n": "line 1: the header has a name given twice",
    "": "who.csv is empty; expected the columns path and subject",
    "\n\n": "who.csv is empty",
}


@pytest.mark.parametrize("raw", HEADERS, ids=range(len(HEADERS)))
def test_a_wrong_header_is_refused_and_not_repeated(root, raw):
    assert HEADERS[raw] in refusal(root, raw)


OTHER_OWNERS = {
    "an unquoted comma": ("cat/a,b.png,alice", "line 3: got 3 cells, expected 2 as in line 1"),
    "a short row": ("cat/0.png", "line 3: got 1 cells, expected 2 as in line 1"),
    "a long row": ("cat/0.png,alice,smith", "line 3: got 3 cells, expected 2 as in line 1"),
    "white space before": ("cat/0.png, alice", "line 3, column subject: white space around a text of 6"),
    "white space after": ("cat/0.png,alice ", "line 3, column subject: white space around a text of 6"),
    "white space around a path": (" cat/0.png,alice", "line 3, column path: white space around a text of 10"),
    "a NUL byte": ("cat/0.png,al\0ice", "line 3 holds a NUL byte; expected UTF-8"),
    "a NUL byte at the end": ("cat/0.png,alice\0", "line 3 holds a NUL byte; expected UTF-8"),
    "two rows in quotes": ('cat/0.png,"alice\ndog/0.png,smith"', "line 3, column subject: a line break"),
    "an open quotation mark": ('cat/0.png,"alice', "line 3: not CSV: unexpected end of data; is a quotation"),
    "a word after quotes": ('cat/0.png,"alice"smith', "line 3: not CSV: ',' expected after"),
}


@pytest.mark.parametrize("name", OTHER_OWNERS)
def test_a_row_that_would_change_an_owner_is_refused_by_its_line(root, name):
    row, said = OTHER_OWNERS[name]
    assert f"who.csv, {said}" in refusal(root, f"path,subject\ndog/1.png,bob\n{row}\n")


NO_TEXT = {
    "Latin-1": ("path,subject\ncat/0.png,bob\ncat/1.png,alicé\n".encode("latin-1"), "line 3 is not UTF-8"),
    "after a byte order mark": (b"\xef\xbb\xbfpath,subject\n\xff", "line 2 is not UTF-8"),
    "UTF-16": (GOOD.encode("utf-16"), "line 1 is not UTF-8"),
    "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "line 1 holds a NUL byte"),
    "old line ends": (b"path,subject\rcat/0.png,bob\rcat/1.png,\xff\r", "line 3 is not UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\nalice", "line 1 is not UTF-8"),
}


@pytest.mark.parametrize("name", NO_TEXT)
def test_a_file_in_another_encoding_is_named_by_line_with_what_to_do(root, name):
    raw, said = NO_TEXT[name]
    found = refusal(root, raw)
    assert f"who.csv, {said}" in found
    assert "save the file again" in found


def test_a_cell_that_is_too_long_is_named_by_line(root):
    said = refusal(root, f"path,subject\ncat/0.png,{'alice' * 40_000}\n")
    assert "line 2: not CSV: field larger than field limit (131072); is a quotation mark missing" in said


def test_a_table_that_cannot_be_read_is_refused_with_the_reason(root):
    with pytest.raises(ConfigurationError, match=r"subjects: mem cannot be read: Input/output error"):
        list_folder(root, ImageFolderSource(path="images", subjects="/proc/self/mem"))


def test_what_is_not_listed_is_counted(root):
    said = refusal(root, "path,subject\n" + "alice,bob\n" * 30)
    assert said.count("names no image") == 20
    assert said.endswith("subjects: and 10 more problems")


def test_a_message_names_the_file_and_not_its_folder(root):
    (root / "alice").mkdir()
    assert "line 2 of who.csv names no image" in refusal(root, "path,subject\nx,y\n", "alice/who.csv")


def read_or_refused(root, raw):
    """Return the owners, or why a table is refused."""
    try:
        return owners(root, raw), ""
    except ConfigurationError as error:
        return None, str(error)


@pytest.mark.parametrize("stray", [",", "\0", "\n", "\r", "\t"])
def test_a_stray_character_is_refused_or_changes_no_owner(root, stray):
    for place in range(len(GOOD) + 1):
        found, said = read_or_refused(root, GOOD[:place] + stray + GOOD[place:])
        assert found in (OWNERS, None)
        assert "alice" not in said


# No message of Lethe's has a Greek letter, so a single one in a refusal is a cell's.
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
words = st.text(GREEK + GREEK + ' "\n;\t\0', min_size=1, max_size=8)
cells = st.one_of(words, st.sampled_from(["cat/0.png", "dog/1.png", ""]))
headers = st.sampled_from(
    ["", "path,subject\n", "path,subject,β\n", "subject,path\n", "path,subject,subject\n"]
)
tables = st.lists(st.lists(cells, max_size=4), max_size=4)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(headers, tables)
def test_nothing_of_a_table_is_ever_in_a_refusal_or_a_log(root, capfd, header, rows):
    found, said = read_or_refused(root, header + "\n".join(map(",".join, rows)))
    assert found is not None or "who.csv" in said
    assert not set(GREEK) & set(said + "".join(capfd.readouterr()))


def mutated(raw, rng):
    """Return a file with a few bytes changed, removed, inserted or repeated."""
    for _ in range(rng.randint(1, 4)):
        start, end = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
        other = rng.choice(
            [b"", b",", b'"', b"\n", b"\r", b"\0", b" ", b"\xff", b"\xef\xbb\xbf", raw[start:end] * 2]
        )
        raw = raw[:start] + other + raw[rng.choice([start, start + 1, end]) :]
    return raw


def test_five_hundred_damaged_tables_are_read_or_refused(root):
    whole = (GOOD + '"cat/a,b.png",alice\r\ncat/1.png,"bob ""smith"" ü"\n').encode()
    rng, refused = random.Random(0), 0
    for _ in range(500):
        found, said = read_or_refused(root, mutated(whole, rng))
        assert [one for one in (found or {}).values() if one != one.strip() or not one.isprintable()] == []
        assert [one for one in PERSONS if one in said] == []
        refused += found is None
    assert 100 < refused < 500


def test_a_table_that_is_much_too_large_for_its_images_is_refused_before_it_is_read(root):
    assert "more than 1 MiB for" in refusal(root, b"path,subject\n" + b"y" * 2 * 2**20)
