"""Plain words for what is tried and judged; what is not known is shown under its own name."""

from unlearn_core.catalogue import name_of
from unlearn_core.methods import CATALOGUE
from unlearn_core.records.report import ReportFacts

OUTCOMES = {
    "inside": "met",
    "under_forgotten": "forgotten too little",
    "over_forgotten": "forgotten too hard",
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
    "E0": "No retrained model was at hand: fixed limits were used instead of a comparison.",
    "E1": "The comparison is with one model, or a few, that were retrained without the data.",
    "E2": "The comparison is with five or more models that were retrained without the data.",
    "E3": "The comparison is with five or more retrained models, and an attacker had 64 pairs of others.",
}


def does(facts: ReportFacts, method: str) -> str:
    """Say what a method does, so that it completes "This method …"; nothing where nobody told."""
    known = {name_of(kind): kind.does for kind in CATALOGUE}
    return known.get(method) or facts.does.get(method, "")
