"""A coverage report against what moved."""

import copy

import pytest
import torch
from torch import nn

from unlearn_core.coverage import untruths, with_moved_buffers
from unlearn_core.freezing import all_frozen
from unlearn_core.importance import marked_coverage
from unlearn_core.layers import all_trained
from unlearn_core.methods.compositions.composition import merged
from unlearn_core.records.result import Coverage, CoverageSummary, ParameterCoverage


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def selected(count: int) -> Coverage:
    """Return the coverage of a method that edits so many elements of the first weight."""
    marks = {name: torch.zeros_like(value, dtype=torch.bool) for name, value in net().named_parameters()}
    marks["0.weight"].view(-1)[:count] = True
    return marked_coverage(net(), marks)


def moved(count: int = 0, *, statistics: bool = False) -> nn.Sequential:
    after = copy.deepcopy(net())
    after[0].weight.data.view(-1)[:count] += 1
    if statistics:
        after.train()(torch.randn(8, 4))
    return after


@pytest.mark.parametrize(
    ("said", "really", "wrong"), [(5, 5, 0), (5, 4, 0), (5, 6, 1), (0, 1, 1), (12, 12, 0)]
)
def test_more_elements_than_were_said_to_move_are_an_untruth(said: int, really: int, wrong: int) -> None:
    assert len(list(untruths(selected(said), before=net(), after=moved(really)))) == wrong


def test_a_buffer_that_moved_must_be_named_and_its_layer_is_not_frozen() -> None:
    after, frozen = moved(statistics=True), all_frozen(net(), "left alone")
    said = list(untruths(frozen, before=net(), after=after))
    assert [name for name in ("running_mean", "running_var", "tracked") if name in " ".join(said)] == [
        "running_mean",
        "running_var",
        "tracked",
    ]
    named = with_moved_buffers(frozen, before=net(), after=after)
    assert named.buffers == ("1.running_mean", "1.running_var", "1.num_batches_tracked")
    assert not list(untruths(named, before=net(), after=after))
    treated = {entry.parameter: (entry.treatment, entry.reason) for entry in named.parameters}
    assert treated["1.weight"] == ("trained", "left alone; the layer's buffers moved")
    assert treated["0.weight"] == ("frozen", "left alone")
    assert named.share("frozen") == pytest.approx(1)
    assert CoverageSummary.of(named).buffers == 3


def test_a_report_without_masks_and_moved_buffers_keeps_its_form() -> None:
    assert b'"frozen":' not in all_trained(net()).canonical()
    assert b"buffers" not in all_trained(net()).canonical()
    assert b"buffers" not in CoverageSummary.of(all_trained(net())).canonical()


@pytest.mark.parametrize(("first", "second", "still"), [(5, 3, 4), (5, 0, 7), (8, 8, 0)])
def test_steps_together_may_have_moved_what_each_did(first: int, second: int, still: int) -> None:
    entry: ParameterCoverage = merged({"a": selected(first), "b": selected(second)}).parameters[0]
    assert (entry.treatment, entry.frozen) == ("trained", still)
