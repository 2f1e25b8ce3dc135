"""What a person sees of the report: at a desk and on a phone, by day and by night, and on paper.

Each of these must turn red: a script or a font from elsewhere; a table that makes a phone's page wider than
the phone; a colour that cannot be read in the dark; a figure without words.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from door import screenshot
from world import NOISE

pytestmark = [*NOISE, pytest.mark.browser]

WIDTHS, SCHEMES = (1280, 375), ("light", "dark")
FIGURES = (
    "classes",
    "attack",
    "probe",
    "relearning",
    "layers",
    "costs",
    "confidence-unlearned",
    "confusion-retrained",
)


PHONE_HEIGHT, LARGEST = 667, 250_000


@dataclass
class Opened:
    """An open page, with what it said on the console and what it asked for."""

    page: Any
    width: int
    scheme: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(
    scope="module", params=[(w, s) for w in WIDTHS for s in SCHEMES], ids=lambda p: f"{p[0]}-{p[1]}"
)
def opened(request, report, browser):
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    seen = Opened(context.new_page(), width, scheme)
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("request", lambda asked: seen.asked.append(asked.url))
    seen.page.goto(report.as_uri())
    fold(seen, away=False)
    yield seen
    context.close()


def fold(opened, *, away):
    opened.page.evaluate(
        f"document.querySelectorAll('details').forEach(one => {{ one.open = {str(not away).lower()} }})"
    )


def test_the_console_stays_empty(opened):
    assert opened.said == []


def test_nothing_is_asked_for_but_the_page_itself(opened, report):
    assert opened.asked == [report.as_uri()]


def test_the_page_is_as_wide_as_the_window(opened):
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= opened.width


def test_every_box_that_is_too_wide_can_be_scrolled_with_keys(opened):
    stuck = opened.page.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1"
        " && getComputedStyle(one).overflowX === 'auto' && one.tabIndex < 0).map(one => one.className)"
    )
    assert stuck == []


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_there_and_not_empty(opened, name):
    drawing = opened.page.locator(f"#figure-{name} svg")
    box = drawing.bounding_box()
    assert box["width"] > 200
    assert box["height"] > 60
    assert drawing.locator("path").count() > 3
    assert drawing.locator("text").count() > 3


def test_words_in_figures_are_large_enough_to_read(opened):
    smallest = opened.page.evaluate(
        "Math.min(...[...document.querySelectorAll('figure text')].map(one => one.getBoundingClientRect())"
        ".filter(box => box.width > 0).map(box => Math.min(box.width, box.height) || 99))"
    )
    assert smallest > 3


def test_the_verdict_is_the_first_thing_to_see(opened):
    heading = opened.page.locator("h1")
    assert "the released model behaves as if it had never seen the class “3”, but" in heading.inner_text()
    assert heading.inner_text().endswith("not all of it was removed: traces are left inside.")
    assert heading.bounding_box()["y"] < 200


def test_the_page_wears_the_colours_that_the_reader_prefers(opened):
    paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(int(part) for part in paper.removeprefix("rgb(").rstrip(")").split(",")) < 3 * 128
    assert dark == (opened.scheme == "dark")


def test_no_rule_of_accessibility_is_broken(opened):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(opened.page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    broken = [(one["id"], one["nodes"][0]["html"][:120]) for one in found.response["violations"]]
    assert broken == []
    assert len(found.response["passes"]) > 10


def test_folded_the_report_is_ten_screens_of_a_phone_at_most(opened):
    fold(opened, away=True)
    height = opened.page.evaluate("document.documentElement.scrollHeight")
    fold(opened, away=False)
    assert height <= 10 * PHONE_HEIGHT


def test_a_link_to_what_is_folded_opens_it(opened):
    fold(opened, away=True)
    opened.page.evaluate("location.hash = '#attack'")
    opened.page.locator("#figure-attack").wait_for()
    fold(opened, away=False)


def test_screenshots_can_be_looked_at(opened, tmp_path):
    folder = Path(os.environ.get("LETHE_SCREENSHOTS", tmp_path))
    kept = folder if opened.scheme == "light" else tmp_path
    fold(opened, away=True)
    path = screenshot(opened.page, kept / f"report-{opened.width}.png", full_page=True)
    fold(opened, away=False)
    assert 20_000 < path.stat().st_size < LARGEST


def test_on_paper_the_page_is_black_on_white(report, browser):
    context = browser.new_context(color_scheme="dark", offline=True)
    page = context.new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    context.close()
