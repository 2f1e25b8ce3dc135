"""What a reader should know before anything else: what a passed gate may hide."""

import re
from collections.abc import Iterator

from tasks.report.measurements import in_plain_words
from tasks.report.numbers import percent, points
from tasks.report.tables import evaluations
from unlearn_core.records.report import ReportFacts

_FALL, _HAIR = 0.05, 0.005
_KEPT = "accuracy.audit.retain"
_ORIGINAL_FAILS = re.compile(r"; the original fails (?:\w+(?:\.\w+)*(?:, )?)+")


def note_in_words(facts: ReportFacts) -> str:
    """Return the note that a model was released with, in plain words; empty if there is none.

    What the original model fails is left to the decision, where each measurement has a line.
    """
    note = "" if facts.released is None else facts.released.outcome.note or ""
    return in_plain_words(_ORIGINAL_FAILS.sub("", note), facts.words)


def cautions(facts: ReportFacts) -> list[str]:
    """Say what is not seen in the verdict on an accepted model.

    Args:
        facts: The report's content.

    Returns:
        A sentence for each class that is recognised at least five points less often than by the model that it
        is compared with, and one if the accuracy on what was kept is inside its range by under half a point.
    """
    if facts.deletion.accepted is None:
        return []
    return [*_fallen(facts), *_close(facts)]


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
