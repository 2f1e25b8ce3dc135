"""What is special to repair: new statistics, and as few epochs as the tuning data asks for."""

from dataclasses import replace

import pytest
import torch
from aims import aim_within
from torch import nn
from world import ARCHITECTURE, accuracy, blobs, same_weights

from unlearn_core.data import Samples
from unlearn_core.errors import ModelError
from unlearn_core.method import Materials, Origin, Tuning
from unlearn_core.methods.repair import Repair
from unlearn_core.models import build, build_seeded
from unlearn_core.records.artifact import Recipe
from unlearn_core.running_statistics import take_statistics_anew
from unlearn_core.training import fit
from unlearn_core.tuning import stands_at
from unlearn_core.unlearning import Unlearned, unlearn

DATA, HELD_OUT = blobs(120), blobs(90, seed=1)
FORGET, RETAIN = DATA.of_classes((1,)), DATA.of_classes((1,), exclude=True)
RECIPE = Recipe(epochs=8, batch_size=16)
TUNING = Tuning(HELD_OUT.of_classes((1,)), HELD_OUT.of_classes((1,), exclude=True))


def trained() -> nn.Module:
    net = build_seeded(ARCHITECTURE, 0)
    fit(net, DATA, RECIPE, generator=torch.Generator().manual_seed(0))
    return net


def with_wrong_statistics() -> nn.Module:
    net = trained()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.add_(2.0)
    return net


def with_a_wrong_head() -> nn.Module:
    """Statistics do not help it, and training does; class 1 is suppressed."""
    net = trained()
    with torch.no_grad():
        net.head.weight.mul_(-1.0)
        net.head.bias.copy_(torch.tensor([0.0, -1000.0, 0.0]))
    return net


def materials(tuning: Tuning | None = TUNING) -> Materials:
    origin = Origin(lambda: build(ARCHITECTURE), RECIPE)
    return Materials("classes", (1,), None, RETAIN, tuning=tuning, origin=origin)


def repaired(net: nn.Module, tuning: Tuning | None = TUNING, **settings: float) -> Unlearned:
    return unlearn(Repair(**settings), net, materials(tuning), seed=0)


def test_statistics_are_the_means_over_the_batches():
    net = trained()
    first = next(module for module in net.modules() if isinstance(module, nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    hook = first.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    take_statistics_anew(net, DATA, batch_size=40, generator=torch.Generator().manual_seed(0))
    hook.remove()
    means = torch.stack([batch.mean((0, 2, 3)) for batch in seen]).mean(0)
    variances = torch.stack([batch.var((0, 2, 3)) for batch in seen]).mean(0)
    assert len(seen) == 3
    torch.testing.assert_close(first.running_mean, means)
    torch.testing.assert_close(first.running_var, variances)
    assert first.momentum == 0.1
    assert not any(module.training for module in net.modules())


def test_new_statistics_alone_repair_statistics():
    net = with_wrong_statistics()
    found = repaired(net, most_epochs=0, come_back=1.0)
    assert (found.method.statistics, found.method.epochs) == (True, 0)
    assert accuracy(found.model, TUNING.retain) > accuracy(net, TUNING.retain)
    assert found.coverage.share("frozen") == pytest.approx(1)
    normalised = {name.rpartition(".")[0] for name in found.coverage.buffers}
    assert normalised
    for entry in found.coverage.parameters:
        assert (entry.treatment != "frozen") == (entry.parameter.rpartition(".")[0] in normalised)


def test_what_statistics_cannot_repair_is_trained_as_briefly_as_it_takes():
    net = with_a_wrong_head()
    found = repaired(net, learning_rate=0.05, most_epochs=8)
    assert 1 <= found.method.epochs < 8
    assert accuracy(found.model, TUNING.retain) > 0.9 > accuracy(net, TUNING.retain)
    assert accuracy(found.model, TUNING.forget) == 0
    again = repaired(net, None, **{**dict(found.method), "name": "repair"})
    assert same_weights(again.model, found.model)


def test_nothing_is_kept_that_brings_the_class_back():
    """Right statistics would: with the wrong ones the net does not know the class."""
    net = with_wrong_statistics()
    assert accuracy(net, TUNING.forget) == 0
    with pytest.raises(ModelError, match="changed nothing"):
        repaired(net, most_epochs=0)


def with_a_class_that_only_statistics_suppress() -> nn.Module:
    """Its last normalisation keeps class 1 down; its head has been damaged."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3), nn.BatchNorm1d(3))
    fit(net, DATA, RECIPE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net[3].weight[[0, 2]] *= -0.3
        net[4].running_mean[1] += 1000
    return net


def test_where_new_statistics_bring_the_class_back_the_old_ones_stay_while_the_rest_is_trained():
    net = with_a_class_that_only_statistics_suppress()
    anew = repaired(net, None, statistics=True, epochs=0).model
    assert accuracy(anew, TUNING.forget) > 0.1
    found = repaired(net, learning_rate=0.05, most_epochs=8)
    assert found.method.statistics is False
    assert found.method.epochs >= 1
    assert accuracy(found.model, TUNING.retain) > accuracy(net, TUNING.retain)
    assert accuracy(found.model, TUNING.forget) == 0
    assert all(
        torch.equal(found.model[4].state_dict()[name], kept) for name, kept in net[4].state_dict().items()
    )
    frozen = [one.parameter for one in found.coverage.parameters if one.treatment == "frozen"]
    assert frozen == ["4.weight", "4.bias"]
    again = repaired(net, None, **{**dict(found.method), "name": "repair"})
    assert same_weights(again.model, found.model)


def test_a_net_that_needs_no_repair_is_left_as_it_is():
    with pytest.raises(ModelError, match="changed nothing"):
        repaired(trained())


def test_without_tuning_data_it_takes_statistics_and_an_epoch():
    found = repaired(trained(), None).method
    assert (found.statistics, found.epochs, found.recipe) == (True, 1, RECIPE)


def test_a_net_without_batch_normalisation_is_only_trained():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    samples = Samples(RETAIN.inputs, RETAIN.labels)
    found = unlearn(Repair(), net, Materials("classes", (1,), None, samples, tuning=TUNING), seed=0)
    assert found.method.statistics is False
    assert found.method.epochs


def test_with_an_aim_an_epoch_is_worth_it_only_if_it_comes_nearer() -> None:
    assert repaired_with_an_aim(1e-3).method.epochs == 2
    with pytest.raises(ModelError, match="changed nothing"):
        repaired_with_an_aim(1e6)


def repaired_with_an_aim(width: float) -> Unlearned:
    stands = stands_at(trained(), TUNING.forget, TUNING.retain)
    aimed = replace(TUNING, aim=aim_within(stands, "loss.audit.retain", width))
    settings = {"statistics": False, "most_epochs": 2, "learning_rate": 0.005}
    return repaired(with_a_wrong_head(), aimed, **settings)
