"""The environment of this process, and of what it starts."""

import contextlib
import os
import subprocess
import sys

import pytest

from tasks.checkout.variables import (
    inherited,
    names_with,
    restored,
    set_defaults,
    set_variable,
    unset_variable,
)

NAME = "VARIABLE_OF_A_TEST"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)


def test_a_default_does_not_replace_what_is_there():
    set_defaults({NAME: "1"})
    set_defaults({NAME: "2"})
    assert os.environ[NAME] == "1"


def test_names_are_found_by_their_start():
    set_variable(f"{NAME}_2", "")
    set_variable(NAME, "")
    assert names_with(NAME) == (NAME, f"{NAME}_2")
    unset_variable(f"{NAME}_2")
    assert names_with(NAME) == (NAME,)


@pytest.mark.parametrize("before", ["1", None])
def test_what_was_there_comes_back(before):
    set_variable(NAME, before) if before else unset_variable(NAME)
    with contextlib.suppress(KeyError), restored(NAME):
        set_variable(NAME, "2")
        raise KeyError
    assert os.environ.get(NAME) == before


def test_a_child_process_gets_all_of_it_and_values_of_its_own():
    set_variable(NAME, "1")
    program = f"import os; print(os.environ['{NAME}'], os.environ['OWN'], 'PATH' in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=inherited({"OWN": "2"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1 2 True\n"
    assert "OWN" not in os.environ
