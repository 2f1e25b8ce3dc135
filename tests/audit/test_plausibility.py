"""What a certificate cannot state although each part of it is well formed: it is refused, signed or not.

Each of these must turn red: a range that is not asked for; one that is too narrow for what a metric measures.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from unlearn_core.audit.certificate import check
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.audit.plausibility import distance_problems, is_possible
from unlearn_core.catalogue import name_of
from unlearn_core.conformance import subjects
from unlearn_core.errors import EvidenceError
from unlearn_core.metrics import CATALOGUE
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Judgement
from unlearn_core.records.evaluation import Measurement

GOLDEN = Path(__file__).parents[1] / "golden"
TREE = json.loads(decode_envelope((GOLDEN / "certificate-digits.dsse.json").read_bytes()).payload)
UNLEARNED = "judgement.unlearned"


def changed(changes: dict[str, Any]) -> bytes:
    """Return the payload with some fields, or some measured values of a model, replaced."""
    tree = copy.deepcopy(TREE)
    for path, value in changes.items():
        place, _, measured = path.partition(":")
        *above, last = place.split(".")
        parent = tree["predicate"]
        for key in above:
            parent = parent[int(key) if isinstance(parent, list) else key]
        if measured:
            evaluation = parent[int(last) if isinstance(parent, list) else last]
            entry = next(one for one in evaluation["measurements"] if one["name"] == measured)
            entry |= {"value": value, "low": None, "high": None}
        else:
            parent[last] = value
    return canonical_json(tree)


FROZEN = {"coverage.frozen": 1.0, "coverage.projected": 0.0}
MOVED = "coverage: nothing of the model was to move"
EARLY = "no such Lethe before 2025"
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    (FROZEN, MOVED),
    ({**FROZEN, "coverage.frozen": 0.0, "coverage.unsupported": 1.0}, MOVED),
    ({"drift.weight_distance": 0.0}, "drift: the weights have not moved"),
    ({"drift.weight_distance": 0.0}, "drift: a layer has moved by 0.16"),
    ({f"{UNLEARNED}:weight_distance.whole": 0.0}, "and it was compared with another model"),
    ({f"{UNLEARNED}:weight_distance.whole": 0.0}, "is 0, and that of a layer is not"),
    ({"judgement.references": [TREE["predicate"]["judgement"]["references"][0]] * 2}, "is listed twice"),
    ({"cost.tuning_seconds": 5.0}, "seconds went into tuning"),
    ({"provenance.started": "1970-01-01T00:00:00Z"}, EARLY),
    ({"provenance.started": "2024-12-31T23:59:59Z"}, EARLY),
    ({"provenance.finished": "2026-11-29T22:14:06Z"}, "before the start"),
    (
        {"provenance.started": "2026-11-19T23:59:59Z", "provenance.code": "sha256:" + "0" * 64},
        "no such Lethe before 2026-11-20",
    ),
    ({f"{UNLEARNED}:confidence.true_class.audit.forget": 1.5}, "confidence.true_class.audit.forget is 1.5"),
    ({f"{UNLEARNED}:confidence.entropy.test.retain": -0.1}, "confidence.entropy.test.retain is -0.1"),
    ({f"{UNLEARNED}:mia.softmax_auc": -0.2}, "mia.softmax_auc is -0.2"),
    ({f"{UNLEARNED}:probe.gap": -1.2}, "probe.gap is -1.2"),
    ({f"{UNLEARNED}:relearn.steps": -14.0}, "relearn.steps is -14"),
    (
        {"judgement.original.measurements.0.low": 0.1, "judgement.original.measurements.0.high": 0.2},
        "0.1, 0.2",
    ),
    ({"cost.seconds": -1.0}, "cost.seconds"),
    ({"cost.samples_seen": -1}, "cost.samples_seen"),
    ({"cost.peak_memory_mib": -0.5}, "cost.peak_memory_mib"),
    ({"judgement.original.measurements.0.samples": -1}, "samples"),
    ({"drift.accuracy": 1.1}, "drift.accuracy"),
    ({"drift.requests": -1}, "drift.requests"),
]


@pytest.mark.parametrize(("changes", "said"), CONTRADICTIONS, ids=[f"{said}" for _, said in CONTRADICTIONS])
def test_what_cannot_be_is_refused_and_named(changes: dict[str, Any], said: str):
    check(read_statement(canonical_json(TREE)))
    with pytest.raises(EvidenceError, match=said.replace("[", r"\[")):
        check(read_statement(changed(changes)))


def test_a_model_of_which_only_buffers_moved_contradicts_nothing():
    check(read_statement(changed({**FROZEN, "coverage.buffers": 2})))


def test_the_only_retrained_model_has_no_distance_from_itself():
    with pytest.raises(EvidenceError, match="and it was compared with itself"):
        check(read_statement(changed({"judgement.references.0:weight_distance.whole": 0.5})))


def test_of_several_retrained_models_none_is_compared_with_itself():
    first = Judgement.parse(canonical_json(TREE["predicate"]["judgement"]))
    (one,) = first.references
    moved = tuple(
        entry.model_copy(update={"value": 0.7}) if entry.name == "weight_distance.whole" else entry
        for entry in one.measurements
    )
    other = one.model_copy(update={"model": "sha256:" + "0" * 64})
    apart = [two.model_copy(update={"measurements": moved}) for two in (one, other)]
    assert not [*distance_problems(first.model_copy(update={"references": tuple(apart)}))]
    assert len([*distance_problems(first.model_copy(update={"references": (one, other)}))]) == 2


@pytest.mark.parametrize("kind", CATALOGUE, ids=name_of)
def test_what_a_metric_measures_is_possible(kind: Any):
    seen = (subjects.ordinary(), subjects.ordinary(sample_scope=True))
    for entry in (entry for subject in seen for entry in kind().measure(subject, seed=0)):
        assert is_possible(entry), entry


@pytest.mark.parametrize(
    ("name", "value", "possible"),
    [
        ("accuracy.audit.forget", 1.01, False),
        ("accuracy.audit.forget", 1 + 1e-9, True),
        ("ulira.auc", 1.2, False),
        ("js.floor.test.retain", -0.3, False),
        ("zrf.gap.train.forget", -0.5, True),
        ("svc_efficacy.difference", -1.5, False),
        ("mia.left_out", 12.0, True),
        ("mystery.of_life", 42.0, True),
    ],
)
def test_a_share_is_between_none_and_all(name: str, value: float, possible: bool):
    assert is_possible(Measurement(name=name, value=value)) is possible
