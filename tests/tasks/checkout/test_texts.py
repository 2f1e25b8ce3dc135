"""Names from outside are text wherever they are shown, whatever characters they have."""

import io
import re

import matplotlib
import pytest
from compared import board, failed, row
from told import CLASSES, PICTURES, facts_of, record_of, rung

from flows.cli import requests_table
from flows.cli.output import say, table_cell
from tasks.benchmarking.leaderboard.page import render_board
from tasks.benchmarking.leaderboard.text import markdown, tell_board
from tasks.checkout.texts import in_markdown
from tasks.report.attempt_figures import draw_coverage, draw_curves
from tasks.report.explaining import explain
from tasks.report.model_figures import TradeOff, draw_class_accuracy, draw_trade_off
from tasks.report.outputs import tried_table
from tasks.report.page import render
from unlearn_core.audit.ledger import make_submission
from unlearn_core.names import one_line, printable
from unlearn_core.records.deletion import LeftOut
from unlearn_core.records.history import RequestHistory
from unlearn_core.records.ledger import Entry
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.result import Coverage, Curve, ParameterCoverage
from unlearn_core.records.scope import ClassScope

NAMES = (
    "$$",
    r"$\frac{$",
    "\x1b[2J\x1b]0;x\x07",
    "\x9b31m",
    "\u202eevil\u2066",
    "\u2028\u200b\ud800",
    "a | b\n# c [d](http://e) `f`",
    "[red]x[/red][/]",
    "<script>alert(1)</script>",
    "\x00\r\x7f",
)
NO_RUNS = RequestHistory(source="ledger", policy_at_receipt=None, runs=())
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("show", [printable, one_line, in_markdown, table_cell])
def test_nothing_hidden_is_left(show, name):
    assert not HIDDEN.search(show(name))


def test_what_can_be_seen_stays():
    text = "Überholspur – 30\u202f% 猫 ✓\n\tconv.weight"
    assert printable(text) == text


def test_one_line_is_one_line():
    assert one_line("a\n  verified\u2028x") == r"a   verified\u2028x"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a | b\n# c [d](http://e) `f`", r"a \| b \# c \[d\](http://e) \`f\`"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("\x1b", r"\\x1b"),
    ],
)
def test_markdown_shows_a_name_as_it_is(name, shown):
    assert in_markdown(name) == shown


def test_a_terminal_that_lacks_a_letter_is_told_its_number(monkeypatch):
    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="ascii")
    say("– \x1b", file=stream)
    stream.flush()
    assert raw.getvalue() == b"\\u2013 \\x1b\n"


def drawn(figure):
    stream = io.StringIO()
    figure.savefig(stream, format="svg")
    return stream.getvalue()


@pytest.mark.parametrize("name", [name for name in NAMES if "\ud800" not in name])
def test_every_figure_with_a_name_in_it_is_drawn(name, monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    names = (name, f"{name}2")
    parts = (
        ParameterCoverage(parameter=f"{one}.weight", treatment="trained", elements=1, share=0.5)
        for one in names
    )
    figures = (
        draw_class_accuracy({"original": (1.0, 0.5)}, names, forgotten=(0,)),
        draw_trade_off({one: TradeOff(0.1, 0.9) for one in ("original", "retrained", *names)}),
        draw_coverage(Coverage(parameters=tuple(parts))),
        draw_curves([Curve(name=name, values=(1.0, 2.0))]),
    )
    for figure in figures:
        assert not HIDDEN.search(drawn(figure))
    assert "$$" not in name or name in drawn(figures[0])


@pytest.mark.parametrize("name", [name for name in NAMES if "\ud800" not in name])
def test_no_page_takes_a_name_for_anything_else(name):
    classes = (name, *CLASSES[1:])
    left_out = (LeftOut(method=name, why=name),)
    facts = facts_of(record_of(rung(), left_out=left_out), pictures=PICTURES, classes=classes)
    told = board(row("svd", name=name), failed("pgu", name=name, why=name), dataset=name)
    for page in (render(facts), render_board(told)):
        assert not HIDDEN.search(page.decode())
        assert b"<script>alert" not in page
    for text in (explain(facts), markdown(told), tell_board(told)):
        assert not HIDDEN.search(text)
    (line,) = tried_table(facts.deletion).splitlines()[3:]
    assert len(re.findall(r"(?<!\\)\|", line)) == 4


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_the_terminal_shows_a_name_as_it_is(name, capsys):
    request = DeletionRequest(id="r-1", scope=ClassScope(classes=(name.replace("\ud800", "x"),)))
    submission = make_submission(request, model="digits", basis="gdpr", received="2026-11-21T12:00:00Z")
    entry = Entry(submission=submission, state="received", attempts=0, worker=None, lease_until=None)
    described = requests_table.describe_entries([entry], "2026-11-21T12:00:00Z")
    requests_table.print_entries(described)
    requests_table.print_history(described[0], [], NO_RUNS)
    say(requests_table.tell_entries(described))
    said = capsys.readouterr().out
    assert not HIDDEN.search(said)
    assert "[red]" not in name or "[red]" in said
    assert "\n#" not in said
