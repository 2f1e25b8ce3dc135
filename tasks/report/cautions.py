"""What a reader should know before anything else: what a passed gate may hide."""

from collections.abc import Iterator

from tasks.report.measurements import in_brief
from tasks.report.numbers import percent, points
from tasks.report.tables import evaluations
from unlearn_core.records.report import ReportFacts

_FALL, _HAIR = 0.05, 0.005
_KEPT = "accuracy.audit.retain"


def note_in_words(facts: ReportFacts) -> str:
    """Return the note that a model was released with, in plain words; empty if there is none."""
    note = "" if facts.released is None else facts.released.outcome.note or ""
    return in_brief(note, facts.words)


def cautions(facts: ReportFacts) -> list[str]:
    """Say what is not seen in the verdict on an accepted model.

    Args:
        facts: The report's content.

    Returns:
        A sentence for each class that is recognised at least five points less often than by the model that it
        is compared with, one if the accuracy on what was kept is inside its range by under half a point, and
        one if the version before is in the registry as well.
    """
    if facts.deletion.accepted is None:
        return []
    return [*_fallen(facts), *_close(facts), *_beside(facts)]


def _beside(facts: ReportFacts) -> Iterator[str]:
    """Warn that two models side by side show what lies between them."""
    if facts.released is not None and facts.released.registered_version > 1:
        yield (
            "The version before this one is still in the registry, as “previous”. Whoever can use both sees "
            "from where their answers differ what was removed, until that version is deleted."
        )


def _fallen(facts: ReportFacts) -> Iterator[str]:
    models = evaluations(facts.deletion)
    other = "retrained" if "retrained" in models else "original"
    for index, name in enumerate(facts.classes):
        if index in facts.forgotten_classes:
            continue
        mine, theirs = (models[one].find(f"accuracy.test.class.{index}") for one in ("unlearned", other))
        if mine is not None and theirs is not None and theirs - mine >= _FALL:
            yield (
                f"“{name}”, which was to be kept, is recognised in {percent(mine)} of the test images; "
                f"by the {other} model in {percent(theirs)}."
            )


def _close(facts: ReportFacts) -> Iterator[str]:
    accepted = facts.deletion.accepted
    findings = () if accepted is None else accepted.verdict.findings
    for finding in findings:
        if finding.measurement != _KEPT or finding.value is None or finding.lowest is None:
            continue
        if 0 <= (margin := finding.value - finding.lowest) < _HAIR:
            yield f"Accuracy on everything else is inside its range by only {points(margin).lstrip('+')}."
