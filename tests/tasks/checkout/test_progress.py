"""What is shown of work that is done side by side."""

import io
import json
import sys

import pytest

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
