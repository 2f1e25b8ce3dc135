"""The verdict on a deletion in one sentence, and what it was to forget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tasks.report.numbers import counted
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.deletion import DeletionRecord, Rung
from unlearn_core.records.policy import Verdict
from unlearn_core.records.report import ReportFacts

State = Literal["good", "bad", "unsure", "plain"]
STATE_MARKS: Mapping[State, str] = {"good": "✓", "bad": "✕", "unsure": "?", "plain": "•"}
"""What stands before a title, so that colour is never the only difference."""


@dataclass(frozen=True)
class Headline:
    """The verdict: a state, a label of a word or two, and one sentence."""

    state: State
    label: str
    sentence: str


def state_of(rung: Rung) -> State:
    """Tell how an attempt ended: *good* if its model was accepted and what was to be shown was shown."""
    verdict = rung.verdict
    if rung.accepted and rung.unlearning.name == LAST_RESORT:
        return "good"
    if rung.ending == "passes":
        is_shown = rung.accepted and verdict.level != "E0" and verdict.removal in (None, "passes")
        return "good" if is_shown else "unsure"
    return "unsure" if rung.accepted or rung.ending == "inconclusive" else "bad"


def last_rung(record: DeletionRecord) -> Rung | None:
    """Return the accepted rung, or else the last one that was judged."""
    return record.accepted or (record.rungs[-1] if record.rungs else None)


def forgotten_thing(facts: ReportFacts) -> str:
    """Describe what was to be forgotten, without naming a sample or a person."""
    if facts.kind == "classes":
        quoted = [f"“{facts.classes[index]}”" for index in facts.forgotten_classes]
        if len(quoted) == 1:
            return f"the class {quoted[0]}"
        return f"the classes {', '.join(quoted[:-1])} and {quoted[-1]}"
    if facts.kind == "samples":
        return counted(facts.named, "single sample", "single samples")
    if facts.kind == "mixed":
        return f"the data behind {counted(facts.named, 'name', 'names')} of classes, samples and people"
    return f"the data of {counted(facts.named, 'person', 'people')}"


def headline(facts: ReportFacts, thing: str | None = None) -> Headline:
    """State the verdict in one plain sentence.

    Args:
        facts: The report's content.
        thing: What was to be forgotten, if worded differently from the report.

    Returns:
        The verdict.
    """
    what, accepted = thing or forgotten_thing(facts), facts.deletion.accepted
    if accepted is None:
        return _refusal(facts.deletion, what)
    if accepted.unlearning.name == LAST_RESORT:
        return _retrained(accepted, what)
    if accepted.verdict.verdict != "passes":
        words = f"A model was released, but the tests cannot show whether it forgot {what}."
        return Headline("unsure", "Inconclusive", words)
    if accepted.verdict.level == "E0":
        words = (
            "The released model keeps within fixed limits. Nothing was retrained to compare it with, so it "
            f"is not shown that it behaves as if it had never seen {what}."
        )
        return Headline("unsure", "Within limits", words)
    return _released(accepted, what)


def _retrained(accepted: Rung, what: str) -> Headline:
    """State that the model never saw the data, whatever the tests can tell of it."""
    words = f"The released model was trained anew without {what}: it never saw any of it."
    if accepted.verdict.verdict == "inconclusive":
        words += " The tests see no difference to the model before, so there was little to forget."
    return Headline("good", "Retrained", words)


def by(verdict: Verdict) -> str:
    """Say what a claim rests on, to begin a sentence with it."""
    return _BY_CALIBRATION if verdict.level == "EC" else "By every agreed test"


_BY_CALIBRATION = (
    "No model was retrained for this request. Going by models that were retrained for others like it"
)


def by_calibration(found: Headline) -> Headline:
    """Let the short form of a verdict say, too, that nothing was retrained for the request."""
    return replace(found, label=f"{found.label}, by calibration")


def _released(accepted: Rung, what: str) -> Headline:
    """State which claims were shown of a model that behaves, and which were not."""
    found = _claims(accepted, what)
    return by_calibration(found) if accepted.verdict.level == "EC" else found


def _claims(accepted: Rung, what: str) -> Headline:
    behaves = f"{by(accepted.verdict)}, the released model behaves as if it had never seen {what}"
    removed = accepted.verdict.removed
    if removed is None:
        return Headline(
            "good", "Behaves", f"{behaves}. Whether anything of it is left inside was not judged."
        )
    if removed.verdict == "passes":
        return Headline("good", "Removed", f"{behaves}, and nothing of it was found inside.")
    if removed.verdict == "inconclusive":
        return Headline(
            "unsure", "Behaves", f"{behaves}. The tests cannot tell whether any of it is left inside."
        )
    return Headline("unsure", "Behaves", f"{behaves}, but not all of it was removed: traces are left inside.")


def _refusal(record: DeletionRecord, what: str) -> Headline:
    """State why nothing was released, from the last model that was tried."""
    last = last_rung(record)
    if last is None:
        found = Headline("bad", "Not done", f"No method could be carried out to forget {what}.")
    elif last.has_drifted:
        words = f"Deletions have changed the model too far for it to forget {what} as well."
        found = Headline("bad", "Changed too far", words)
    elif last.has_relapsed:
        words = f"A model that forgot {what} knows again what was forgotten before."
        found = Headline("bad", "Relapsed", words)
    elif last.verdict.verdict == "over_forgotten":
        words = f"The model was changed so much that it reveals what was removed: {what}."
        found = Headline("bad", "Over-forgotten", words)
    elif last.verdict.verdict == "under_forgotten":
        found = Headline("bad", "Under-forgotten", f"The model still shows that it has seen {what}.")
    else:
        found = Headline("unsure", "Inconclusive", f"The tests cannot tell whether the model forgot {what}.")
    stays = "Nothing was released, and the model in use stays as it was."
    return replace(found, sentence=f"{found.sentence} {stays}")
