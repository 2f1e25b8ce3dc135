"""Bands of a calibration: they cover what they promise, and refuse what they are not for."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calibration.judging import MeasuredKind
from unlearn_core.audit.calibrated import (
    calibrated_bands,
    guaranteed,
    least_units,
    measured_for,
    out_of_range,
)
from unlearn_core.audit.calibration import calibration_problems, judged_for
from unlearn_core.audit.policy import judge
from unlearn_core.calibrating import calibrate_kind, without_fold
from unlearn_core.errors import ConfigurationError, UsageError
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.calibration import Calibration, CalibrationCost, PseudoRequest
from unlearn_core.records.certificate import DeletionCertificate, Judgement, ModelDigests
from unlearn_core.records.drift import DriftSummary
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.policy import Band, Ladder, Policy
from unlearn_core.records.receipt import ManifestTrees, TreeHead
from unlearn_core.records.request import RequestSummary

MODEL, OTHER = "sha256:" + "0" * 64, "sha256:" + "1" * 64
NAMES = ("accuracy.audit.retain", "loss.test.forget", "confidence.entropy.train.retain")
NARROW = tuple(
    Band(
        measurement=name, below=1e-6, above=1e-6, below_means="under_forgotten", above_means="under_forgotten"
    )
    for name in NAMES
)
COVERAGE = 0.9


def evaluation(values, *, samples=None, names=NAMES):
    entries = tuple(
        Measurement(name=name, value=float(value), samples=samples)
        for name, value in zip(names, values, strict=True)
    )
    return Evaluation(model=MODEL, seed=0, measurements=entries)


def drawn(count, rng, *, noise=0.1, each=1):
    """Exchangeable pseudo-requests: what retraining shows is a line of what the original shows, and noise."""
    found = []
    for unit in range(count):
        given = rng.normal(size=len(NAMES))
        shown = 2 - 0.7 * given + noise * rng.standard_t(4, size=len(NAMES))
        found.append(
            PseudoRequest(
                kind="subjects",
                fold=unit // each,
                rows=10 + unit,
                original=evaluation(given),
                retrained=evaluation(shown),
            )
        )
    return found


def is_inside(calibrated, bands, one, shown=None):
    asked = calibrated_bands(calibrated, bands, one.original)
    model = shown or one.retrained
    return all(band.lowest <= model.value(band.measurement) <= band.highest for band in asked)


@pytest.mark.parametrize("each", [1, 4])
def test_a_new_retrained_model_lies_inside_as_often_as_is_promised(each):
    rng, inside = np.random.default_rng(5), 0
    for _ in range(150):
        *known, new = drawn(21, rng, each=each)
        inside += is_inside(calibrate_kind(known, NARROW, coverage=COVERAGE), NARROW, new)
    # Typically 0.9: with 150 draws its standard error is 0.025.
    assert inside / 150 >= COVERAGE - 0.06
    assert inside / 150 <= 0.99


def test_a_model_that_does_not_follow_the_line_lies_outside():
    rng = np.random.default_rng(6)
    *known, new = drawn(21, rng)
    calibrated = calibrate_kind(known, NARROW, coverage=COVERAGE)
    assert not is_inside(calibrated, NARROW, new, evaluation([9.0, 2.0, 2.0]))


def test_the_prediction_narrows_the_band():
    rng = np.random.default_rng(7)
    known = drawn(30, rng, noise=0.02)
    calibrated = calibrate_kind(known, NARROW, coverage=COVERAGE)
    bands = calibrated_bands(calibrated, NARROW, known[0].original)
    spread = np.std([one.retrained.value(NAMES[0]) for one in known])
    assert all(band.highest - band.lowest < spread for band in bands)


def test_the_band_of_the_policy_is_the_least():
    rng = np.random.default_rng(8)
    wide = tuple(band.model_copy(update={"below": 3.0, "above": 5.0}) for band in NARROW)
    known = drawn(12, rng, noise=1e-6)
    calibrated = calibrate_kind(known, wide, coverage=COVERAGE)
    (band, *_) = calibrated_bands(calibrated, wide, known[0].original)
    assert band.highest - band.lowest == pytest.approx(8.0, abs=0.5)


def test_fewer_samples_make_a_wider_band():
    rng = np.random.default_rng(9)
    known = [
        one.model_copy(
            update={
                "original": evaluation([one.original.value(name) for name in NAMES], samples=100),
                "retrained": evaluation([one.retrained.value(name) for name in NAMES], samples=100),
            }
        )
        for one in drawn(20, rng)
    ]
    calibrated = calibrate_kind(known, NARROW, coverage=COVERAGE)

    def width(samples):
        asked = calibrated_bands(calibrated, NARROW, evaluation([0.0, 0.0, 0.0], samples=samples))
        return asked[0].highest - asked[0].lowest

    assert width(1) == pytest.approx(10 * width(100), rel=0.35)


@pytest.mark.parametrize(("coverage", "least"), [(0.8, 4), (0.9, 9), (0.95, 19), (0.5, 1)])
def test_a_coverage_takes_so_many_and_the_missing_are_counted(coverage, least):
    assert least_units(coverage) == least
    rng = np.random.default_rng(10)
    if least > 5:
        with pytest.raises(UsageError, match=f"takes {least} .* there are {least - 2}: 2 are missing"):
            calibrate_kind(drawn(least - 2, rng), NARROW, coverage=coverage)


@given(st.floats(0.5, 0.99), st.integers(2, 40), st.integers(1, 5))
def test_what_is_guaranteed_is_less_than_what_is_typical(coverage, folds, each):
    found = guaranteed(coverage, [fold for fold in range(folds) for _ in range(each)])
    assert 0 <= found <= coverage
    if each == 1:
        assert found == pytest.approx(max(0, 1 - 2 * (1 - coverage)))


def test_leaving_a_fold_out_leaves_out_all_of_it():
    own, others = without_fold(drawn(12, np.random.default_rng(1), each=4), 1)
    assert [one.rows for one in own] == [14, 15, 16, 17]
    kept = [(0, rows) for rows in range(10, 14)] + [(1, rows) for rows in range(18, 22)]
    assert [(one.fold, one.rows) for one in others] == kept


@pytest.mark.parametrize(
    ("asked", "measured", "relative"),
    [
        ("recovery.gap", "recovery.accuracy", False),
        ("probe.few.gap", "probe.few.accuracy", False),
        ("probe.depth_1.gap", "probe.depth_1.accuracy", False),
        ("relearn.ratio", "relearn.steps", True),
        ("mia.loss_auc", "mia.loss_auc", False),
    ],
)
def test_what_is_relative_to_a_retrained_model_is_measured_by_itself(asked, measured, relative):
    assert measured_for(NARROW[0].model_copy(update={"measurement": asked})) == (measured, relative)


def policy(*bands):
    ladder = Ladder(classes=("retrain",), samples=("retrain",))
    return Policy(ladder=ladder, classes=bands, samples=bands)


def test_the_gate_judges_by_the_calibration_and_says_so():
    rng = np.random.default_rng(12)
    known = drawn(20, rng)
    calibrated = calibrate_kind(known, NARROW, coverage=COVERAGE)
    asked = {"original": known[0].original, "references": (), "calibrated": calibrated}
    right = [known[0].retrained.value(name) for name in NAMES]
    verdict = judge(policy(*NARROW), "samples", known[0].retrained, **asked)
    wrong = judge(policy(*NARROW), "samples", evaluation([*right[:2], 99.0]), **asked)
    assert (verdict.verdict, verdict.level) == ("passes", "EC")
    assert verdict.in_words == "by calibration: behaves"
    assert (wrong.verdict, wrong.level, wrong.decided_by) == ("under_forgotten", "EC", (NAMES[2],))
    assert wrong.in_words == "under-forgotten"


def test_a_band_that_was_not_calibrated_is_refused():
    known = drawn(20, np.random.default_rng(13))
    calibrated = calibrate_kind(known, NARROW[:2], coverage=COVERAGE)
    with pytest.raises(ConfigurationError, match=f"no band for {NAMES[2]}"):
        calibrated_bands(calibrated, NARROW, known[0].original)


def test_what_few_have_is_not_calibrated():
    known = drawn(20, np.random.default_rng(14))
    many = NARROW[0].model_copy(update={"least_samples": 30})
    calibrated = calibrate_kind(known, (many, *NARROW[1:]), coverage=COVERAGE)
    assert [one.measurement for one in calibrated.claims[0].measurements] == list(NAMES[1:])
    verdict = judge(
        policy(many, *NARROW[1:]),
        "samples",
        evaluation([99.0, *(known[0].retrained.value(name) for name in NAMES[1:])], samples=10),
        original=evaluation([known[0].original.value(name) for name in NAMES], samples=10),
        references=(),
        calibrated=calibrated,
    )
    assert [one.measurement for one in verdict.findings] == list(NAMES[1:])
    assert "Not judged, for too few samples" in verdict.reason


def calibration(**changes):
    known = drawn(20, np.random.default_rng(15))
    return Calibration(
        data=MODEL,
        architecture="small_resnet",
        recipe=Recipe(),
        kinds=(MeasuredKind(known, policy(*NARROW), COVERAGE).calibrated({}),),
        cost=CalibrationCost(trainings=20, seconds=1.0),
        **{"model": MODEL, "deletions": 10, "weight_distance": 0.5, **changes},
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"rows": 9}, "10 to 29 training rows; this one has 9"),
        ({"rows": 30}, "10 to 29 training rows; this one has 30"),
        ({"kind": "classes"}, "requests of subjects, not of classes"),
        ({"kind": "mixed"}, "not of mixed"),
        ({"model": OTHER}, "this one was trained in full as"),
        ({"deletions": 11}, "10 deletions on one model; there have been 11"),
        ({"distance": 0.6}, "a weight distance of 0.5"),
    ],
)
def test_a_request_outside_of_the_range_is_named(changes, said):
    given_ = {"kind": "subjects", "rows": 12, "model": MODEL, "deletions": 10, "distance": 0.5}
    why = out_of_range(calibration(), **{**given_, **changes})
    assert (why is None) if said is None else (said in why)


def test_a_policy_names_its_calibration_by_digest():
    with pytest.raises(ValueError, match="come together"):
        Policy(**{**dict(policy(*NARROW)), "reference": "calibrated"})
    named = Policy(**{**dict(policy(*NARROW)), "reference": "calibrated", "calibration": MODEL})
    assert named.retrained == "build"
    assert policy(*NARROW).retrained == "build"
    assert b"calibration" not in policy(*NARROW).canonical()


def test_a_calibration_reads_as_it_was_written():
    made = calibration()
    assert Calibration.parse(made.canonical()).digest == made.digest
    assert made.of("subjects") is not None
    assert made.of("mixed") is None
    assert math.isclose(guaranteed(COVERAGE, made.kinds[0].folds), 0.8)


def certified(*, requests=3, forgotten=12, kind="subjects", named=None, **changes):
    """A certificate of a request that a calibration judged; only what is asked of that is in it."""
    made = calibration(**changes)
    ruled = policy(*NARROW).model_copy(
        update={"reference": "calibrated", "calibration": named or made.digest}
    )
    drift = DriftSummary(
        origin=MODEL,
        requests=requests,
        weight_distance=0.1,
        layer_weight_distance=0.1,
        retained_energy=1.0,
        staleness=0.0,
        accuracy=0.9,
        accuracy_at_origin=0.9,
    )
    trees = ManifestTrees(
        before=TreeHead(size=100, root=MODEL), after=TreeHead(size=100 - forgotten, root=OTHER)
    )
    judgement = Judgement.model_construct(
        calibration=made, policy=ruled, references=(), original=evaluation([0.0, 0.0, 0.0])
    )
    return DeletionCertificate.model_construct(
        judgement=judgement,
        drift=drift,
        manifest=trees,
        models=ModelDigests(parent=MODEL, unlearned=OTHER),
        request=RequestSummary(id="r-1", kind=kind, scope=MODEL),
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"named": OTHER}, "the policy names sha256:1111"),
        ({"forgotten": 31}, "this one has 31"),
        ({"kind": "classes"}, "not of classes"),
        ({"model": OTHER}, "trained in full as sha256:0000"),
        ({"requests": 13}, "there have been 12"),
    ],
)
def test_a_certificate_with_a_calibration_that_does_not_hold_is_refused(changes, said):
    found = certified(**changes)
    problems = list(calibration_problems(found.judgement, found.request.kind, judged_for(found), data=MODEL))
    assert (problems == []) if said is None else (len(problems) == 1 and said in problems[0])


@pytest.mark.parametrize(("large", "calibrated"), [(1, 1), (2, 2)])
def test_a_measurement_that_too_few_give_once_a_training_is_left_out_is_not_calibrated(large, calibrated):
    """Of five trainings with four groups each, one or two groups are large enough for the second band."""
    few = NARROW[1].model_copy(update={"least_samples": 30})
    known = []
    for n, one in enumerate(drawn(20, np.random.default_rng(16), each=4)):
        samples = 30 if n % 4 < large else 1
        sized = {
            role: evaluation([getattr(one, role).value(name) for name in NAMES], samples=samples)
            for role in ("original", "retrained")
        }
        known.append(one.model_copy(update=sized))
    found = MeasuredKind(known, policy(NARROW[0], few), COVERAGE)
    assert found.bands == (NARROW[0], few)[:calibrated]
    made = found.calibrated({})
    assert [one.measurement for one in made.claims[0].measurements] == list(NAMES[:calibrated])
    assert made.power.retrained.judged == 20
