"""Which methods are tried, in which order, and what is said of the others."""

from typing import ClassVar

import pytest

from unlearn_core.errors import ConfigurationError
from unlearn_core.method import Method, Need
from unlearn_core.routing import obstacle, only_last_resort, route


class Plain(Method):
    """Serves everything and needs nothing."""

    needs: ClassVar = frozenset()
    scopes: ClassVar = frozenset({"classes", "samples"})


class ClassesOnly(Plain):
    scopes: ClassVar = frozenset({"classes"})


class Hungry(Plain):
    needs: ClassVar = frozenset({Need.MOMENTS, Need.FORGET})


METHODS = (
    Plain(name="retrain"),
    Plain(name="plain"),
    ClassesOnly(name="projection"),
    Hungry(name="hungry"),
)


def routed(*ladder, scope="samples", available=frozenset(Need), methods=METHODS):
    return route(ladder, methods, scope=scope, available=available)


def names(found):
    return [method.name for method in found.methods]


def reasons(found):
    return {entry.method: entry.why for entry in found.left_out}


def test_methods_are_tried_in_the_order_of_the_ladder():
    assert names(routed("hungry", "plain")) == ["hungry", "plain", "retrain"]


@pytest.mark.parametrize("ladder", [(), ("plain",), ("retrain", "plain"), ("plain", "retrain", "plain")])
def test_retraining_closes_every_ladder_once(ladder):
    found = names(routed(*ladder))
    assert found[-1] == "retrain"
    assert len(found) == len(set(found))


def test_a_method_for_other_scopes_is_left_out_with_the_reason():
    found = routed("projection")
    assert names(found) == ["retrain"]
    assert reasons(found)["projection"] == "forgets classes, not samples"


def test_a_method_whose_need_is_not_at_hand_is_left_out_with_the_reason():
    found = routed("hungry", available=frozenset({Need.FORGET}))
    assert reasons(found)["hungry"] == "needs moments, which is not at hand"


def test_a_method_off_the_ladder_is_left_out_with_the_reason():
    assert reasons(routed("plain")) == {
        "projection": "not on the policy's ladder",
        "hungry": "not on the policy's ladder",
    }


@pytest.mark.parametrize("scope", ["classes", "samples"])
@pytest.mark.parametrize("available", [frozenset(), frozenset(Need)])
def test_every_method_is_tried_or_left_out(scope, available):
    found = routed("projection", "hungry", scope=scope, available=available)
    assert sorted([*names(found), *reasons(found)]) == sorted(method.name for method in METHODS)


def test_a_ladder_that_names_what_is_not_configured_is_refused_with_both_names():
    with pytest.raises(ConfigurationError, match="names scrubb; configured are retrain, plain"):
        routed("scrubb")


def test_a_project_without_retraining_is_refused():
    with pytest.raises(ConfigurationError, match="the ladder names retrain"):
        routed("plain", methods=METHODS[1:])


def test_the_last_resort_alone_keeps_the_other_reasons():
    found = only_last_resort(routed("plain", "projection"), "nothing to measure")
    assert names(found) == ["retrain"]
    assert reasons(found) == {
        "plain": "nothing to measure",
        "projection": "forgets classes, not samples",
        "hungry": "not on the policy's ladder",
    }


def test_a_method_that_can_serve_has_no_obstacle():
    assert obstacle(METHODS[3], scope="classes", available=frozenset(Need)) is None
