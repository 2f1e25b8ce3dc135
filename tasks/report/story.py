"""A deletion in sentences: what was asked, and what was done, step by step."""

from dataclasses import dataclass, replace

from tasks.report.backing import Backing
from tasks.report.headline import State, forgotten_thing, last_rung, state_of
from tasks.report.numbers import count, counted, duration
from tasks.report.words import does
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.report import ReportFacts

_FEW = 5
"""How many methods a step names; every other method that Lethe has is one that was not tried."""


@dataclass(frozen=True)
class _Step:
    """One step of a deletion: how it ended, what it was, its result, and the exact words on record."""

    state: State
    title: str
    text: str
    record: str = ""


def steps(facts: ReportFacts, backing: Backing | None = None) -> list[_Step]:
    """Describe a deletion step by step, from the request to the certificate.

    Args:
        facts: The report's content.
        backing: What stands behind it, if it was compared with a certificate.

    Returns:
        The steps.
    """
    record = facts.deletion
    return [
        _request(facts),
        _split(facts),
        _reference(facts),
        *_attempts(facts),
        *_earlier(facts),
        *_left_out(record),
        _end(facts, backing),
    ]


def _left_out(record: DeletionRecord) -> list[_Step]:
    """Name the methods that were not tried, those with one reason together; many only on record."""
    told = []
    for why, names in record.not_tried.items():
        title = f"{counted(len(names), 'method was', 'methods were')} not tried"
        listed = ", ".join(f"“{name}”" for name in names)
        few = len(names) <= _FEW
        told.append(_Step("plain", title, listed if few else "", why if few else f"{why}: {listed}"))
    return told


def _request(facts: ReportFacts) -> _Step:
    what = forgotten_thing(facts)
    if facts.group is None:
        return _Step("plain", "The request", f"Request {facts.request} asked to forget {what}.")
    others = counted(len(facts.group.members) - 1, "other", "others")
    text = f"Request {facts.request} was served together with {others}. Together they asked to forget {what}."
    return _Step("plain", "The requests", f"{text} All numbers on this page are about all of them.")


def _split(facts: ReportFacts) -> _Step:
    kept = facts.rows - facts.forgotten_rows
    share = (
        f"{count(facts.forgotten_rows)} of {count(facts.rows)} training images were set aside as forgotten"
    )
    text = f"{share}; {count(kept)} were kept."
    if facts.certificate is not None:
        checks = facts.certificate.validation
        held = "all of them passed" if checks.all_succeeded else "not all of them passed"
        text += f" {count(checks.expectations)} checks of the data were made, and {held}."
    return _Step("plain", "The data was split", text)


def _reference(facts: ReportFacts) -> _Step:
    step = _compared(facts)
    if (why := facts.deletion.not_calibrated) is None:
        return step
    return replace(step, text=f"{step.text} The model is calibrated, but not for this request: {why}.")


def _compared(facts: ReportFacts) -> _Step:
    if facts.deletion.calibration is not None:
        text = (
            "No model was retrained to compare with. The model was calibrated once: models retrained for "
            "other requests say what one that never saw the data would show."
        )
        return _Step("plain", "Judged by a calibration", text)
    if facts.deletion.reference is None:
        text = "No model was retrained without the data, so fixed limits replace the comparison."
        return _Step("unsure", "Nothing to compare with", text)
    if (models := len(facts.deletion.references)) > 1:
        text = (
            f"{count(models)} other models were trained from scratch without the forgotten data. They show "
            "how a model that never saw it behaves, and how much that varies by chance."
        )
        return _Step("plain", f"{count(models)} models to compare with", text)
    text = (
        "A second model was trained from scratch without the forgotten data. It shows how a model that never "
        "saw it behaves."
    )
    return _Step("plain", "A model to compare with", text + _took(facts, "retrained"))


def _attempts(facts: ReportFacts) -> list[_Step]:
    """Describe every method that was tried, in order."""
    rungs = {rung.unlearning.name: rung for rung in facts.deletion.rungs}
    failures = {entry.method: entry.why for entry in facts.deletion.failed}
    told = []
    for name in facts.deletion.tried:
        text = f"This method {what}." if (what := does(facts, name)) else ""
        if name in rungs:
            told.append(_attempt(facts, rungs[name], text))
        else:
            told.append(_Step("bad", f"{_name(name)} produced no model", text, failures.get(name, "")))
    return told


def _attempt(facts: ReportFacts, rung: Rung, what: str) -> _Step:
    name, extension = rung.unlearning.name, rung.unlearning.extension
    origin = "" if extension is None else f" It is not part of Lethe: it comes from {extension.package}."
    text = f"{what}{origin}{_took(facts, name)}".strip()
    if rung.has_drifted:
        return _Step("bad", f"{_name(name)}: changed too far", text, rung.why)
    if rung.has_relapsed:
        words = " The model knows again what was forgotten before."
        return _Step("bad", f"{_name(name)}: relapsed", text + words, rung.why)
    if rung.verdict.verdict == "passes" and rung.verdict.has_remains and not rung.accepted:
        words = " It behaves, but traces are left inside, so other methods were tried."
        return _Step("unsure", f"{_name(name)}: set aside", text + words, rung.why)
    if rung.verdict.verdict == "passes":
        behaves = sum(finding.claim == "behaves" for finding in rung.verdict.findings)
        within = f" All {behaves} measurements that decide how it behaves are in the policy’s ranges."
        return _Step(state_of(rung), f"{_name(name)}: accepted, {rung.in_words}", text + within, rung.why)
    if name == LAST_RESORT and rung.accepted:
        return _Step("good", f"{_name(name)}: accepted", text, rung.why)
    verdict = rung.verdict.verdict.replace("_", "-")
    accepted = ", accepted with a note" if rung.accepted else ""
    return _Step(state_of(rung), f"{_name(name)}: {verdict}{accepted}", text, rung.why)


def _earlier(facts: ReportFacts) -> list[_Step]:
    """Say what the last model still knows of what earlier requests asked it to forget."""
    last = last_rung(facts.deletion)
    if last is None or not last.earlier:
        return []
    asked = sum(one.outcome != "not_asked" for one in last.earlier)
    back = sum(one.outcome == "relapsed" for one in last.earlier)
    text = (
        f"{counted(len(last.earlier), 'request was', 'requests were')} served on this model before. "
        f"{count(asked)} could be asked again, on held-out images that were kept for it: "
        f"{f'{count(back)} came back' if back else 'none came back'}."
    )
    words = "; ".join(f"{one.request}: {one.in_words}" for one in last.earlier)
    return [_Step("bad" if back else "good" if asked else "plain", "Earlier requests", text, words)]


def _end(facts: ReportFacts, backing: Backing | None) -> _Step:
    if facts.deletion.accepted is None:
        return _Step("bad", "No model was accepted", "Nothing was released. The failure is on record.")
    if facts.released is None or facts.certificate is None:
        text = "This copy of the project holds the results, but no certificate for them."
        return _Step("unsure", "No certificate here", text)
    if backing is not None and backing.state != "signed":
        return _Step("bad" if backing.state == "false" else "unsure", "Not confirmed", backing.sentence)
    text = (
        f"The certificate was signed at {written_time(facts.certificate.provenance.finished)}, and the model "
        f"registered as {facts.released.registered_model}, version {facts.released.registered_version}."
    )
    return _Step("good", "Certificate and release", text)


def written_time(time: str) -> str:
    """Write a time for people: 2026-11-21 08:55 UTC."""
    return f"{time[:10]} {time[11:16]} UTC"


def _took(facts: ReportFacts, name: str) -> str:
    cost = facts.costs.get(name)
    return "" if cost is None else f" It took {duration(cost.seconds)}."


def _name(method: str) -> str:
    return f"Method “{method}”"
