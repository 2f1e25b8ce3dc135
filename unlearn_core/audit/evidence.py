"""How much evidence a number of retrained models and of shadow pairs allows."""

from unlearn_core.kinds import EvidenceLevel

LEAST_REFERENCES = 5
"""How many retrained models it takes to know their spread well enough for intervals."""

SHADOWS = "ulira.shadows"
"""The measurement that says how many pairs of shadow models an attack was given."""

_LEAST_SHADOWS = 64
"""How many shadow pairs an attack needs to count as the highest evidence."""

LEVELS: dict[str, str] = {
    "E0": "behaviour only, no retrained model",
    "EC": "calibrated: no model was retrained to compare with, the bands come from requests like it",
    "E1": "one retrained model, or a few",
    "E2": "five or more retrained models, with intervals",
    "E3": "five or more retrained models, and an attack with at least 64 pairs of shadow models",
}
"""What each level of evidence rests on, in words."""


def level(references: int, shadows: int, *, calibrated: bool = False) -> EvidenceLevel:
    """Return the level of evidence that some models allow.

    A shadow pair is a model trained on all the data and one trained without what is forgotten, counted once:
    64 pairs are 128 trainings.

    Args:
        references: How many retrained models a model was compared with.
        shadows: How many shadow pairs the attacker had.
        calibrated: Whether a calibration stood in for retrained models.

    Returns:
        E0 without a retrained model, EC if a calibration stood in for one, E1 from one on, E2 from five on,
        and E3 with 64 shadow pairs as well.
    """
    if references >= LEAST_REFERENCES:
        return "E3" if shadows >= _LEAST_SHADOWS else "E2"
    if references:
        return "E1"
    return "EC" if calibrated else "E0"
