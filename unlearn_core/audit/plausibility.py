"""Whether what a certificate states can be at all: numbers in their ranges, weights that moved, times.

Nobody can recompute these from a certificate alone, but some of them exclude one another, and some exclude
themselves.
"""

import re
from collections.abc import Iterator

from unlearn_core.records.base import UtcTime
from unlearn_core.records.certificate import DeletionCertificate, Judgement
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.provenance import Provenance

ROUNDING = 1e-6

_SHARES = re.compile(
    r"accuracy\..*|confidence\.true_class\..*|js\..*|neighbour_leakage\..*|zrf\.(train|audit|test)\..*"
    r"|(mia|population_mia|ulira|canary)\..*(auc|accuracy|tpr|fpr|p_value)\b.*|activation\.unchanged"
    r"|svc_(salun\.non_members|efficacy\.forgotten)\..*|(probe|recovery)\.(.*\.)?accuracy|relearn\..*censored"
)
_GAPS = re.compile(
    r"average_gap\..*|(svc_salun|svc_efficacy)\.difference|(probe|recovery|zrf)\.(.*\.)?gap(\..*)?"
)
_AMOUNTS = re.compile(r"(loss|confidence\.entropy|activation|weight_distance)\..*|relearn\..*(steps|ratio)")
_RANGES = ((_SHARES, 0.0, 1.0), (_GAPS, -1.0, 1.0), (_AMOUNTS, 0.0, float("inf")))
"""What Lethe's own measurements can be, by their names; the first that fits."""

_WHOLE = "weight_distance.whole"
_FORMAT_BEGAN: UtcTime = "2025-01-01T00:00:00Z"
"""The year in the certificate's own type: nothing of its kind is older."""
_CODE_BEGAN: UtcTime = "2026-11-20T00:00:00Z"
"""Lethe's first commit: no certificate that names the code's digest is older."""


def is_possible(entry: Measurement) -> bool:
    """Tell whether a measurement can be right: in its range, and in its interval.

    Args:
        entry: The measurement.

    Returns:
        False for a share outside of 0 to 1, a negative amount, an interval that ends before it begins, and a
        value outside of its interval.
    """
    low = entry.value if entry.low is None else entry.low
    high = entry.value if entry.high is None else entry.high
    if not low - ROUNDING <= entry.value <= high + ROUNDING:
        return False
    bounds = next(((least, most) for names, least, most in _RANGES if names.fullmatch(entry.name)), None)
    return bounds is None or bounds[0] - ROUNDING <= entry.value <= bounds[1] + ROUNDING


def distance_problems(judgement: Judgement) -> Iterator[str]:
    """Find weights that are said to equal a retrained model's and are others, or the reverse.

    Each model is compared with a retrained one; only where there is one alone, that is compared with itself.

    Args:
        judgement: The numbers.

    Yields:
        A sentence per problem.
    """
    if not judgement.references:
        return
    alone = judgement.references[0].model if len(judgement.references) == 1 else None
    for evaluation in (judgement.original, judgement.unlearned, *judgement.references):
        distance, itself = evaluation.find(_WHOLE), evaluation.model == alone
        if distance is not None and (distance == 0) != itself:
            compared = "itself" if itself else "another model"
            yield f"{_WHOLE} of {evaluation.model} is {distance}, and it was compared with {compared}"
        if distance == 0 and any(_layers(evaluation)):
            yield f"{_WHOLE} of {evaluation.model} is 0, and that of a layer is not"


def _layers(evaluation: Evaluation) -> Iterator[float]:
    """Yield the distance of each layer."""
    prefix = "weight_distance.layer."
    yield from (entry.value for entry in evaluation.measurements if entry.name.startswith(prefix))


def moving_problems(certificate: DeletionCertificate) -> Iterator[str]:
    """Find where the model moved, by its digests, and did not, by its coverage, its drift or its cost.

    Args:
        certificate: The certificate.

    Yields:
        A sentence per problem.
    """
    coverage, drift, cost = certificate.coverage, certificate.drift, certificate.cost
    moved = coverage.projected + coverage.trained
    if moved == 0 and coverage.buffers == 0:
        yield "coverage: nothing of the model was to move, yet it is another one than its parent"
    if drift is not None:
        own = drift.origin == certificate.models.unlearned
        if not own and moved > 0 and drift.weight_distance == 0:
            yield "drift: the weights have not moved from the origin's, yet the model is another one"
        if drift.weight_distance == 0 and drift.layer_weight_distance > 0:
            yield f"drift: a layer has moved by {drift.layer_weight_distance}, and all of them together by 0"
    if cost is not None and cost.tuning_seconds > cost.seconds:
        yield f"cost: {cost.tuning_seconds} of {cost.seconds} seconds went into tuning"


def early_problems(provenance: Provenance) -> Iterator[str]:
    """Yield what is stated of a time at which Lethe was not there yet.

    Args:
        provenance: Where and when.

    Yields:
        A sentence per problem.
    """
    first = _FORMAT_BEGAN if provenance.code is None else _CODE_BEGAN
    if provenance.started < first:
        yield f"provenance: started at {provenance.started}, and there was no such Lethe before {first}"
