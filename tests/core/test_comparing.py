"""Weight distances are relative, by layer, and have their floor."""

import copy

import pytest
import torch
from torch import nn

from unlearn_core.comparing import weight_distances


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def scaled(model, by, *, layer=None):
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in (changed if layer is None else changed[layer]).parameters():
            parameter.mul_(by)
    return changed


def test_model_half_as_large_again_is_half_away(net):
    found = weight_distances(scaled(net, 1.5), net)
    assert found.whole == pytest.approx(0.5)
    assert found.layers == {"0": pytest.approx(0.5), "2": pytest.approx(0.5)}
    assert found.floor is None


def test_only_the_layer_that_moved_is_away(net):
    found = weight_distances(scaled(net, 3, layer=2), net)
    assert found.layers == {"0": 0, "2": pytest.approx(2)}


def test_distance_is_relative_to_the_other_model(net):
    assert weight_distances(net, scaled(net, 2)).whole == pytest.approx(0.5)


def test_floor_is_the_others_distance_from_the_second(net):
    found = weight_distances(net, scaled(net, 2), second=scaled(net, 4))
    assert found.floor == weight_distances(scaled(net, 2), scaled(net, 4))


def test_layer_does_not_answer_for_the_layers_inside_it(net):
    """As in a transformer, whose encoder holds a table of positions and all blocks besides."""
    net.register_parameter("positions", nn.Parameter(torch.ones(2, 4)))
    holder = nn.Sequential(net)
    found = weight_distances(scaled(holder, 3, layer=0), holder).layers
    assert found == dict.fromkeys(("0", "0.0", "0.2"), pytest.approx(2))
    with torch.no_grad():
        (moved := copy.deepcopy(holder))[0][2].weight.mul_(3)
    assert weight_distances(moved, holder).layers["0"] == 0
