"""The gate, by its properties: two-sided, never generous, and useless gates say so."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearn_core.audit.policy import accept, find, judge
from unlearn_core.records.evaluation import Evaluation, Measurement
from unlearn_core.records.policy import Band, Ladder, Policy

NAMES = ("accuracy.audit.forget", "confidence.entropy.train.forget", "mia.loss_auc")
UNDER, OVER = "under_forgotten", "over_forgotten"
values = st.floats(-2, 2)
widths = st.floats(0, 1)


def band(
    name=NAMES[0], below=0.1, above=0.1, *, below_means=OVER, above_means=UNDER, lowest=None, highest=None
):
    return Band(
        measurement=name,
        below=below,
        above=above,
        below_means=below_means,
        above_means=above_means,
        lowest=lowest,
        highest=highest,
    )


def policy(*bands, when_inconclusive="retrain"):
    ladder = Ladder(classes=("retrain",), samples=("retrain",))
    elsewhere = band("never.measured")
    return Policy(
        ladder=ladder,
        classes=bands,
        samples=(elsewhere,),
        when_inconclusive=when_inconclusive,
        reference="build",
    )


def measured(*numbers, names=NAMES):
    """An evaluation of the first names; NaN gets in only past the validation."""
    entries = tuple(
        Measurement.model_construct(name=name, value=number, low=None, high=None, samples=None)
        for name, number in zip(names, numbers, strict=False)
    )
    return Evaluation.model_construct(model="sha256:" + "0" * 64, seed=0, measurements=entries)


def verdict_of(candidate, *, original=10.0, reference=0.0, bands=None):
    return judge(
        policy(*(bands or (band(),))),
        "classes",
        measured(candidate),
        original=measured(original),
        reference=None if reference is None else measured(reference),
    )


@given(values, values, widths, widths)
def test_finding_is_inside_exactly_within_the_band(value, centre, below, above):
    finding = find(band(below=below, above=above), measured(value), measured(centre))
    assert (finding.outcome == "inside") == (centre - below <= value <= centre + above)
    assert (finding.lowest, finding.highest) == (centre - below, centre + above)


@pytest.mark.parametrize(
    ("value", "outcome"), [(-0.2, OVER), (-0.1, "inside"), (0.1, "inside"), (0.2, UNDER)]
)
def test_each_side_fails_by_its_own_name(value, outcome):
    assert find(band(), measured(value), measured(0.0)).outcome == outcome


@pytest.mark.parametrize(("value", "outcome"), [(-0.2, UNDER), (0.2, OVER)])
def test_band_says_what_lying_outside_means(value, outcome):
    entropy = band(below_means=UNDER, above_means=OVER)
    assert find(entropy, measured(value), measured(0.0)).outcome == outcome


@given(values, st.floats(-1, 0), st.floats(0, 1))
def test_without_a_reference_absolute_bounds_apply(value, lowest, highest):
    finding = find(band(lowest=lowest, highest=highest), measured(value), None)
    assert (finding.outcome == "inside") == (lowest <= value <= highest)


def test_bound_that_is_not_given_is_not_checked():
    assert find(band(lowest=0.0), measured(100.0), None).outcome == "inside"
    assert find(band(lowest=0.0), measured(-0.1), None).outcome == OVER


def test_model_like_the_retrained_one_passes():
    verdict = verdict_of(0.05)
    assert (verdict.verdict, verdict.level, verdict.decided_by) == ("passes", "E1", (NAMES[0],))
    assert verdict.policy == policy(band()).digest


def test_level_without_a_reference_is_behaviour_only():
    assert verdict_of(0.0, reference=None, bands=(band(lowest=-1.0, highest=1.0),)).level == "E0"


@pytest.mark.parametrize("candidate", [-0.2, 0.2])
@pytest.mark.parametrize("original", [0.0, 10.0])
def test_failure_stands_whatever_the_control_says(candidate, original):
    verdict = verdict_of(candidate, original=original)
    assert verdict.verdict == (UNDER if candidate > 0 else OVER)
    assert verdict.decided_by == (NAMES[0],)
    assert NAMES[0] in verdict.reason


def test_under_forgotten_outweighs_over_forgotten():
    bands = (band(NAMES[0]), band(NAMES[1]))
    verdict = judge(
        policy(*bands),
        "classes",
        measured(-1.0, 1.0),
        original=measured(9.0, 9.0),
        reference=measured(0.0, 0.0),
    )
    assert (verdict.verdict, verdict.decided_by) == (UNDER, (NAMES[1],))


def test_original_that_passes_makes_a_pass_inconclusive():
    verdict = verdict_of(0.0, original=0.0)
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", ())
    assert "nothing that could be forgotten was measurable" in verdict.reason


def test_original_that_only_looks_over_forgotten_is_no_control():
    assert verdict_of(0.0, original=-10.0).verdict == "inconclusive"


def test_original_that_was_not_measured_is_no_control():
    verdict = judge(policy(band()), "classes", measured(0.0), original=measured(), reference=measured(0.0))
    assert verdict.verdict == "inconclusive"
    assert "not shown to work" in verdict.reason


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("who", ["candidate", "reference"])
@given(below=st.floats(0, 1e300), above=st.floats(0, 1e300))
def test_number_that_is_not_finite_never_passes(broken, who, below, above):
    candidate, reference = (broken, 0.0) if who == "candidate" else (0.0, broken)
    verdict = verdict_of(candidate, reference=reference, bands=(band(below=below, above=above),))
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[0],))
    assert verdict.findings[0].outcome == "not_measured"


@pytest.mark.parametrize("reference", [None, 0.0])
def test_missing_measurement_never_passes(reference):
    bands = (band(NAMES[0], lowest=-1.0, highest=1.0), band(NAMES[1]))
    held = None if reference is None else measured(reference, reference)
    verdict = judge(policy(*bands), "classes", measured(0.0), original=measured(9.0, 9.0), reference=held)
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[1],))


def test_failure_stands_beside_a_missing_measurement():
    bands = (band(NAMES[0]), band(NAMES[1]))
    verdict = judge(
        policy(*bands), "classes", measured(1.0), original=measured(9.0, 9.0), reference=measured(0.0, 0.0)
    )
    assert verdict.verdict == UNDER


def test_scope_chooses_its_own_bands():
    verdict = judge(policy(band()), "samples", measured(0.0), original=measured(9.0), reference=measured(0.0))
    assert [finding.measurement for finding in verdict.findings] == ["never.measured"]


three = st.tuples(values, values, values)


@given(three, three, three, st.tuples(widths, widths, widths), st.tuples(widths, widths, widths))
def test_pass_means_every_finding_inside_and_an_original_outside(
    candidate, original, reference, below, above
):
    bands = tuple(band(*one) for one in zip(NAMES, below, above, strict=True))
    verdict = judge(
        policy(*bands),
        "classes",
        measured(*candidate),
        original=measured(*original),
        reference=measured(*reference),
    )
    inside = all(
        centre - low <= value <= centre + high
        for value, centre, low, high in zip(candidate, reference, below, above, strict=True)
    )
    telling = any(
        value > centre + high for value, centre, high in zip(original, reference, above, strict=True)
    )
    assert (verdict.verdict == "passes") == (inside and telling)
    assert (verdict.verdict in {UNDER, OVER}) == (not inside)


@given(three, three, widths, widths, widths)
def test_wider_band_never_turns_inside_into_outside(candidate, reference, below, above, more):
    narrow = [find(band(name, below, above), measured(*candidate), measured(*reference)) for name in NAMES]
    wide = [
        find(band(name, below + more, above + more), measured(*candidate), measured(*reference))
        for name in NAMES
    ]
    for before, after in zip(narrow, wide, strict=True):
        assert after.outcome in {before.outcome, "inside"}


inside_shares = st.tuples(*[st.floats(-0.9, 0.9)] * 3)


@given(three, inside_shares, st.floats(0.01, 1), widths)
def test_wider_band_never_turns_a_pass_into_a_failure(reference, shares, width, more):
    candidate = [centre + share * width for centre, share in zip(reference, shares, strict=True)]
    original = [centre + 1.1 * width for centre in reference]

    def verdict(reach):
        bands = tuple(band(name, reach, reach) for name in NAMES)
        judged = [measured(*numbers) for numbers in (candidate, original, reference)]
        return judge(policy(*bands), "classes", judged[0], original=judged[1], reference=judged[2]).verdict

    assert verdict(width) == "passes"
    assert verdict(width + more) in {"passes", "inconclusive"}


@given(three, three)
def test_original_itself_never_passes(original, reference):
    bands = tuple(band(name) for name in NAMES)
    verdict = judge(
        policy(*bands),
        "classes",
        measured(*original),
        original=measured(*original),
        reference=measured(*reference),
    )
    assert verdict.verdict != "passes"


@pytest.mark.parametrize("is_retrain", [False, True])
@pytest.mark.parametrize("when", ["retrain", "accept_with_note"])
@pytest.mark.parametrize(("candidate", "accepted"), [(0.0, True), (1.0, False), (-1.0, False)])
def test_pass_is_accepted_and_failure_never(candidate, accepted, when, is_retrain):
    rules = policy(band(), when_inconclusive=when)
    assert accept(rules, verdict_of(candidate), is_retrain=is_retrain)[0] == accepted


@pytest.mark.parametrize(
    ("when", "is_retrain", "accepted"),
    [
        ("retrain", False, False),
        ("retrain", True, True),
        ("accept_with_note", False, True),
        ("accept_with_note", True, True),
    ],
)
def test_policy_decides_on_what_could_not_be_shown(when, is_retrain, accepted):
    rules = policy(band(), when_inconclusive=when)
    taken, why = accept(rules, verdict_of(0.0, original=0.0), is_retrain=is_retrain)
    assert taken == accepted
    assert "nothing that could be forgotten was measurable" in why


@pytest.mark.parametrize("when", ["retrain", "accept_with_note"])
@pytest.mark.parametrize("is_retrain", [False, True])
def test_model_that_was_not_measured_is_never_accepted(when, is_retrain):
    taken, why = accept(policy(band(), when_inconclusive=when), verdict_of(math.nan), is_retrain=is_retrain)
    assert not taken
    assert NAMES[0] in why


def resting_on(samples, value):
    """An evaluation of two measurements, the second of which rests on so many samples."""
    return Evaluation(
        model="sha256:" + "0" * 64,
        seed=0,
        measurements=(
            Measurement(name=NAMES[0], value=value),
            Measurement(name=NAMES[2], value=value, samples=samples),
        ),
    )


@pytest.mark.parametrize(("samples", "judged"), [(29, False), (30, True), (31, True)])
def test_a_band_judges_only_what_rests_on_enough_samples(samples, judged):
    asking = Band.model_validate({**dict(band(NAMES[2])), "least_samples": 30})
    settings = policy(band(), asking)
    sides = {"original": resting_on(samples, 9.0), "reference": resting_on(samples, 0.0)}
    verdict = judge(settings, "classes", resting_on(samples, 0.0), **sides)
    assert (NAMES[2] in [finding.measurement for finding in verdict.findings]) is judged
    assert (f"too few samples: {NAMES[2]} ({samples})" in verdict.reason) is not judged


def test_a_policy_that_may_judge_nothing_is_refused():
    asking = Band.model_validate({**dict(band()), "least_samples": 30})
    with pytest.raises(ValueError, match="least_samples: 0"):
        policy(asking)
