"""Plain words for what is tried and judged; anything unknown is shown by its name."""

from unlearn_core.catalogue import name_of
from unlearn_core.methods import CATALOGUE
from unlearn_core.records.report import ReportFacts

OUTCOMES = {
    "inside": "met",
    "under_forgotten": "forgotten too little",
    "over_forgotten": "forgotten too much",
    "undecided": "too close to tell",
    "not_measured": "not measured",
}

TREATMENTS = {
    "projected": "edited only in directions that belong to the forgotten data",
    "trained": "free to change",
    "frozen": "left alone on purpose",
    "unsupported": "out of the method’s reach",
}

LEVEL_SENTENCES = {
    "E0": "No retrained model was available: fixed limits were used instead of a comparison.",
    "EC": "No model was retrained to compare with: the ranges come from models that were retrained for "
    "requests like it, once, when the model was calibrated.",
    "E1": "The comparison is with one model, or a few, retrained without the data.",
    "E2": "The comparison is with five or more models retrained without the data.",
    "E3": "The comparison is with five or more retrained models, and an attacker had 64 shadow pairs.",
}


def does(facts: ReportFacts, method: str) -> str:
    """Return what a method does, to complete "This method …"; empty if unknown."""
    known = {name_of(kind): kind.does for kind in CATALOGUE}
    return known.get(method) or facts.does.get(method, "")
