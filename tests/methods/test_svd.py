"""What is special to SVD class projection."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from aims import aim_within
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unlearn_core.data import Samples, concatenate
from unlearn_core.method import Materials, Tuning
from unlearn_core.methods import svd
from unlearn_core.methods.svd import Svd
from unlearn_core.progress import Step
from unlearn_core.tuning import stands_at
from unlearn_core.unlearning import unlearn


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 4))


def samples_of(labels: list[int], seed: int = 0) -> Samples:
    generator = torch.Generator().manual_seed(seed)
    return Samples(torch.randn(len(labels), 1, 4, 4, generator=generator), torch.tensor(labels))


def materials(*, tuned: bool) -> Materials:
    forget, retain = samples_of([1] * 20), samples_of([0] * 60 + [2] * 20 + [3] * 10, seed=1)
    return Materials("classes", (1,), forget, retain, tuning=Tuning(forget, retain) if tuned else None)


def test_without_tuning_data_the_published_pair_is_taken() -> None:
    found = unlearn(Svd(), net(), materials(tuned=False), seed=0).method
    assert isinstance(found, Svd)
    assert (found.alpha_r, found.alpha_f) == svd.PUBLISHED


@pytest.mark.parametrize("given", [{"alpha_r": 30.0}, {"alpha_f": 10.0}])
def test_only_the_alpha_that_is_not_given_is_searched(given: dict[str, Any]) -> None:
    steps: list[Step] = []
    found = unlearn(Svd(**given), net(), materials(tuned=True), seed=0, on_step=steps.append).method
    assert dict(found).items() >= given.items()
    assert 1 < sum(step.phase == "search" for step in steps) <= 5


def test_a_search_factors_the_retain_moment_once_for_each_alpha(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, steps = [], []
    original = torch.linalg.cholesky
    monkeypatch.setattr(torch.linalg, "cholesky", lambda matrix: calls.append(1) or original(matrix))
    unlearn(Svd(), net(), materials(tuned=True), seed=0, on_step=steps.append)
    layers, chosen = 2, 1
    tried = sum(step.phase == "search" for step in steps)
    assert len(calls) <= layers * (len(Svd().grid_r) + tried + chosen)


def test_no_pair_is_tried_twice() -> None:
    steps: list[Step] = []
    unlearn(Svd(), net(), materials(tuned=True), seed=0, on_step=steps.append)
    tried = [(step.values["alpha_r"], step.values["alpha_f"]) for step in steps if step.phase == "search"]
    assert len(set(tried)) == len(tried) > 1


def test_with_an_aim_the_pair_that_comes_nearest_is_taken() -> None:
    given = materials(tuned=True)
    there = unlearn(Svd(alpha_r=300.0, alpha_f=3.0), net(), materials(tuned=False), seed=0).model
    tuning = given.tuning
    assert tuning is not None
    stands = stands_at(there, tuning.forget, tuning.retain)
    aim = aim_within(stands, "confidence.true_class.train.forget", 0.01, below_means="over_forgotten")
    aimed = replace(tuning, aim=aim)
    steps: list[Step] = []
    found = unlearn(Svd(), net(), replace(given, tuning=aimed), seed=0, on_step=steps.append).method
    assert isinstance(found, Svd)
    tried = [step.values for step in steps if step.phase == "search"]
    nearest = min(tried, key=lambda values: values["distance"])
    assert (found.alpha_r, found.alpha_f) == (nearest["alpha_r"], nearest["alpha_f"])
    assert len({values["distance"] for values in tried}) > 1
    farther = unlearn(Svd(), net(), given, seed=0).method
    assert farther != found


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=3, max_size=3), st.data())
def test_a_climb_ends_where_no_neighbour_is_better(grid: list[list[int]], data: st.DataObject) -> None:
    start = data.draw(st.tuples(st.integers(0, 2), st.integers(0, 3)))
    row, column = svd.climb(lambda place: grid[place[0]][place[1]], start, (3, 4))
    beside = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    neighbours = [grid[i][j] for i, j in beside if 0 <= i < 3 and 0 <= j < 4]
    assert grid[row][column] >= max([*neighbours, grid[start[0]][start[1]]])


@given(st.integers(0, 4), st.integers(0, 4), st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_a_climb_finds_the_only_summit(row: int, column: int, start: tuple[int, int]) -> None:
    def height(place: tuple[int, int]) -> float:
        return 10 - abs(place[0] - row) - abs(place[1] - column)

    assert svd.climb(height, start, (5, 5)) == (row, column)


def test_a_climb_leaves_a_plain_where_nothing_is_forgotten() -> None:
    assert svd.climb(lambda place: float(place == (1, 4)), (1, 0), (3, 5)) == (1, 4)


def test_the_retain_samples_are_balanced_over_all_retained_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Samples] = []
    original = svd.collect
    monkeypatch.setattr(
        svd,
        "collect",
        lambda model, samples, **rest: looked_at.append(samples) or original(model, samples, **rest),
    )
    unlearn(Svd(retain_samples=30), net(), materials(tuned=False), seed=0)
    labels = concatenate(*looked_at).labels
    assert torch.bincount(labels).tolist() == [10, 20, 10, 10]
