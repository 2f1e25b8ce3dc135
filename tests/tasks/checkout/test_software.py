"""Which Lethe runs, and which one a project was made with."""

import re

import pytest
from world import ROOT

from tasks.checkout.environment import sole_use
from tasks.checkout.files import write_record
from tasks.checkout.imports import own_root
from tasks.checkout.software import PINNED, installed, is_source, read_pinned, require_pinned
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.base import sha256

OTHER = installed().model_copy(update={"version": "9.9", "code": sha256(b"other code")})


def test_what_runs_has_a_version_and_the_digest_of_its_code(monkeypatch, tmp_path):
    assert re.match(r"\d+\.\d+", installed().version)
    monkeypatch.setattr("tasks.checkout.software.own_root", lambda: tmp_path)
    (tmp_path / "flows" / "cli").mkdir(parents=True)
    digests = []
    for name in ("flows/one.py", "flows/cli/two.py", "flows/note.txt", "other.py"):
        (tmp_path / name).write_text("1")
        digests.append(installed.__wrapped__().code)
    assert digests[0] != digests[1] == digests[2] == digests[3]


def test_people_are_told_both_in_short():
    assert str(OTHER) == f"9.9 (code {OTHER.code[7:19]})"


def test_the_lethe_that_runs_works_in_a_project_that_names_it(tmp_path):
    write_record(tmp_path / PINNED, installed())
    require_pinned(tmp_path)
    with sole_use(tmp_path):
        pass


@pytest.mark.parametrize("changed", ["version", "code"])
def test_another_version_or_other_code_is_refused_by_name_with_the_way_out(tmp_path, changed):
    pinned = installed().model_copy(update={changed: getattr(OTHER, changed)})
    write_record(tmp_path / PINNED, pinned)
    said = f"made with Lethe {pinned}, but {installed()} is installed.*`lethe upgrade`"
    with pytest.raises(SetupError, match=re.escape(said).replace(r"\.\*", ".*")):
        require_pinned(tmp_path)
    with pytest.raises(SetupError, match="lethe upgrade"), sole_use(tmp_path):
        pass


def test_a_project_that_names_none_is_refused_with_the_way_out(tmp_path):
    assert read_pinned(tmp_path) is None
    with pytest.raises(SetupError, match=r"lethe\.json is missing.*`lethe upgrade` writes it"):
        require_pinned(tmp_path)


def test_a_file_that_names_something_else_is_refused(tmp_path):
    (tmp_path / PINNED).write_text("{}")
    with pytest.raises(ConfigurationError, match="Software is not valid"):
        require_pinned(tmp_path)


def test_the_repository_itself_runs_what_lies_in_it_and_names_nothing():
    assert own_root() == ROOT
    assert is_source(ROOT)
    assert not (ROOT / PINNED).exists()
    require_pinned(ROOT)
