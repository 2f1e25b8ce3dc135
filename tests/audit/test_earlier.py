"""What earlier requests were promised: the rule, and what a certificate says of it."""

import copy
from typing import Any

import pytest
from test_certificate import changed, policy, statement, with_policy

from unlearn_core.audit.certificate import check
from unlearn_core.audit.earlier import Earlier, relapses
from unlearn_core.errors import EvidenceError
from unlearn_core.records.earlier import EarlierRequest, Knowledge

BAND = 0.1


def known(accuracy: float, confidence: float, rows: int = 9) -> Knowledge:
    return Knowledge(rows=rows, accuracy=accuracy, confidence=confidence)


REQUESTS = (
    EarlierRequest(request="c-1", kind="classes", classes=(1,)),
    EarlierRequest(request="p-1", kind="subjects"),
)


@pytest.mark.parametrize(
    ("mine", "outcome"),
    [
        ((0.12, 0.12), "still_forgotten"),
        ((0.13, 0.0), "relapsed"),
        ((0.0, 0.13), "relapsed"),
        ((0.0, 0.0), "still_forgotten"),
    ],
)
def test_a_class_relapses_above_the_mean_of_the_retrained_models(
    mine: tuple[float, float], outcome: str
) -> None:
    retrained = ({"c-1": known(0.0, 0.0)}, {"c-1": known(0.05, 0.05)})
    # What the parent knows does not matter where there is a retrained model.
    earlier = Earlier(REQUESTS[:1], {"c-1": known(1.0, 1.0)}, retrained)
    (asked,) = earlier.ask({"c-1": known(*mine)}, band=BAND)
    assert asked.outcome == outcome
    assert (relapses((asked,), band=BAND) is None) == (outcome != "relapsed")


@pytest.mark.parametrize(("mine", "outcome"), [(0.3, "still_forgotten"), (0.31, "relapsed")])
def test_without_a_retrained_model_the_parent_is_the_measure(mine: float, outcome: str) -> None:
    (asked,) = Earlier(REQUESTS[:1], {"c-1": known(0.2, 0.2)}).ask({"c-1": known(mine, 0.0)}, band=BAND)
    assert asked.outcome == outcome


def test_what_cannot_be_asked_any_more_has_a_reason() -> None:
    asked = Earlier(REQUESTS).ask({}, band=BAND)
    assert [one.outcome for one in asked] == ["not_asked", "not_asked"]
    assert [one.in_words for one in asked] == [
        "not asked: no held-out row of its classes is left",
        "not asked: nothing of the person is kept to ask with",
    ]
    assert relapses(asked, band=BAND) is None


def certified(**changes: Any) -> Any:
    """Return the statement of a model that was asked again for a class and for a person."""
    earlier = Earlier(REQUESTS, {"c-1": known(0.0, 0.0)}, ({"c-1": known(0.0, 0.02)},))
    asked = [one.model_dump(mode="json") for one in earlier.ask({"c-1": known(0.05, 0.1)}, band=BAND)]
    asked[0] |= copy.deepcopy(changes)
    return changed("predicate.earlier", asked, with_policy())


def test_a_certificate_that_keeps_earlier_promises_agrees_with_itself() -> None:
    check(certified())


def test_without_earlier_requests_a_certificate_does_not_mention_them() -> None:
    assert b"earlier" not in statement().canonical()
    assert b"relapse" not in policy().canonical()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"candidate": {"rows": 9, "accuracy": 0.71, "confidence": 0.1}},
            "c-1 is called still_forgotten; its numbers make it relapsed",
        ),
        (
            {"candidate": {"rows": 9, "accuracy": 0.71, "confidence": 0.1}, "outcome": "relapsed"},
            "c-1 is back",
        ),
        (
            {"candidate": {"rows": 8, "accuracy": 0.0, "confidence": 0.0}},
            "c-1 was asked of each model with other rows",
        ),
        ({"candidate": None}, "c-1 was not asked of every model"),
        ({"retrained": []}, "c-1 was not asked of every model"),
        ({"outcome": "not_asked"}, "c-1 was not asked, so it has a reason and no numbers"),
        ({"request": "p-1"}, "p-1 is listed 2 times"),
        ({"request": "erase-2025-03"}, "erase-2025-03 is listed 2 times"),
    ],
)
def test_each_contradiction_about_earlier_requests_is_found(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(EvidenceError, match=f"earlier: {problem}"):
        check(certified(**changes))


def test_earlier_requests_need_a_policy_to_judge_by() -> None:
    earlier = certified().predicate.model_dump(mode="json")["earlier"]
    with pytest.raises(EvidenceError, match="there is no policy to judge c-1 by"):
        check(changed("predicate.earlier", earlier))
