"""The plain words of other packages' methods and metrics, if those packages are installed."""

from collections.abc import Iterable
from typing import Any

from tasks.extensions.catalogues import FLAWS, Kind
from tasks.extensions.discovery import offers
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.provenance import Extension
from unlearn_core.records.words import Words


def words_of_others(record: DeletionRecord) -> dict[str, Words]:
    """Return the words of the other packages' metrics that a deletion was measured by."""
    evaluations = (record.original, *record.references, *(rung.evaluation for rung in record.rungs))
    kinds = _loaded("metric", (one for evaluation in evaluations for one in evaluation.extensions))
    return {name: words for kind in kinds.values() for name, words in kind.words.items()}


def deeds_of_others(record: DeletionRecord) -> dict[str, str]:
    """Return what the other packages' methods in a deletion do, by name."""
    named = (one for rung in record.rungs if (one := rung.unlearning.extension) is not None)
    return {name: kind.does for name, kind in _loaded("method", named).items()}


def _loaded(kind: Kind, named: Iterable[Extension]) -> dict[str, Any]:
    """Load what records name; what is not installed has no words, and a report does without."""
    packages = {(one.name, one.package) for one in named}
    found = dict[str, Any]()
    for offer in offers(kind):
        if (offer.name, offer.package) in packages:
            try:
                found[offer.name] = offer.load(FLAWS[kind])
            except ConfigurationError:
                continue
    return found
