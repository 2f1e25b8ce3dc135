"""What was shown of a model in a few words, which follow from the verdicts and the level of evidence."""

from unlearn_core.kinds import EvidenceLevel
from unlearn_core.own_names import LAST_RESORT


def shown_in_words(
    behaves: str, removed: str | None, *, level: EvidenceLevel | None = None, method: str | None = None
) -> str:
    """Say in a few words which claims were shown.

    Args:
        behaves: The verdict on the claim *behaves*, or another end of an attempt.
        removed: The verdict on the claim *removed*; None if it was not judged.
        level: The level of evidence, if known: without a retrained model neither claim is shown, and where no
            model was retrained for this request that is said.
        method: The method, if known: a model that was retrained never saw the data, whatever a test can tell.

    Returns:
        The first verdict, with what is known of the second claim after a pass.
    """
    if method == LAST_RESORT and behaves in ("passes", "inconclusive"):
        return "retrained"
    if level == "E0" and behaves == "passes":
        return "within fixed limits"
    if behaves != "passes":
        return behaves.replace("_", "-")
    shown = {None: "behaves", "passes": "behaves and removed", "inconclusive": "behaves, removal not shown"}
    by = "by calibration: " if level == "EC" else ""
    return by + shown.get(removed, "behaves, not removed")
