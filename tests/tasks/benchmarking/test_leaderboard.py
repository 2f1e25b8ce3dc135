"""A leaderboard in all its forms: never a bare mean, nothing from the data taken for markup."""

import csv
import html
import io
import re

import pytest
from compared import FORGET, board, failed, row

from tasks.benchmarking.leaderboard.page import render_board
from tasks.benchmarking.leaderboard.tables import gaps_csv, rows_csv
from tasks.benchmarking.leaderboard.text import markdown, tell_board
from tasks.benchmarking.leaderboard.words import ALONE, with_interval
from tasks.report.numbers import points
from unlearn_core.ranking import rank
from unlearn_core.records.benchmark import Leaderboard

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a | b\n# c [d](http://e)",
    r"$\frac{$",
)


def text_of(page):
    """Return what a reader sees of a page, with plain spaces."""
    visible = re.sub(r"<(style|svg)\b.*?</\1>", "", page.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", visible)).split())


@pytest.fixture(scope="module")
def several():
    rows = [row("svd", gap=gap, seed=seed) for seed, gap in enumerate((0.01, 0.02, 0.03))]
    return board(*rows, row("pgu", gap=0.4), failed("unsir", why="it cannot"))


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_mean_stands_with_its_interval_or_says_that_it_has_none(several):
    many, alone = (one.gap(FORGET) for one in rank(several.rows)[:2])
    assert with_interval(many, points) == ("+2.0 points", "[\u22120.5, +4.5]")
    assert with_interval(alone, points) == ("+40.0 points", ALONE)


@pytest.mark.parametrize("form", [markdown, tell_board, lambda told: text_of(render_board(told))])
def test_every_form_names_gap_interval_failure_and_order(several, form):
    told = form(several)
    for expected in ("+2.0 points", "[\u22120.5, +4.5]", "+40.0 points", ALONE, "3 passes", "1 failed"):
        assert expected in told
    rows = told[told.rindex("cost") :]
    assert rows.index("svd") < rows.index("pgu") < rows.index("unsir")


def test_no_form_shows_a_mean_without_its_interval(several):
    cells = re.findall(r"\| ([^|]*points)([^|]*)", markdown(several))
    assert len(cells) >= 6
    assert all("[" in rest or ALONE in rest for _, rest in cells)


def test_the_reason_of_a_failure_is_told(several):
    assert "| unsir | class dog, seed 0 | it cannot |" in markdown(several)
    assert "unsir class dog, seed 0 it cannot" in text_of(render_board(several))


def test_the_tidy_table_has_one_row_per_method_and_metric(several):
    found = {(line["method"], line["metric"]): line for line in table(gaps_csv(several))}
    many, alone = found["svd", FORGET], found["pgu", FORGET]
    assert (float(many["gap"]), many["cases"]) == (pytest.approx(0.02), "3")
    assert float(many["low"]) < 0.02 < float(many["high"])
    assert (alone["low"], alone["high"], alone["cases"]) == ("", "", "1")


def test_the_raw_table_has_one_row_per_case_and_method(several):
    lines = table(rows_csv(several))
    assert len(lines) == len(several.rows)
    assert [float(line[f"method.{FORGET}"]) for line in lines[:3]] == pytest.approx([0.11, 0.12, 0.13])
    assert (lines[-1]["outcome"], lines[-1]["why"], lines[-1][f"method.{FORGET}"]) == (
        "failed",
        "it cannot",
        "",
    )


def test_the_record_comes_back_from_its_bytes(several):
    assert Leaderboard.parse(several.canonical()) == several


def test_each_metric_has_a_figure_that_says_itself_in_words(several):
    page = render_board(several).decode()
    words = re.findall(r'<svg viewBox="[^"]+" role="img" aria-label="([^"]+)">', page)
    assert len(words) == page.count("<svg") == 2
    assert "svd +2.0 points [\u22120.5, +4.5]" in words[0]
    assert f"pgu +40.0 points {ALONE}" in words[0]


def test_the_page_is_whole_and_asks_nothing_of_another_computer(several):
    page = render_board(several)
    assert re.findall(rb"https?://|@import|\bsrc=|url\((?!#)", page) == []
    ids = re.findall(r'\bid="([^"]+)"', page.decode())
    assert len(set(ids)) == len(ids)
    assert render_board(several) == page


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_never_markup(name):
    told = board(row("svd", name=name), failed("pgu", name=name, why=name), dataset="</style><script>")
    page = render_board(told)
    assert re.findall(rb"<(?:script|img)\b", page) == []
    assert " ".join(name.split()) in text_of(page)
    lines = markdown(told).splitlines()
    assert not [line for line in lines if line.startswith("# ") and line != "# Leaderboard"]
    assert not re.search(r"<(script|img)|(?<!\\)\]\(http", markdown(told))
    failures = [line for line in lines if line.startswith("| pgu | ")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in failures] == [4]
    assert [line["forget"] for line in table(rows_csv(told))] == [name, name]


def test_a_board_counts_the_cases_in_which_nothing_was_found_inside_as_well():
    removed = [
        row("pgu", removed=verdict, seed=seed) for seed, verdict in enumerate(("passes", "under_forgotten"))
    ]
    hidden = row("svd", outcome="over_forgotten", removed="passes")
    text = tell_board(board(*removed, hidden, row("unsir")))
    assert "2 passes; 1 removed as well" in text
    assert "1 over-forgotten; 0 removed as well" in text
    assert text.splitlines()[-1].split()[-2:] == ["passes", "–"]
    assert [one["removed"] for one in table(rows_csv(board(*removed)))] == ["passes", "under_forgotten"]
