"""Inner points are found in any net, and what is read there is what the layer computed."""

import copy

import pytest
import torch
import torchvision
from torch import nn
from world import same_weights

from unlearn_core.data import Samples
from unlearn_core.depths import FITTED_PER_CLASS, averaged, depth_samples, inner_points, look_inside
from unlearn_core.models import SmallResNet


def images(count=6, *, channels=3, size=32):
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(0))


def labelled(inputs):
    return Samples(inputs, torch.arange(len(inputs)) % 3)


class Tangled(nn.Module):
    """A head that is registered first, a layer that runs twice, one that never runs, and one of its own."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, 3)
        self.unused = nn.Linear(6, 6)
        self.own = nn.Parameter(torch.ones(6))
        self.first, self.twice = nn.Linear(4, 6), nn.Linear(6, 6)

    def forward(self, inputs):
        return self.head(self.twice(torch.tanh(self.twice(self.first(inputs) * self.own))))


@pytest.mark.parametrize(
    ("net", "inputs", "expected"),
    [
        (SmallResNet(3, 1), images(channels=1, size=8), ("block1.conv1", "block1.bn2", "block2.conv2")),
        (
            torchvision.models.resnet18(num_classes=3),
            images(),
            ("layer1.1.bn2", "layer2.1.bn2", "layer3.1.bn2"),
        ),
        (Tangled(), torch.randn(4, 4), ("first", "first", "twice")),
        (nn.Linear(4, 3), torch.randn(4, 4), ()),
    ],
    ids=["small_resnet", "resnet18", "tangled", "linear"],
)
def test_points_lie_a_quarter_half_and_three_quarters_of_the_way(net, inputs, expected):
    assert inner_points(net, inputs) == expected


def test_points_of_a_transformer_have_a_row_for_each_sample():
    net = torchvision.models.VisionTransformer(32, 8, 3, 2, 24, 48, num_classes=3).eval()
    points = inner_points(net, images())
    assert len(set(points)) == 3
    assert not any(point.startswith("heads") for point in points)
    found = look_inside(net, labelled(images()), labelled(images(4)), batch_size=3)
    assert {rows.shape for rows in found.fitted} <= {(6, 24), (6, 48)}
    assert {rows.shape for rows in found.judged} <= {(4, 24), (4, 48)}


def test_features_are_what_the_layer_gave_averaged_over_positions():
    net, inputs = SmallResNet(3, 1).eval(), images(channels=1, size=8)
    found = look_inside(net, labelled(inputs), labelled(inputs[:2]), batch_size=4)
    with torch.no_grad():
        block = net.block1
        first = block.conv1(torch.relu(net.bn(net.stem(inputs))))
        middle = block.bn2(block.conv2(torch.relu(block.bn1(first))))
    for rows, expected in zip(found.fitted, (first, middle), strict=False):
        by_hand = torch.stack([torch.stack([channel.mean() for channel in image]) for image in expected])
        assert rows.allclose(by_hand, atol=1e-5)
    assert found.judged[0].allclose(found.fitted[0][:2], atol=1e-5)
    assert found.judged_labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("layer", "shape", "kept"),
    [
        (nn.Conv2d(1, 7, 1), (2, 7, 3, 5), 1),
        (nn.Conv1d(1, 7, 1), (2, 7, 5), 1),
        (nn.BatchNorm1d(7), (2, 7, 5), 1),
        (nn.Linear(3, 7), (2, 5, 7), 2),
        (nn.LayerNorm(7), (2, 5, 4, 7), 3),
        (nn.LayerNorm(7), (2, 7, 4, 5), 1),
        (nn.Linear(3, 7), (2, 7), 1),
        (nn.Module(), (2, 5, 7), 2),
        (nn.Module(), (2, 7, 5, 3), 1),
    ],
)
def test_average_is_over_everything_but_samples_and_channels(layer, shape, kept):
    output = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    others = [axis for axis in range(1, len(shape)) if axis != kept]
    expected = output.mean(others) if others else output
    assert averaged(layer, output).allclose(expected, atol=1e-6)


def test_model_is_left_as_found():
    net = SmallResNet(3, 1)
    net.block1.eval()
    before, state = copy.deepcopy(net), torch.get_rng_state()
    look_inside(
        net, labelled(images(channels=1, size=8)), labelled(images(2, channels=1, size=8)), batch_size=4
    )
    assert same_weights(net, before)
    assert [module.training for module in net.modules()] == [module.training for module in before.modules()]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert torch.equal(torch.get_rng_state(), state)


def views(*, held_out):
    def rows(labels, start):
        labels = torch.tensor(labels).repeat_interleave(FITTED_PER_CLASS + 30)
        return Samples(start + torch.arange(len(labels))[:, None], labels)

    found = {("train", "retain"): rows([0, 1], 0), ("train", "forget"): rows([2], 1000)}
    if held_out:
        found |= {("audit", "forget"): rows([2], 2000), ("test", "forget"): rows([2], 3000)}
    return found


def test_probes_of_a_class_are_fitted_on_all_training_data_and_judged_on_held_out_samples():
    fitted, judged = depth_samples(views(held_out=True), seed=0)
    assert fitted.labels.bincount().tolist() == [FITTED_PER_CLASS] * 3
    assert int(fitted.inputs.max()) < 2000 <= int(judged.inputs.min())
    assert len(judged) == 2 * (FITTED_PER_CLASS + 30)
    again, other = (depth_samples(views(held_out=True), seed=seed)[0].inputs for seed in (0, 1))
    assert fitted.inputs.equal(again)
    assert not fitted.inputs.equal(other)


def test_probes_of_samples_are_fitted_on_retained_data_and_judged_on_the_samples():
    fitted, judged = depth_samples(views(held_out=False), seed=0)
    assert fitted.labels.bincount().tolist() == [FITTED_PER_CLASS] * 2
    assert int(judged.inputs.min()) == 1000
    assert len(judged) == FITTED_PER_CLASS + 30
