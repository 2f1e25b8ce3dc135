"""The report as one HTML file: it loads nothing from elsewhere, and equal facts give equal bytes."""

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.checkout.log import warn
from tasks.evidence.purged import absence_shown, written_purge
from tasks.report import numbers
from tasks.report.backing import Backing, with_backing
from tasks.report.cautions import cautions, note_in_words
from tasks.report.earlier import when_fixed
from tasks.report.erasure import Erasure, erasure
from tasks.report.gallery import gallery
from tasks.report.gathering import gather_facts
from tasks.report.headline import STATE_MARKS, forgotten_thing, headline, last_rung
from tasks.report.measurements import in_plain_words
from tasks.report.price import time_rows, worth
from tasks.report.story import steps, written_time
from tasks.report.summary import fast_relearning, tiles
from tasks.report.tables import class_rows, evaluations, gate_rows, groups, measured_row
from tasks.report.words import LEVEL_SENTENCES, TREATMENTS, does
from unlearn_core.names import printable
from unlearn_core.records.policy import ClaimName
from unlearn_core.records.report import ReportFacts

if TYPE_CHECKING:
    from jinja2 import Environment

ATTACKS = ("mia.", "svc_", "ulira.", "epsilon.")
TEMPLATES = Path(__file__).resolve().with_name("templates")


def write_report(checkout: Checkout, request_id: str, path: Path | None = None) -> Path:
    """Write the report of a request's deletion.

    Args:
        checkout: The checkout.
        request_id: The request's id.
        path: Where to write it; with the request's evidence by default.

    Returns:
        The page's path.
    """
    path = path or checkout.report(request_id)
    facts, backing = with_backing(checkout, gather_facts(checkout, request_id))
    if backing is not None and backing.state == "false":
        warn(f"the page about {request_id} is not what was signed; it says so: {', '.join(backing.differs)}")
    purged = written_purge(checkout, request_id)
    shown = None if purged is None or purged.proved is None else absence_shown(checkout, purged)
    write_atomically(path, render(facts, erasure(facts, purged, shown), backing))
    return path


def render(facts: ReportFacts, erased: Erasure | None = None, backing: Backing | None = None) -> bytes:
    """Render a report as one HTML file in UTF-8.

    Args:
        facts: The report's content.
        erased: How far the data itself is erased; not at all by default.
        backing: What stands behind it, if it was compared with a certificate.

    Returns:
        The page.
    """
    found = headline(facts)
    told = {
        **_told(facts),
        "headline": found if backing is None else backing.shown(found),
        "steps": steps(facts, backing),
        "backing": backing,
        "erasure": erased or erasure(facts, None),
    }
    return templates().get_template("report.html").render(told).encode()


def _told(facts: ReportFacts) -> dict[str, Any]:
    """Return the template's variables."""
    record, rung = facts.deletion, last_rung(facts.deletion)
    models = evaluations(record)
    attacks = [name for name in _names(models) if name.startswith(ATTACKS)]
    return {
        "facts": facts,
        "what": forgotten_thing(facts),
        "rung": rung,
        "does": does(facts, rung.unlearning.name) if rung else "",
        "level": LEVEL_SENTENCES.get(rung.verdict.level, "") if rung else "",
        "tiles": tiles(facts),
        "models": list(models),
        "classes": class_rows(facts),
        "gate": {claim: gate_rows(record, claim, facts.words) for claim in get_args(ClaimName)},
        "attacks": [measured_row(models, name) for name in attacks],
        "relearning": [measured_row(models, name) for name in _names(models) if name.startswith("relearn")],
        "probes": [measured_row(models, name) for name in _names(models) if name.startswith("probe")],
        "fast": fast_relearning(models),
        "fixed": when_fixed(facts),
        "groups": groups(record, facts.words),
        "figures": gallery(facts),
        "treatments": TREATMENTS,
        "numbers": numbers,
        "written_time": written_time,
        "spent": time_rows(facts.time),
        "worth": worth(facts.time),
        "note": note_in_words(facts),
        "cautions": cautions(facts),
        "plain": partial(in_plain_words, others=facts.words),
    }


def _names(models: dict[str, Any]) -> list[str]:
    """Return the names of all measurements, in the order in which they were taken."""
    return list({entry.name: None for found in models.values() for entry in found.measurements})


def _printed(value: Any) -> Any:
    """Make a value printable; markup is made from values that are."""
    return printable(value) if type(value) is str else value


@cache
def templates() -> "Environment":
    """Return the templates, which escape all values and make them printable."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["marks"] = STATE_MARKS
    return found
