"""The log: lines for people or for machines, what each is about, and nothing that may quote data."""

import json
import logging
import os
import threading
from contextvars import copy_context

import pytest

from tasks.checkout.log import about, note_run, open_log, reason_of, tell, tell_error, warn
from unlearn_core.errors import ConfigurationError, PipelineError, RequestError

HUSH = "subject-0003"


@pytest.fixture
def said(capsys, monkeypatch):
    """Sets the log, and returns the lines that were written since."""
    monkeypatch.delenv("LETHE_LOG", raising=False)
    monkeypatch.delenv("LETHE_LOG_LEVEL", raising=False)

    def lines(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"LETHE_{name.upper()}", value)
        written = capsys.readouterr()
        assert written.out == ""
        return written.err.splitlines()

    return lines


def raised(error):
    """Return an error as it is once it was raised."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_people_read_the_line_alone(said):
    tell("✓ split         6.2 s")
    warn("· retry in 5 s: the store is away")
    tell_error(RequestError("unknown class"))
    tell_error(RequestError("unknown class"), by="split_data")
    assert said() == [
        "✓ split         6.2 s",
        "· retry in 5 s: the store is away",
        "lethe: unknown class",
        "split_data: unknown class",
    ]


@pytest.mark.parametrize("log", ["text", "json"])
def test_no_name_controls_the_terminal(said, log, monkeypatch):
    monkeypatch.setenv("LETHE_LOG", log)
    tell("class \x1b[2J\u202e\x9b31m")
    tell_error(RequestError("class \x1b[2J\u202e\x9b31m"))
    assert not {"\x1b", "\u202e", "\x9b"} & {*"".join(said())}


def test_machines_read_one_document_a_line(said):
    said(log="json")
    tell("  pgu: passes.\nAll of it")
    tell_error(PipelineError("no"), by="certify")
    first, second = map(json.loads, said())
    assert first.pop("time").endswith("+00:00")
    nobody = {"request": None, "run": None, "flow_run": None}
    assert first == {"level": "info", "logger": "lethe", **nobody, "message": "pgu: passes.\nAll of it"}
    assert (second["level"], second["logger"], second["message"]) == ("error", "lethe.certify", "no")


@pytest.mark.parametrize(
    ("level", "expected"),
    [("debug", "abc"), ("info", "abc"), ("warning", "bc"), ("error", "c")],
)
def test_a_level_is_the_least_that_is_told(said, level, expected):
    said(log_level=level)
    tell("a")
    warn("b")
    tell_error(RequestError("c"))
    shown = [line.removeprefix("lethe: ") for line in said()]
    assert "".join(line for line in shown if len(line) == 1) == expected


def subjects(lines):
    return [tuple(json.loads(line)[name] for name in ("request", "flow_run", "run")) for line in lines]


def test_every_line_says_what_it_is_about(said):
    said(log="json")
    with about("r-1", "r-2", flow_run="outer"):
        tell("claimed")
        with about("r-1", flow_run="inner"):
            tell("begun")
            note_run("mlflow")
            tell("goes on")
        tell("published")
    tell("over")
    assert subjects(said()) == [
        ("r-1, r-2", "outer", None),
        ("r-1", "inner", None),
        ("r-1", "inner", "mlflow"),
        ("r-1, r-2", "outer", "mlflow"),
        (None, None, None),
    ]


def test_one_request_after_another_has_nothing_of_the_one_before(said):
    said(log="json")
    for name in ("r-1", "r-2"):
        with about(name):
            tell(name)
            note_run(f"run of {name}")
    note_run("nobody's")
    tell("over")
    assert subjects(said()) == [("r-1", None, None), ("r-2", None, None), (None, None, None)]


def fail_in_a_flow():
    with about("r-1", flow_run="f"):
        note_run("m")
        raise RequestError("no")


def test_an_error_is_about_what_it_ended_even_if_it_is_told_later(said):
    said(log="json")
    with pytest.raises(RequestError) as caught, about("r-1"):
        fail_in_a_flow()
    tell_error(caught.value)
    assert subjects(said()) == [("r-1", "f", "m")]


def test_an_error_is_told_once_however_far_it_goes(said):
    error = raised(RequestError("no"))
    tell_error(error)
    tell_error(error)
    assert said() == ["lethe: no"]


def test_a_thread_that_is_handed_the_context_is_about_the_same(said):
    said(log="json")
    with about("r-1"):
        thread = threading.Thread(target=copy_context().run, args=(tell, "alive"))
        thread.start()
        thread.join()
    assert subjects(said()) == [("r-1", None, None)]


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_an_unexpected_error_only_its_kind_and_place_are_told(said, form):
    said(log=form)
    error = raised(KeyError(HUSH))
    tell_error(error, by="split_data")
    (line,) = said()
    assert HUSH not in line
    assert "unexpected KeyError in tasks/checkout/test_log.py, line " in line
    assert "LETHE_LOG_LEVEL=debug shows the traceback" in line
    assert reason_of(error) in line


def test_whoever_asks_for_it_sees_the_traceback(said):
    said(log_level="debug")
    tell_error(raised(KeyError(HUSH)))
    text = said(log="json")
    tell_error(raised(KeyError(HUSH)))
    (line,) = said()
    assert text[1] == "Traceback (most recent call last):"
    assert text[-1] == f"KeyError: '{HUSH}'"
    assert json.loads(line)["traceback"].endswith(f"KeyError: '{HUSH}'")


def test_a_traceback_of_lethes_own_errors_is_shown_to_nobody_else(said):
    tell_error(raised(RequestError("no")))
    assert said() == ["lethe: no"]


@pytest.mark.parametrize(("name", "value"), [("LETHE_LOG", "yaml"), ("LETHE_LOG_LEVEL", "loud")])
def test_wrong_settings_are_refused_by_name_and_keep_nobody_from_reading_that(said, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name} is '{value}'; expected ") as refused:
        open_log()
    tell_error(refused.value)
    assert said()[0].startswith(f"lethe: {name} is")


def test_what_is_started_from_here_tells_as_much(said, monkeypatch):
    monkeypatch.setenv("LETHE_LOG_LEVEL", "info")
    open_log("error")
    tell("not told")
    assert said() == []
    assert os.environ["LETHE_LOG_LEVEL"] == "error"


def test_nothing_is_written_to_the_root_log(said, monkeypatch):
    heard = []
    handler = logging.Handler()
    handler.emit = heard.append
    monkeypatch.setattr(logging.root, "handlers", [handler])
    tell("once")
    assert (said(), heard) == (["once"], [])
