"""Weight distances are reported as observed, with their floor beside them."""

from dataclasses import replace

from unlearn_core.conformance import subjects
from unlearn_core.metrics.weight_distance import WeightDistance
from unlearn_core.observations import WeightDistances


def values(weights):
    found = WeightDistance().measure(replace(subjects.ordinary(), weights=weights), seed=0)
    return {entry.name: entry.value for entry in found}


def test_layers_and_floor_stand_beside_the_whole():
    floor = WeightDistances(0.9, {"Head": 1.1})
    assert values(WeightDistances(0.5, {"Head": 0.4}, floor)) == {
        "weight_distance.whole": 0.5,
        "weight_distance.layer.head": 0.4,
        "weight_distance.floor.whole": 0.9,
        "weight_distance.floor.layer.head": 1.1,
    }


def test_without_a_second_reference_there_is_no_floor():
    assert set(values(WeightDistances(0.5, {}))) == {"weight_distance.whole"}


def test_layers_whose_names_differ_by_case_alone_are_kept_apart():
    found = values(WeightDistances(0.5, {"Head": 0.4, "head": 0.6, "Body": 0.1}))
    assert set(found) == {
        f"weight_distance.{name}" for name in ("whole", "layer.Head", "layer.head", "layer.body")
    }
