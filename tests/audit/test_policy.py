"""The gate, by its properties: two-sided, never generous, and useless gates say so."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import t, ttest_1samp

from unlearn_core.audit.acceptance import accept, unmeasurable
from unlearn_core.audit.bands import find
from unlearn_core.audit.policy import judge
from unlearn_core.records.evaluation import Evaluation, Measurement, Unmeasured
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


def found(one, candidate, *references):
    """What one band says of one model."""
    (finding,) = find((one,), candidate, references, alpha=0.05)
    return finding


def verdict_of(candidate, *, original=10.0, reference=0.0, bands=None):
    return judge(
        policy(*(bands or (band(),))),
        "classes",
        measured(candidate),
        original=measured(original),
        references=() if reference is None else (measured(reference),),
    )


@given(values, values, widths, widths)
def test_finding_is_inside_exactly_within_the_band(value, centre, below, above):
    finding = found(band(below=below, above=above), measured(value), measured(centre))
    assert (finding.outcome == "inside") == (centre - below <= value <= centre + above)
    assert (finding.lowest, finding.highest) == (centre - below, centre + above)


@pytest.mark.parametrize(
    ("value", "outcome"), [(-0.2, OVER), (-0.1, "inside"), (0.1, "inside"), (0.2, UNDER)]
)
def test_each_side_fails_by_its_own_name(value, outcome):
    assert found(band(), measured(value), measured(0.0)).outcome == outcome


@pytest.mark.parametrize(("value", "outcome"), [(-0.2, UNDER), (0.2, OVER)])
def test_band_says_what_lying_outside_means(value, outcome):
    entropy = band(below_means=UNDER, above_means=OVER)
    assert found(entropy, measured(value), measured(0.0)).outcome == outcome


@given(values, st.floats(-1, 0), st.floats(0, 1))
def test_without_a_reference_absolute_bounds_apply(value, lowest, highest):
    finding = found(band(lowest=lowest, highest=highest), measured(value))
    assert (finding.outcome == "inside") == (lowest <= value <= highest)


def test_bound_that_is_not_given_is_not_checked():
    assert found(band(lowest=0.0), measured(100.0)).outcome == "inside"
    assert found(band(lowest=0.0), measured(-0.1)).outcome == OVER


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
        references=(measured(0.0, 0.0),),
    )
    assert (verdict.verdict, verdict.decided_by) == (UNDER, (NAMES[1],))


def test_original_that_passes_makes_a_pass_inconclusive():
    verdict = verdict_of(0.0, original=0.0)
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", ())
    assert "nothing that could be forgotten was measurable" in verdict.reason


def test_original_that_only_looks_over_forgotten_is_no_control():
    assert verdict_of(0.0, original=-10.0).verdict == "inconclusive"


def test_original_that_was_not_measured_is_no_control():
    verdict = judge(
        policy(band()), "classes", measured(0.0), original=measured(), references=(measured(0.0),)
    )
    assert verdict.verdict == "inconclusive"
    assert "not shown to work" in verdict.reason


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("who", ["candidate", "reference"])
@given(below=st.floats(0, 1e100), above=st.floats(0, 1e100))
def test_number_that_is_not_finite_never_passes(broken, who, below, above):
    candidate, reference = (broken, 0.0) if who == "candidate" else (0.0, broken)
    verdict = verdict_of(candidate, reference=reference, bands=(band(below=below, above=above),))
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[0],))
    assert verdict.findings[0].outcome == "not_measured"


@pytest.mark.parametrize("reference", [None, 0.0])
def test_missing_measurement_never_passes(reference):
    bands = (band(NAMES[0], lowest=-1.0, highest=1.0), band(NAMES[1]))
    held = () if reference is None else (measured(reference, reference),)
    verdict = judge(policy(*bands), "classes", measured(0.0), original=measured(9.0, 9.0), references=held)
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[1],))


def test_failure_stands_beside_a_missing_measurement():
    bands = (band(NAMES[0]), band(NAMES[1]))
    verdict = judge(
        policy(*bands),
        "classes",
        measured(1.0),
        original=measured(9.0, 9.0),
        references=(measured(0.0, 0.0),),
    )
    assert verdict.verdict == UNDER


def test_scope_chooses_its_own_bands():
    verdict = judge(
        policy(band()), "samples", measured(0.0), original=measured(9.0), references=(measured(0.0),)
    )
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
        references=(measured(*reference),),
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
    narrow = [found(band(name, below, above), measured(*candidate), measured(*reference)) for name in NAMES]
    wide = [
        found(band(name, below + more, above + more), measured(*candidate), measured(*reference))
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
        return judge(policy(*bands), "classes", judged[0], original=judged[1], references=judged[2:]).verdict

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
        references=(measured(*reference),),
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
    sides = {"original": resting_on(samples, 9.0), "references": (resting_on(samples, 0.0),)}
    verdict = judge(settings, "classes", resting_on(samples, 0.0), **sides)
    assert (NAMES[2] in [finding.measurement for finding in verdict.findings]) is judged
    assert (f"too few samples: {NAMES[2]} ({samples})" in verdict.reason) is not judged


def test_a_policy_that_may_judge_nothing_is_refused():
    asking = Band.model_validate({**dict(band()), "least_samples": 30})
    with pytest.raises(ValueError, match="least_samples: 0"):
        policy(asking)


def spread_around(middle, step=0.1, count=5):
    """Retrained models whose values lie evenly around a middle."""
    return tuple(measured(middle + step * (number - (count - 1) / 2)) for number in range(count))


def test_inside_is_what_two_one_sided_t_tests_say():
    references = spread_around(1.0)
    values = [entry.measurements[0].value for entry in references]
    for value in np.linspace(-1, 3, 81):
        (finding,) = find((band(below=1.0, above=0.5),), measured(value), references, alpha=0.05)
        lower = ttest_1samp(values, value + 1.0, alternative="less").pvalue
        upper = ttest_1samp(values, value - 0.5, alternative="greater").pvalue
        assert (finding.outcome == "inside") == (max(lower, upper) <= 0.05)


def test_a_value_that_is_neither_shown_inside_nor_outside_is_undecided():
    verdict = judge(
        policy(band(below=0.2, above=0.2)),
        "classes",
        measured(0.2),
        original=measured(10.0),
        references=spread_around(0.0),
    )
    assert (verdict.verdict, verdict.level, verdict.decided_by) == ("inconclusive", "E2", (NAMES[0],))
    assert "policy.references" in verdict.reason


def test_with_fewer_than_five_retrained_models_values_are_compared_as_they_are():
    (finding,) = find((band(below=0.2, above=0.2),), measured(0.2), spread_around(0.0, count=4), alpha=0.05)
    assert (finding.outcome, finding.lowest, finding.highest) == ("inside", -0.2, 0.2)


@given(st.lists(values, min_size=5, max_size=12), values, st.floats(0.01, 1))
def test_nothing_is_both_inside_and_outside_and_the_bounds_say_which(centres, value, width):
    references = tuple(map(measured, centres))
    (finding,) = find((band(below=width, above=width),), measured(value), references, alpha=0.05)
    assert (finding.outcome == "inside") == (finding.lowest <= value <= finding.highest)
    if finding.outcome in {UNDER, OVER}:
        assert abs(value - np.mean(centres)) > width


def test_more_bands_ask_for_more_to_call_one_of_them_failed():
    references = spread_around(0.0)
    excess = 0.1 * np.sqrt(0.5) * t.ppf(0.96, 4)  # of a standard error: p = 0.04 one-sided
    alone = find((band(),), measured(0.1 + excess), references, alpha=0.1)
    with_others = find(
        tuple(band(name) for name in NAMES),
        measured(0.1 + excess, 0.0, 0.0),
        tuple(measured(*[entry.measurements[0].value] * 3) for entry in references),
        alpha=0.1,
    )
    assert alone[0].outcome == UNDER
    assert with_others[0].outcome == "undecided"


@pytest.mark.parametrize(("is_retrain", "accepted"), [(True, True), (False, False)])
@pytest.mark.parametrize("when", ["retrain", "accept_with_note"])
def test_what_is_undecided_is_accepted_of_a_retrained_model_only(when, is_retrain, accepted):
    stated = policy(band(below=0.2, above=0.2), when_inconclusive=when)
    verdict = judge(stated, "classes", measured(0.2), original=measured(10.0), references=spread_around(0.0))
    assert accept(stated, verdict, is_retrain=is_retrain)[0] == accepted


def test_level_counts_the_shadows_behind_the_candidates_measurements():
    attacked = Evaluation.model_construct(
        model="sha256:" + "0" * 64,
        seed=0,
        measurements=(*measured(0.0).measurements, Measurement(name="ulira.shadows", value=64.0)),
    )
    verdict = judge(
        policy(band()), "classes", attacked, original=measured(9.0), references=spread_around(0.0, 0.01)
    )
    assert verdict.level == "E3"


def test_canaries_have_bands_of_their_own_beside_those_of_samples():
    planted = policy(band()).model_copy(update={"canaries": (band("canary.auc", lowest=0.4, highest=0.6),)})
    for names, expected in ((("never.measured", "canary.auc"), 2), (("never.measured",), 1)):
        candidate = measured(0.0, 0.5, names=names)
        verdict = judge(planted, "samples", candidate, original=candidate, references=())
        assert len(verdict.findings) == expected
    assert len(judge(planted, "classes", measured(0.0), original=measured(9.0), references=()).findings) == 1


@pytest.mark.parametrize("pairs", [1, 4])
def test_so_few_shadows_that_no_attack_can_be_fitted_are_refused(pairs):
    with pytest.raises(ValidationError, match="at least 5 pairs"):
        Policy(**{**dict(policy(band())), "shadows": pairs})


def test_two_bands_on_one_measurement_are_two_findings():
    wide, narrow = find((band(above=5.0), band(above=0.1)), measured(1.0), (measured(0.0),), alpha=0.05)
    assert (wide.outcome, narrow.outcome) == ("inside", UNDER)


def removed(**settings):
    return band(NAMES[1], **settings).model_copy(update={"claim": "removed"})


@given(values, values, values, values)
def test_each_claim_is_judged_by_its_own_bands_as_if_there_were_no_others(mine, inner, before, inner_before):
    bands = (band(), removed())
    both = judge(
        policy(*bands),
        "classes",
        measured(mine, inner),
        original=measured(before, inner_before),
        references=(measured(0, 0),),
    )
    for claim, one in zip(("behaves", "removed"), bands, strict=True):
        alone = judge(
            policy(one.model_copy(update={"claim": "behaves"})),
            "classes",
            measured(mine, inner),
            original=measured(before, inner_before),
            references=(measured(0, 0),),
        )
        told = both.claims[claim]
        assert (told.verdict, told.decided_by, told.reason) == (alone.verdict, alone.decided_by, alone.reason)


@pytest.mark.parametrize(
    ("behaviour", "inner", "is_retrain", "asked", "accepted"),
    [
        (0, 0, False, "accept_with_note", True),
        (0, 1, False, "accept_with_note", True),
        (0, 1, False, "retrain", False),
        (0, 1, True, "retrain", True),
        (1, 0, False, "accept_with_note", False),
        (1, 0, True, "accept_with_note", False),
    ],
)
def test_what_is_accepted_of_two_claims(behaviour, inner, is_retrain, asked, accepted):
    agreed = policy(band(), removed()).model_copy(update={"when_not_removed": asked})
    references = (measured(0, 0),)
    verdict = judge(
        agreed, "classes", measured(behaviour, inner), original=measured(9, 9), references=references
    )
    assert accept(agreed, verdict, is_retrain=is_retrain)[0] == accepted


def test_bands_of_the_second_claim_alone_judge_nothing():
    with pytest.raises(ValidationError, match="at least one band of the claim `behaves`"):
        policy(removed())


def test_a_policy_of_one_claim_has_the_digest_that_it_always_had():
    assert "claim" not in policy(band()).canonical().decode()
    assert "when_not_removed" not in policy(band()).canonical().decode()


def silent_about(evaluation, name):
    return evaluation.model_copy(update={"unmeasured": (Unmeasured(name=name, reason="it is silent"),)})


def test_a_measurement_that_can_say_nothing_of_any_model_is_not_judged():
    bands = (band(NAMES[0]), band(NAMES[1]))
    one, other, third = (silent_about(measured(number), NAMES[1]) for number in (0.0, 9.0, 0.0))
    verdict = judge(policy(*bands), "classes", one, original=other, references=(third,))
    assert (verdict.verdict, [finding.measurement for finding in verdict.findings]) == ("passes", [NAMES[0]])
    assert f"Not judged: {NAMES[1]}, since it is silent." in verdict.reason


@pytest.mark.parametrize("who", ["original", "reference"])
def test_what_was_measured_on_another_model_must_be_measured_on_the_candidate(who):
    bands = (band(NAMES[0]), band(NAMES[1]))
    candidate = silent_about(measured(0.0), NAMES[1])
    original = measured(9.0, 9.0) if who == "original" else silent_about(measured(9.0), NAMES[1])
    reference = measured(0.0, 0.0) if who == "reference" else silent_about(measured(0.0), NAMES[1])
    verdict = judge(policy(*bands), "classes", candidate, original=original, references=(reference,))
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[1],))


def lacking(value, *, reason="nobody held one out"):
    """An evaluation of the first name, with no sample to take the third on."""
    known = (Measurement(name=NAMES[0], value=value),)
    missing = (Unmeasured(name="mia", reason=reason, lacking=True),)
    return Evaluation(model="sha256:" + "0" * 64, seed=0, measurements=known, unmeasured=missing)


def judged_lacking(value):
    asked = policy(band(), band(NAMES[2]), when_inconclusive="accept_with_note")
    return asked, judge(asked, "classes", lacking(value), original=lacking(9.0), references=(lacking(0.0),))


def test_what_there_is_no_sample_for_is_not_measured_and_leaves_the_verdict_open():
    _, verdict = judged_lacking(0.0)
    assert (verdict.verdict, verdict.decided_by) == ("inconclusive", (NAMES[2],))
    assert verdict.findings[1].lacking == "nobody held one out"
    assert verdict.reason == f"Not measured: {NAMES[2]}, since nobody held one out."


def test_a_model_known_to_be_outside_a_band_fails_whatever_there_is_no_sample_for():
    assert judged_lacking(1.0)[1].verdict == UNDER


@pytest.mark.parametrize("is_retrain", [False, True])
def test_where_there_is_no_sample_to_look_at_only_a_retrained_model_is_accepted(is_retrain):
    taken, why = accept(*judged_lacking(0.0), is_retrain=is_retrain)
    assert taken is is_retrain
    assert "nobody held one out" in why


def test_a_measurement_that_nobody_took_is_told_from_one_without_a_sample():
    asked = policy(band(), band("never.taken"), band(NAMES[2]))
    verdict = judge(asked, "classes", lacking(0.0), original=lacking(9.0), references=(lacking(0.0),))
    assert verdict.reason.startswith("Not measured, or not a finite number: never.taken. Not measured: mia")
    assert accept(asked, verdict, is_retrain=True)[0] is False


def test_the_original_tells_before_any_method_is_tried_that_none_can_be_shown_to_have_forgotten():
    asked, _ = judged_lacking(0.0)
    control = judge(asked, "classes", lacking(9.0), original=lacking(9.0), references=(lacking(0.0),))
    assert "nobody held one out" in unmeasurable(control)
    assert unmeasurable(verdict_of(0.0, original=9.0)) is None
