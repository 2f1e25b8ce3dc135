"""Nets by name, with seeded weights and errors that say what there is."""

import pytest
import torch
from torch import nn
from world import ARCHITECTURE, same_weights

from unlearn_core.errors import ConfigurationError
from unlearn_core.models import build, build_seeded
from unlearn_core.records.artifact import Architecture


def named(name, shape=(1, 8, 8)):
    return Architecture(name=name, classes=("a", "b", "c"), input_shape=shape)


def make_net(*, classes, input_shape):
    """Stands for a net of a user's own."""
    channels, height, width = input_shape
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, classes))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("small_resnet", (1, 8, 8)),
        ("small_resnet", (3, 9, 12)),
        ("torchvision:squeezenet1_1", (3, 32, 32)),
        ("test_models:make_net", (2, 4, 5)),
    ],
)
def test_a_net_takes_its_inputs_and_gives_one_logit_per_class(name, shape):
    net = build(named(name, shape)).eval()
    assert net(torch.zeros(2, *shape)).shape == (2, 3)


def test_the_small_net_is_small():
    assert sum(p.numel() for p in build(ARCHITECTURE).parameters()) < 120_000


def test_a_seed_gives_the_weights():
    first, again, other = (build_seeded(ARCHITECTURE, seed) for seed in (1, 1, 2))
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_building_seeded_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    build_seeded(ARCHITECTURE, 1)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet", "no net 'resnet'; use small_resnet, torchvision:NAME or module:factory"),
        ("torchvision:resnet", "no net 'resnet'; it has .*resnet18"),
        ("no_such_module:make_net", "module 'no_such_module'"),
        ("test_models:no_such_factory", "cannot find 'no_such_factory' in module 'test_models'"),
    ],
)
def test_an_unknown_net_is_named_beside_what_there_is(name, said):
    with pytest.raises(ConfigurationError, match=said):
        build(named(name))
