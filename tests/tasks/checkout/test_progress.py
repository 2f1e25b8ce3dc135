"""What is shown of work that is done side by side."""

import io
import json
import sys
import time

import pytest

from tasks.checkout import log, progress
from tasks.checkout.progress import progress_of_many
from unlearn_core.progress import Step


class Terminal(io.StringIO):
    """Takes what a terminal would show."""

    def isatty(self):
        return True


def work(names):
    """Do two steps of each part, all parts under way at once."""
    with progress_of_many("train", len(names)) as part:
        opened = [part(name) for name in names]
        listeners = [one.__enter__() for one in opened]
        for index in (1, 2):
            for listen in listeners:
                listen(Step("epochs", index, 2))
        for one in opened:
            one.__exit__(None, None, None)


def test_a_terminal_shows_the_whole_and_each_part(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    work(["retrained 1", "shadow 1"])
    shown = sys.stderr.getvalue()
    for words in ("train", "retrained 1", "shadow 1"):
        assert words in shown


@pytest.mark.parametrize("setting", [("LETHE_LOG", "json"), ("LETHE_LOG_LEVEL", "warning")])
def test_a_terminal_that_a_machine_reads_or_that_is_to_be_quiet_shows_no_bars(monkeypatch, setting):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv(*setting)
    work(["retrained 1"])
    lines = sys.stderr.getvalue().splitlines()
    assert [json.loads(line)["message"][:13] for line in lines] == ["✓ retrained 1"] * (setting[1] == "json")


def test_elsewhere_each_finished_part_is_a_line(capsys):
    work(["retrained 1", "shadow 1"])
    assert [line[:13] for line in capsys.readouterr().err.splitlines()] == ["✓ retrained 1", "✓ shadow 1   "]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_part_that_fails_is_not_counted_as_done(monkeypatch, terminal):
    shown = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with progress_of_many("train", 1) as part, pytest.raises(OSError, match="full"), part("retrained 1"):
        raise OSError("full")
    assert "✓" not in shown.getvalue()
    assert "1/1" not in shown.getvalue()


def test_long_work_that_says_nothing_gives_signs_of_life_with_its_step(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SILENCE_S", 0.08)
    with progress.signs_of_life("starting"):
        time.sleep(0.3)
        with progress.announced("parent"), progress.progress("train") as on_step:
            on_step(Step("epochs", 3, 30))
            time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "… starting, 0 s"
    assert "… train, epochs 3 of 30, 0 s" in lines
    assert lines[-1].startswith("✓ parent")


def test_a_log_for_machines_gets_no_signs_of_life(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SILENCE_S", 0.05)
    monkeypatch.setenv("LETHE_LOG", "json")
    with progress.signs_of_life("starting"):
        time.sleep(0.2)
    assert not capsys.readouterr().err


def test_a_hint_on_a_terminal_gives_way_to_the_next_line(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    log.hint("… starting")
    log.tell("done")
    assert terminal.getvalue() == "\r… starting\x1b[K\r\x1b[Kdone\n"
