"""What lies below a folder is read, or named as not searched: nothing is passed over in silence."""

import os
import tempfile
from pathlib import Path

import pytest

from tasks.traces.folders import FilesBelow


@pytest.fixture
def top():
    """A folder that anybody may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "store"


@pytest.fixture
def somebody():
    """Whoever runs the tests, but never somebody who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    if user == 0:
        os.seteuid(0)


def write(path, content=b"content"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found_below(top, **options):
    """Return what is read, and what is not, with the reason."""
    objects = [*FilesBelow("store", "a store", top, **options).objects()]
    closed = {one.address: one.closed for one in objects if one.closed}
    return {one.address for one in objects} - closed.keys(), closed


def test_a_link_to_a_file_or_a_folder_elsewhere_is_named(top):
    elsewhere = write(top.parent / "elsewhere" / "copy").parent
    write(top / "own")
    (top / "linked folder").symlink_to(elsewhere)
    (top / "linked file").symlink_to(elsewhere / "copy")
    read, closed = found_below(top)
    assert read == {"own"}
    assert closed.keys() == {"linked file", "linked folder"}
    assert str(elsewhere) in closed["linked folder"]


def test_where_a_link_leads_is_for_people_alone(top, monkeypatch):
    monkeypatch.setenv("LETHE_LOG", "json")
    elsewhere = write(top.parent / "elsewhere" / "copy").parent
    top.mkdir()
    (top / "linked").symlink_to(elsewhere)
    assert str(elsewhere) not in found_below(top)[1]["linked"]


def test_a_link_to_what_is_searched_anyway_is_not_named(top):
    cache = write(top.parent / "cache" / "kept").parent
    write(top / "own")
    (top / "again").symlink_to(top / "own")
    (top / "kept").symlink_to(cache / "kept")
    assert found_below(top, without=frozenset({cache})) == ({"own"}, {})


def test_erasing_a_link_leaves_what_it_leads_to(top):
    copy = write(top.parent / "elsewhere" / "copy")
    top.mkdir()
    (top / "linked").symlink_to(copy)
    (one,) = FilesBelow("store", "a store", top).objects()
    one.erase()
    assert copy.exists()
    assert not (top / "linked").is_symlink()


def test_an_unreadable_folder_or_file_is_named(top, request):
    write(top / "own")
    write(top / "file").chmod(0)
    write(top / "folder" / "copy")
    (top / "folder").chmod(0)
    request.getfixturevalue("somebody")
    read, closed = found_below(top)
    assert read == {"own"}
    assert closed.keys() == {"file", "folder"}
    assert all("Permission denied" in why for why in closed.values())


def test_a_folder_that_does_not_exist_holds_nothing(top):
    assert found_below(top) == (set(), {})
