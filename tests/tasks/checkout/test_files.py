"""Files that are the old ones or the new ones, whatever happens in between."""

import csv
import hashlib
import io
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from world import files_of

from tasks.checkout.csv_tables import as_csv, rows_of_csv
from tasks.checkout.files import (
    copy_folder,
    file_digest,
    link_folder,
    make_database,
    read_record,
    replaced_folder,
    write_atomically,
    write_record,
    written_beside,
)
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.records.params import RunParams


def test_a_file_is_written_with_its_folder(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "file", b"new")
    assert files_of(tmp_path) == {f"{tmp_path}/a/b/file": b"new"}


@pytest.fixture(params=[0o022, 0o002, 0o027, 0o077, 0o000], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


def test_what_is_written_has_the_mode_that_the_umask_gives_it(tmp_path, umask):
    write_atomically(tmp_path / "a" / "file", b"")
    make_database(tmp_path / "database", lambda _path: None)
    with replaced_folder(tmp_path / "folder") as fresh:
        write_atomically(fresh / "file", b"")
    copy_folder(tmp_path / "folder", tmp_path / "copy")
    files = ("a/file", "database", "folder/file", "copy/file")
    assert {mode(tmp_path / name) for name in files} == {0o666 & ~umask}
    assert {mode(tmp_path / name) for name in ("a", "folder", "copy")} == {0o777 & ~umask}


def test_a_database_is_made_whole_or_not_at_all_and_once(tmp_path):
    def fail(path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_database(tmp_path / "database", fail)
    assert list(tmp_path.iterdir()) == []
    make_database(tmp_path / "database", lambda path: path.write_bytes(b"whole"))
    make_database(tmp_path / "database", fail)
    assert files_of(tmp_path) == {f"{tmp_path}/database": b"whole"}


def test_a_secret_is_its_owners_whatever_the_umask(tmp_path, umask):
    with written_beside(tmp_path / "key", b"secret", secret=True) as fresh:
        fresh.replace(tmp_path / "key")
    assert (mode(tmp_path / "key"), (tmp_path / "key").read_bytes()) == (0o600, b"secret")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    write_atomically(tmp_path / "file", b"old")
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "file", "not bytes")
    assert files_of(tmp_path) == {f"{tmp_path}/file": b"old"}


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    folder = tmp_path / "a" / "folder"
    for name in ("first", "second"):
        with replaced_folder(folder) as fresh:
            (fresh / name).write_bytes(b"")
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def stop_in_the_middle(folder, error):
    with replaced_folder(folder) as fresh:
        (fresh / "file").write_bytes(b"new")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_folder_that_is_not_finished_leaves_the_old_one_and_nothing_else(tmp_path, error):
    folder = tmp_path / "folder"
    with replaced_folder(folder) as fresh:
        (fresh / "file").write_bytes(b"old")
    with pytest.raises(error):
        stop_in_the_middle(folder, error)
    assert files_of(tmp_path) == {f"{folder}/file": b"old"}


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from tasks.checkout.files import replaced_folder

    with replaced_folder(Path(sys.argv[1])) as fresh:
        (fresh / "file").write_bytes(b"new")
        os.kill(os.getpid(), signal.SIGKILL)
    """
)


def test_a_process_killed_in_the_middle_leaves_the_old_folder(tmp_path):
    folder = tmp_path / "folder"
    with replaced_folder(folder) as fresh:
        (fresh / "file").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (folder / "file").read_bytes() == b"old"


def test_a_link_holds_where_both_ends_are_moved_together(tmp_path):
    folder, link = tmp_path / "a" / "folder", tmp_path / "a" / "deep" / "down" / "link"
    link_folder(link, folder)
    folder.mkdir()
    (folder / "file").write_text("here")
    (tmp_path / "a").rename(tmp_path / "b")
    folder.mkdir(parents=True)
    (folder / "file").write_text("where it was")
    assert (tmp_path / "b" / "deep" / "down" / "link" / "file").read_text() == "here"


def test_a_record_reads_back(tmp_path):
    write_record(tmp_path / "run.json", RunParams(seed=3))
    assert read_record(tmp_path / "run.json", RunParams) == RunParams(seed=3)


def test_a_record_lies_in_its_canonical_bytes(tmp_path):
    write_record(tmp_path / "run.json", RunParams(seed=3))
    assert file_digest(tmp_path / "run.json") == RunParams(seed=3).digest


def test_a_record_that_is_not_there_is_asked_for(tmp_path):
    with pytest.raises(PipelineError, match=r"run\.json does not exist.*dvc repro"):
        read_record(tmp_path / "run.json", RunParams)


def test_a_file_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "run.json").write_text("{}x")
    with pytest.raises(ConfigurationError, match="RunParams"):
        read_record(tmp_path / "run.json", RunParams)


def test_a_digest_is_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    expected = hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest()
    assert file_digest(tmp_path / "file") == f"sha256:{expected}"


FORMULAS = ["=HYPERLINK(A1)", "+1+cmd", "-2+3.png", "@SUM(1)", "\t=1", "\r=1", "'=1", "''-x", '=a,"b"\r\nc']
PLAIN = ["a.png", "'quoted'", "", "-0.5", "a=1", "it's"]


def test_no_cell_of_a_table_is_a_formula_and_all_read_back():
    text = as_csv(["name", "gap"], [[name, -0.5] for name in FORMULAS + PLAIN])
    _, *cells = csv.reader(io.StringIO(text, newline=""))
    assert [name[0] for name, _ in cells[: len(FORMULAS)]] == ["'"] * len(FORMULAS)
    assert [name for name, _ in cells[len(FORMULAS) :]] == PLAIN
    assert {gap for _, gap in cells} == {"-0.5"}
    assert [row["name"] for row in rows_of_csv(text)] == FORMULAS + PLAIN
