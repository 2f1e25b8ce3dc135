"""How much evidence a number of retrained models and of shadow pairs allows."""

from unlearn_core.audit.certificate import REFERENCES
from unlearn_core.records.policy import EvidenceLevel


def level(references: int, shadows: int) -> EvidenceLevel:
    """Return the highest level of evidence that some models allow.

    A shadow pair is a model trained on all the data and one trained without what is forgotten, and both of
    its models are counted as one: 64 pairs are 128 trainings. The second of a pair is a retrained model
    as well, so that E3 asks for as many of those.

    Args:
        references: How many retrained models there are, those of the pairs included.
        shadows: How many shadow pairs there are.

    Returns:
        E0 without a retrained model, E1 from one on, E2 from five on, and E3 from 64 shadow pairs on.
    """
    if min(references, shadows) >= REFERENCES["E3"]:
        return "E3"
    if references >= REFERENCES["E2"]:
        return "E2"
    return "E1" if references >= REFERENCES["E1"] else "E0"
