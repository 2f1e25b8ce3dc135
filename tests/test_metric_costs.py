"""What is promised of an evaluation's cost: held by the committed measurements."""

import json

import pytest
from benchmarks_page import OBSERVATIONS, RESULTS

from unlearn_core.metrics import DEFAULT

MEASURED = json.loads((RESULTS / "metric_costs.json").read_text())["data"]


@pytest.mark.parametrize(("data", "seconds"), [("digits", 15), ("cifar10", 240)])
def test_one_model_is_evaluated_within_what_is_promised(data: str, seconds: float) -> None:
    assert MEASURED[data]["threads"] <= 2
    assert max(MEASURED[data]["whole"], MEASURED[data]["seconds"]) <= seconds


@pytest.mark.parametrize("data", MEASURED)
def test_every_observation_and_every_metric_has_its_cost(data: str) -> None:
    names = [part["name"] for part in MEASURED[data]["parts"]]
    assert names == [*OBSERVATIONS, *(metric.name for metric in DEFAULT)]


@pytest.mark.parametrize("data", MEASURED)
def test_shares_are_of_the_sum_of_the_parts(data: str) -> None:
    parts, total = MEASURED[data]["parts"], MEASURED[data]["seconds"]
    assert sum(part["share"] for part in parts) == pytest.approx(1)
    assert sum(part["seconds"] for part in parts) == pytest.approx(total)


@pytest.mark.parametrize("data", MEASURED)
def test_the_parts_are_all_that_an_evaluation_does(data: str) -> None:
    assert MEASURED[data]["seconds"] == pytest.approx(MEASURED[data]["whole"], rel=0.25)
