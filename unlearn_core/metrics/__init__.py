"""Lethe's own metrics, one file each. To add one, write the file and list it here."""

from collections.abc import Mapping
from typing import Any

from unlearn_core.catalogue import parse_one_of
from unlearn_core.metric import Metric
from unlearn_core.metrics.accuracy import Accuracy
from unlearn_core.metrics.activation import Activation
from unlearn_core.metrics.average_gap import AverageGap
from unlearn_core.metrics.canary import Canary
from unlearn_core.metrics.confidence import Confidence
from unlearn_core.metrics.divergence import Divergence
from unlearn_core.metrics.epsilon import Epsilon
from unlearn_core.metrics.interclass_confusion import InterclassConfusion
from unlearn_core.metrics.klom import Klom
from unlearn_core.metrics.membership import Membership
from unlearn_core.metrics.neighbour_leakage import NeighbourLeakage
from unlearn_core.metrics.probe import Probe
from unlearn_core.metrics.recovery import Recovery
from unlearn_core.metrics.relearn import Relearn
from unlearn_core.metrics.svc_efficacy import SvcEfficacy
from unlearn_core.metrics.svc_salun import SvcSalun
from unlearn_core.metrics.ulira import ULira
from unlearn_core.metrics.weight_distance import WeightDistance
from unlearn_core.metrics.zrf import Zrf
from unlearn_core.records.words import Words

CATALOGUE: tuple[type[Metric], ...] = (
    Accuracy,
    Confidence,
    AverageGap,
    Membership,
    Canary,
    SvcSalun,
    SvcEfficacy,
    ULira,
    Epsilon,
    Klom,
    Probe,
    Recovery,
    Relearn,
    NeighbourLeakage,
    Divergence,
    Activation,
    WeightDistance,
    Zrf,
    InterclassConfusion,
)
"""Every metric, in reading order: utility, attacks, what is left inside, distances."""

DEFAULT: tuple[Metric, ...] = tuple(metric() for metric in CATALOGUE)
"""What the pipeline measures, with every setting at its default: what was not observed costs nothing."""

WORDS: Mapping[str, Words] = {name: words for kind in CATALOGUE for name, words in kind.words.items()}
"""The plain words for what they measure, by a prefix of a measurement's name."""


def parse_metric(raw: bytes | str | Mapping[str, Any], others: tuple[type[Metric], ...] = ()) -> Metric:
    """Read a metric from its JSON, strictly.

    Args:
        raw: JSON text, or what it decodes to: the metric's ``name`` and its settings.
        others: Metrics that are not Lethe's own.

    Returns:
        The metric. Invalid input raises a ``ConfigurationError`` that lists every problem.
    """
    return parse_one_of("metric", (*CATALOGUE, *others), raw)
