"""The tables of the page: what was judged, and what was measured, by class and overall."""

from dataclasses import dataclass, field, replace

from tasks.report.headline import last_rung
from tasks.report.measurements import Meaning, Vocabulary, family_of, meaning_of, title_of
from tasks.report.numbers import NONE, Style, allowed_range, interval, percent
from tasks.report.words import OUTCOMES
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.policy import ClaimName, Finding, Verdict
from unlearn_core.records.report import ReportFacts

NOT_MEASURED = "not measured"
_NEVER_NEGATIVE = ("activation.", "confidence.", "loss.", "mia.", "neighbour_leakage.", "relearn.")
"""The starts of the names of measurements that cannot be below zero."""


@dataclass(frozen=True)
class Cell:
    """A number, and its interval if there is one."""

    value: str
    interval: str = ""


@dataclass(frozen=True)
class _Row:
    """One line: a measurement's label and name, a cell per model, and a remark."""

    label: str
    name: str
    cells: tuple[Cell, ...]
    explanation: str = ""
    remark: str = ""
    state: str = "plain"


@dataclass(frozen=True)
class Group:
    """Lines of one kind."""

    title: str
    rows: list[_Row] = field(default_factory=list)


def evaluations(record: DeletionRecord) -> dict[str, Evaluation]:
    """Return the evaluations of the original, the last model of the ladder, and a retrained one."""
    return record.evaluations(last_rung(record))


def cell(entry: Measurement | None, style: Style) -> Cell:
    """Write one measurement, or that there is none."""
    return Cell(NONE) if entry is None else Cell(style(entry.value), interval(entry, style))


def measured_row(models: dict[str, Evaluation], name: str, others: Vocabulary | None = None) -> _Row:
    """Write one measurement of every model."""
    words = meaning_of(name, others)
    silent = next((why for evaluation in models.values() if (why := evaluation.missing(name))), None)
    cells = tuple(
        Cell(NOT_MEASURED) if evaluation.missing(name) else cell(evaluation.get(name), words.style)
        for evaluation in models.values()
    )
    told = words.explanation if silent is None else f"Not measured: {silent}."
    return _Row(words.label, name, cells, explanation=told)


def class_rows(facts: ReportFacts) -> list[_Row]:
    """Write the accuracy of each class, those forgotten now or earlier marked."""
    models, remarks = evaluations(facts.deletion), facts.class_remarks
    rows = []
    for index, name in enumerate(facts.classes):
        found = [evaluation.get(f"accuracy.test.class.{index}") for evaluation in models.values()]
        cells = tuple(cell(entry, percent) for entry in found)
        rows.append(_Row(name, "", cells, remark=remarks.get(index, "")))
    return rows


def gate_rows(record: DeletionRecord, claim: ClaimName, others: Vocabulary | None = None) -> list[_Row]:
    """Write the gate's findings on a claim: the value, the allowed range, and the value before."""
    if (last := last_rung(record)) is None:
        return []
    return finding_rows(last.verdict, record.original_verdict, claim, others)


def finding_rows(
    verdict: Verdict, original: Verdict, claim: ClaimName, others: Vocabulary | None = None
) -> list[_Row]:
    """Write the findings on a claim about a model, beside those on the model before."""
    before = {finding.measurement: finding for finding in original.findings}
    findings = [finding for finding in verdict.findings if finding.claim == claim]
    return [
        _gate_row(one, before.get(one.measurement), meaning_of(one.measurement, others)) for one in findings
    ]


def _gate_row(finding: Finding, before: Finding | None, words: Meaning) -> _Row:
    unlearned, original = (
        Cell(NONE if value is None else words.style(value))
        for value in (finding.value, None if before is None else before.value)
    )
    cells = (unlearned, Cell(_allowed(finding, words.style)), original)
    state = {"inside": "good", "undecided": "unsure", "not_measured": "unsure"}.get(finding.outcome, "bad")
    outcome = OUTCOMES[finding.outcome]
    return _Row(words.label, finding.measurement, cells, words.explanation, outcome, state)


def _allowed(finding: Finding, style: Style) -> str:
    """Write the range of a finding; it stays within what the quantity can be, whatever a band adds."""
    lowest, highest = finding.lowest, finding.highest
    never_negative = style is percent or finding.measurement.startswith(_NEVER_NEGATIVE)
    if never_negative and lowest is not None and lowest <= 0:
        lowest = None
    if style is percent and highest is not None and highest >= 1:
        highest = None
    return allowed_range(lowest, highest, style)


def groups(record: DeletionRecord, others: Vocabulary | None = None) -> list[Group]:
    """Write all measurements of any model, kind by kind; classes have a separate table."""
    models = evaluations(record)
    names = {
        entry.name: None
        for evaluation in models.values()
        for entry in (*evaluation.measurements, *evaluation.unmeasured)
    }
    found: dict[str, Group] = {}
    for name in names:
        if ".class." not in name:
            family = family_of(name)
            group = found.setdefault(family, Group(title_of(family, others)))
            group.rows.append(measured_row(models, name, others))
    return [Group(group.title, _explained_once(group.rows)) for group in found.values()]


def _explained_once(rows: list[_Row]) -> list[_Row]:
    """Explain each kind of measurement only where it first appears."""
    first = {row.explanation: row.name for row in reversed(rows)}
    return [row if first[row.explanation] == row.name else replace(row, explanation="") for row in rows]
