"""Certificates under a calibration, of a deletion and of a judged model: both are asked whether it holds."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.calibration.judging import MeasuredKind
from tasks.evidence.telling import told_of
from unlearn_core.audit.certificate import check
from unlearn_core.audit.envelope import decode_envelope, read_judged, read_statement
from unlearn_core.audit.judged import check_judged
from unlearn_core.audit.policy import judge
from unlearn_core.errors import ConfigurationError, EvidenceError
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.calibration import Calibration, CalibrationCost, PseudoRequest
from unlearn_core.records.certificate import Judgement, Statement
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.judged import JudgedStatement
from unlearn_core.records.policy import Policy

GOLDEN = Path(__file__).parents[1] / "golden"
MADE = read_statement(decode_envelope((GOLDEN / "certificate-digits.dsse.json").read_bytes()).payload)
BEFORE = MADE.predicate.judgement
ROWS, FILE, OTHER = 101, sha256(b"what was handed in"), sha256(b"another model")
HELD = {"model": MADE.predicate.models.parent, "deletions": 0, "rows": ROWS}


def near(found: Evaluation, rng: np.random.Generator) -> Evaluation:
    """Return what another class would show: nearly the same."""
    shaken = (
        one.model_copy(update={"value": one.value + 0.01 * rng.standard_normal(), "low": None, "high": None})
        for one in found.measurements
    )
    return found.model_copy(update={"measurements": tuple(shaken)})


@cache
def calibration(*, rows: int = ROWS, **changes: Any) -> Calibration:
    """Calibrate on ten classes that are like the one that the golden certificate is about."""
    rng, policy = np.random.default_rng(3), BEFORE.policy
    assert policy is not None
    drawn = [
        PseudoRequest(
            kind="classes",
            fold=fold,
            rows=rows,
            original=near(BEFORE.original, rng),
            retrained=near(BEFORE.references[0], rng),
        )
        for fold in range(10)
    ]
    given = {"model": MADE.predicate.models.parent, "deletions": 3, "weight_distance": None, **changes}
    return Calibration(
        data=MADE.predicate.data.before,
        architecture="small_resnet",
        recipe=Recipe(),
        kinds=(MeasuredKind(drawn, policy, 0.9).calibrated({}),),
        cost=CalibrationCost(trainings=10, seconds=60.0),
        **given,
    )


def judged_by(made: Calibration) -> Judgement:
    """Judge the golden certificate's model again, without a retrained one."""
    given = {**dict(BEFORE.policy or {}), "reference": "calibrated", "calibration": made.digest}
    policy = Policy(**given)
    verdict = judge(
        policy,
        "classes",
        BEFORE.unlearned,
        original=BEFORE.original,
        references=(),
        calibrated=made.of("classes"),
    )
    return BEFORE.model_copy(
        update={"verdict": verdict, "references": (), "policy": policy, "calibration": made}
    )


def deletion(judgement: Judgement, *, rows: int = ROWS, requests: int = 1, **changes: Any) -> bytes:
    """Return the statement of a deletion that was judged so."""
    found = {
        **json.loads(MADE.predicate.canonical()),
        "judgement": json.loads(judgement.canonical()),
        "manifest": {
            "before": {"root": FILE, "size": 990},
            "after": {"root": OTHER, "size": 990 - rows},
        },
        "drift": {
            "origin": HELD["model"],
            "requests": requests,
            "weight_distance": 0.1,
            "layer_weight_distance": 0.1,
            "retained_energy": 0.9,
            "staleness": 0.0,
            "accuracy": judgement.unlearned.find("accuracy.audit.retain"),
            "accuracy_at_origin": 0.9,
        },
        **changes,
    }
    return canonical_json({**json.loads(MADE.canonical()), "predicate": found})


def handed_in(judgement: Judgement, **changes: Any) -> bytes:
    """Return the statement of a model that somebody else made and that was judged so."""
    made = json.loads(MADE.predicate.canonical())
    models = made["models"]
    predicate = {
        "schema_version": "lethe.judged/1",
        "kind": "judged, not made",
        **{name: made[name] for name in ("request", "data", "validation", "provenance")},
        "judgement": json.loads(judgement.canonical()),
        "models": {"original": models["parent"], "candidate": FILE, "measured": models["unlearned"]},
        "net": {"name": "small_resnet"},
        **dict.fromkeys(("method", "cost", "coverage", "held_out"), "not known"),
        "handed_in": None,
        "earlier": [],
        "ledger": None,
        "extensions": [],
        "calibrated_request": HELD,
        **changes,
    }
    predicate = {
        name: value for name, value in predicate.items() if (name, value) != ("calibrated_request", None)
    }
    subject = [{"name": "candidate.safetensors", "digest": {"sha256": FILE.removeprefix("sha256:")}}]
    return canonical_json(
        {
            "_type": json.loads(MADE.canonical())["_type"],
            "predicateType": "tag:lethe.example,2025:judged/v1",
            "subject": subject,
            "predicate": predicate,
        }
    )


def read_made(payload: bytes) -> Statement:
    """Read and check the certificate of a deletion."""
    statement = read_statement(payload)
    check(statement)
    return statement


def read_other(payload: bytes) -> JudgedStatement:
    """Read and check the certificate of a judgement."""
    statement = read_judged(payload)
    check_judged(statement)
    return statement


def test_both_kinds_are_read_and_say_by_calibration():
    judgement = judged_by(calibration())
    made, judged = read_made(deletion(judgement)), read_other(handed_in(judgement))
    assert (made.predicate.judgement, judged.predicate.judgement) == (judgement, judgement)
    assert judgement.verdict.level == "EC"
    assert judgement.verdict.in_words.startswith("by calibration: behaves")
    assert judged.predicate.in_words.startswith("judged, not made: by calibration: behaves")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 100}, "it holds for requests of 101 to 101 training rows; this one has 100"),
        ({"requests": 5}, "it holds for 3 deletions on one model; there have been 4"),
        ({"drift": None}, "it is not known whether it holds for the request"),
        ({"manifest": None}, "it is not known whether it holds for the request"),
    ],
)
def test_a_deletion_that_the_calibration_does_not_hold_for_is_refused(changes, said):
    with pytest.raises(EvidenceError, match=said):
        read_made(deletion(judged_by(calibration()), **changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 100}, "it holds for requests of 101 to 101 training rows; this one has 100"),
        ({"deletions": 4}, "it holds for 3 deletions on one model; there have been 4"),
        ({"model": OTHER}, "this one was trained in full as"),
    ],
)
def test_a_judgement_that_the_calibration_does_not_hold_for_is_refused(changes, said):
    with pytest.raises(EvidenceError, match=said):
        read_other(handed_in(judged_by(calibration()), calibrated_request={**HELD, **changes}))


def test_a_judgement_must_say_what_its_calibration_has_to_hold_for_and_only_then():
    with pytest.raises(EvidenceError, match="it is not known whether it holds"):
        read_other(handed_in(judged_by(calibration()), calibrated_request=None))
    with pytest.raises(EvidenceError, match="what it would have to hold for is stated"):
        read_other(handed_in(BEFORE))


@pytest.mark.parametrize(
    "read", [lambda one: read_made(deletion(one)), lambda one: read_other(handed_in(one))]
)
def test_bands_and_level_are_computed_again(read):
    honest = judged_by(calibration())
    other = calibration(deletions=2)
    verdict = honest.verdict.model_copy(update={"level": "E1"})
    for forged, said in (
        (honest.model_copy(update={"verdict": verdict}), "'EC'"),
        (honest.model_copy(update={"calibration": other}), "the policy names"),
        (honest.model_copy(update={"references": BEFORE.references}), "there are retrained models as well"),
    ):
        with pytest.raises(EvidenceError, match=said):
            read(forged)


def test_a_band_that_was_made_wider_after_the_fact_is_noticed():
    made = calibration()
    (kind,) = made.kinds
    wider = tuple(claim.model_copy(update={"scores": (99.0,) * 10}) for claim in kind.claims)
    other = made.model_copy(update={"kinds": (kind.model_copy(update={"claims": wider}),)})
    forged = judged_by(made).model_copy(update={"calibration": other})
    with pytest.raises(EvidenceError, match="policy and measurements give"):
        read_made(deletion(forged))
    with pytest.raises(EvidenceError, match="policy and measurements give"):
        read_other(handed_in(forged))


def named_by(made: Calibration) -> Judgement:
    """Name another calibration wherever one is named, as an issuer can who signs what he likes."""
    honest = judged_by(calibration())
    policy = (honest.policy or BEFORE.policy).model_copy(update={"calibration": made.digest})
    verdict = honest.verdict.model_copy(update={"policy": policy.digest})
    return honest.model_copy(update={"policy": policy, "calibration": made, "verdict": verdict})


def edited(**changes: Any) -> dict[str, Any]:
    """Return the calibration with values of its only kind changed; a key with dots leads to one of them."""
    tree = json.loads(calibration().canonical())
    for path, value in changes.items():
        *way, last = path.split(".")
        place = tree["kinds"][0]
        for part in way:
            place = place[int(part)] if part.isdigit() else place[part]
        place[last] = value
    return tree


HUGE = {"level": 1e308, "slope": 0.0, "scale": 1.0}
LINES = "claims.0.measurements.0.lines"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"folds": [99, *range(1, 10)]}, "not counted from 0"),
        ({"folds": [-1, *range(1, 10)]}, "not counted from 0"),
        ({"folds": [0] * 10}, "without a line for each fold"),
        ({LINES: [HUGE] * 10}, "less than or equal to 1000"),
        ({LINES: [{**HUGE, "level": 0.0}] * 9}, "without a line for each fold"),
        ({"claims.0.scores": [1.0] * 9}, "9 scores, not 10"),
        ({"claims.0.scores": [-1.0] * 10}, "greater than or equal to 0"),
        ({"claims.0.scores": [1e308] * 10}, "less than or equal to 1000"),
        ({"coverage": 1e-12}, "greater than or equal to 0.5"),
        ({"smallest": 102}, "`smallest` is 102, `largest` 101"),
        ({"power.originals": {"judged": 10, "inside": 99}}, "99 of 10"),
        ({"claims": 2 * edited()["kinds"][0]["claims"][:1]}, "claim: one is there twice"),
    ],
)
def test_a_calibration_that_does_not_fit_together_is_none(changes, said):
    with pytest.raises(ConfigurationError, match=said):
        Calibration.parse(json.dumps(edited(**changes)))
    tree = json.loads(deletion(judged_by(calibration())))
    tree["predicate"]["judgement"]["calibration"] = edited(**changes)
    with pytest.raises(EvidenceError):
        read_made(canonical_json(tree))


def test_a_kind_is_calibrated_once():
    tree = edited()
    with pytest.raises(ConfigurationError, match="kind: one is there twice"):
        Calibration.parse(json.dumps({**tree, "kinds": 2 * tree["kinds"]}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"power": None}, "whether its bands for classes tell anything apart was not counted"),
        (
            {"power.originals": {"judged": 4000, "inside": 0}},
            "10 retrained models and 4000 originals of 10 were counted",
        ),
        ({"power.retrained_interval": [0.1, 0.9]}, r"10 of 10 is not in the interval \[0.1, 0.9\]"),
        (
            {"coverage": 0.95},
            "takes 19 pseudo-requests of classes besides those of one training, there are 9",
        ),
    ],
)
def test_what_a_calibration_says_of_itself_follows_from_its_counts(changes, said):
    forged = named_by(Calibration.parse(json.dumps(edited(**changes))))
    for read in (lambda: read_made(deletion(forged)), lambda: read_other(handed_in(forged))):
        with pytest.raises(EvidenceError, match=said):
            read()


def test_a_calibration_cost_as_many_trainings_as_served_its_pseudo_requests():
    honest = calibration()
    free = honest.model_copy(update={"cost": CalibrationCost(trainings=0, seconds=0.0)})
    with pytest.raises(EvidenceError, match="it cost 0 trainings, and 10 served"):
        read_made(deletion(judged_by(free)))


def test_a_calibration_of_the_same_model_is_of_its_data():
    other = calibration().model_copy(update={"data": OTHER})
    with pytest.raises(EvidenceError, match="it was drawn from other data than the model's"):
        read_made(deletion(judged_by(other)))
    with pytest.raises(EvidenceError, match="it was drawn from other data than the model's"):
        read_other(handed_in(judged_by(other)))


def test_no_shadow_models_attack_beside_a_calibration():
    honest = judged_by(calibration())
    attacked = Measurement(name="ulira.shadows", value=64.0)
    measured = honest.unlearned.measurements
    forged = honest.model_copy(
        update={"unlearned": honest.unlearned.model_copy(update={"measurements": (*measured, attacked)})}
    )
    with pytest.raises(EvidenceError, match="no shadow models are made beside a calibration"):
        read_made(deletion(forged))


def test_a_reader_learns_what_the_bands_promise_and_tell_apart():
    for statement in (
        read_made(deletion(judged_by(calibration()))),
        read_other(handed_in(judged_by(calibration()))),
    ):
        told = told_of(statement.predicate, signer=OTHER, model_checked=False)
        assert told["calibration"] == (
            "coverage 0.9, at least 0.8, from 10 pseudo-requests; of these its bands held 10 of 10 retrained "
            "models, and 0 of 10 originals"
        )
        assert "its pseudo-requests and their numbers are not in it" in str(told["not_asked"])
    told = told_of(MADE.predicate, signer=OTHER, model_checked=False)
    assert told["calibration"] is None


def test_a_statement_without_a_calibration_keeps_its_bytes():
    assert isinstance(MADE, Statement)
    assert b"calibrat" not in MADE.canonical()


def fallen_back(why: str | None) -> Judgement:
    """Return the judgement of a request that the policy's calibration does not hold for."""
    policy = Policy(**{**dict(BEFORE.policy or {}), "reference": "calibrated", "calibration": OTHER})
    verdict = BEFORE.verdict.model_copy(update={"policy": policy.digest})
    return BEFORE.model_copy(update={"policy": policy, "verdict": verdict, "not_calibrated": why})


def test_a_fall_back_is_said_in_both_kinds_of_certificates():
    why = "it is for requests of samples, not of classes"
    made = read_made(deletion(fallen_back(why)))
    judged = read_other(handed_in(fallen_back(why), calibrated_request=None))
    for statement in (made, judged):
        assert statement.predicate.judgement.verdict.level == "E1"
        told = told_of(statement.predicate, signer=OTHER, model_checked=False)
        assert why in str(told["not_asked"])


def test_a_fall_back_that_is_not_said_or_said_without_one_is_refused():
    with pytest.raises(EvidenceError, match="why it did not hold is not said"):
        read_made(deletion(fallen_back(None)))
    with pytest.raises(EvidenceError, match="why it did not hold is said"):
        read_made(deletion(BEFORE.model_copy(update={"not_calibrated": "another net"})))
    with pytest.raises(EvidenceError, match="why it did not hold is said"):
        read_made(deletion(judged_by(calibration()).model_copy(update={"not_calibrated": "another net"})))
