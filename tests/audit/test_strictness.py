"""A policy that asks for less than another one is found out, setting by setting and band by band."""

from typing import Any

import pytest

from unlearn_core.audit.strictness import weaker
from unlearn_core.records.policy import Band, DriftBudget, Ladder, Policy

LADDER = Ladder(classes=("svd",), samples=("pgu",))


def band(name: str = "accuracy", **changes: Any) -> Band:
    told = {"below": 0.1, "above": 0.1, "below_means": "over_forgotten", "above_means": "under_forgotten"}
    return Band(measurement=name, **{**told, "lowest": 0.0, "highest": 0.2, **changes})


def policy(*bands: Band, **settings: Any) -> Policy:
    told = {"references": 5, "shadows": 64, "drift": DriftBudget(max_requests=20), **settings}
    return Policy(ladder=LADDER, classes=bands or (band(),), samples=(band(),), **told)


def test_a_policy_is_not_weaker_than_itself():
    assert weaker(policy(), policy(), "classes") == weaker(policy(), policy(), "samples") == ()


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"reference": "none"}, "reference is none, not build"),
        ({"references": 1}, "references is 1, not 5"),
        ({"shadows": 0}, "shadows is 0, not 64"),
        ({"alpha": 0.2}, "alpha is 0.2, not 0.05"),
        ({"when_inconclusive": "accept_with_note"}, "when_inconclusive is accept_with_note, not retrain"),
        ({"max_unsupported_share": 0.5}, "max_unsupported_share is 0.5, not 0.05"),
        ({"drift": DriftBudget()}, "drift.max_requests is absent, not 20"),
        ({"drift": DriftBudget(max_requests=99)}, "drift.max_requests is 99, not 20"),
    ],
)
def test_a_setting_that_asks_for_less_is_named(settings: dict[str, Any], found: str):
    assert weaker(policy(**settings), policy(), "classes") == (found,)
    assert weaker(policy(), policy(**settings), "classes") == ()


def test_what_a_calibration_falls_back_to_is_held_against_what_is_asked_for():
    by = {"reference": "calibrated", "calibration": "sha256:" + "0" * 64}
    found = weaker(policy(**by, otherwise="none"), policy(), "classes")
    assert found == ("reference is calibrated, not build", "otherwise is none, not build")
    assert weaker(policy(**by, otherwise="none"), policy(**by), "classes") == found[1:]
    assert weaker(policy(**by), policy(**by), "classes") == ()


@pytest.mark.parametrize(
    ("own", "found"),
    [
        (band("another"), "accuracy has no band (behaves)"),
        (band(above=5.0), "accuracy: above is 5, not 0.1"),
        (band(below=5.0, lowest=-1.0), "accuracy: below is 5, not 0.1, lowest is -1, not 0"),
        (band(highest=None), "accuracy: highest is absent, not 0.2"),
        (band(least_samples=10), "accuracy: least_samples is 10, not 0"),
    ],
)
def test_a_wider_or_a_missing_band_is_named(own: Band, found: str):
    always = band("always")
    assert weaker(policy(own, always), policy(band(), always), "classes") == (found,)


def test_a_band_of_the_other_claim_does_not_count():
    less = policy(band("removal"), band())
    assert weaker(less, policy(band("removal", claim="removed"), band()), "classes") == (
        "removal has no band (removed)",
    )
