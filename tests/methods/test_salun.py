"""What is special to SalUn."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from world import ARCHITECTURE, blobs

from unlearn_core.importance import highest, saliency
from unlearn_core.method import Materials
from unlearn_core.methods import salun
from unlearn_core.methods.salun import SalUn, restorer
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Recipe
from unlearn_core.relabelling import relabelled
from unlearn_core.unlearning import unlearn

DATA = blobs(60)
FORGET, RETAIN = DATA.of_classes((1,)), DATA.of_classes((1,), exclude=True)
RECIPE = Recipe(
    optimizer="sgd", learning_rate=0.1, weight_decay=0.1, schedule="constant", epochs=2, batch_size=16
)


def net() -> nn.Module:
    return build_seeded(ARCHITECTURE, 0).eval()


def materials() -> Materials:
    return Materials("classes", (1,), FORGET, RETAIN)


def test_half_of_all_weights_are_salient_and_no_other_weight_changes() -> None:
    after = unlearn(SalUn(recipe=RECIPE), net(), materials(), seed=0).model
    salient = highest(saliency(net(), FORGET, batch_size=16), 0.5)
    marked = sum(int(mark.sum()) for mark in salient.values())
    assert marked == sum(mark.numel() for mark in salient.values()) // 2
    for name, parameter in after.named_parameters():
        changed = parameter != net().get_parameter(name)
        assert not (changed & ~salient[name]).any()
    assert sum(int((p != net().get_parameter(n)).sum()) for n, p in after.named_parameters()) > 0.9 * marked


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_only_the_salient_weights_are_reported_as_trained(share: float) -> None:
    found = unlearn(SalUn(share=share, recipe=RECIPE), net(), materials(), seed=0)
    assert found.coverage.share("trained") == pytest.approx(share, abs=1e-3)
    assert found.coverage.share("frozen") == pytest.approx(1 - share, abs=1e-3)
    for entry in found.coverage.parameters:
        changed = found.model.get_parameter(entry.parameter) != net().get_parameter(entry.parameter)
        assert int(changed.sum()) <= entry.movable


def test_running_statistics_are_named_and_their_layers_are_not_called_frozen() -> None:
    # So few weights that those of normalisation are not among them.
    found = unlearn(SalUn(share=0.001, recipe=RECIPE), net(), materials(), seed=0)
    moved = {name for name, buffer in found.model.named_buffers() if (buffer != net().get_buffer(name)).any()}
    assert moved
    assert set(found.coverage.buffers) == moved
    still = {entry.parameter for entry in found.coverage.parameters if entry.treatment == "frozen"}
    assert {"stem.weight"} & still
    assert not {name.rpartition(".")[0] for name in moved} & {name.rpartition(".")[0] for name in still}
    assert found.coverage.share("trained") == pytest.approx(0.001, abs=1e-3)


def test_the_threshold_is_the_median() -> None:
    scores = saliency(net(), FORGET, batch_size=16)
    median = torch.cat([score.flatten() for score in scores.values()]).median()
    salient = highest(scores, 0.5)
    assert all((scores[name][~mark] <= median).all() for name, mark in salient.items())
    assert all((scores[name][mark] >= median).all() for name, mark in salient.items())


def test_putting_weights_back_is_the_same_as_masking_their_gradients() -> None:
    masked, restored = nn.Linear(4, 3), nn.Linear(4, 3)
    restored.load_state_dict(masked.state_dict())
    draw = torch.Generator().manual_seed(0)
    marks = {name: torch.rand(p.shape, generator=draw) < 0.5 for name, p in masked.named_parameters()}
    inputs, labels = torch.randn(8, 4, generator=draw), torch.randint(3, (8,), generator=draw)
    back = restorer(restored, marks)
    for model, after_step in ((masked, lambda: None), (restored, back)):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            if model is masked:
                for name, parameter in model.named_parameters():
                    assert parameter.grad is not None
                    parameter.grad *= marks[name]
            optimizer.step()
            after_step()
    for name, parameter in masked.named_parameters():
        torch.testing.assert_close(restored.get_parameter(name), parameter)


def test_labels_are_wrong_drawn_anew_every_epoch_and_never_of_a_forgotten_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[torch.Tensor] = []

    def watched(samples, classes, *, generator):
        found = relabelled(samples, classes, generator=generator)
        drawn.append(found.labels)
        return found

    monkeypatch.setattr(salun, "relabelled", watched)
    unlearn(SalUn(recipe=RECIPE), net(), materials(), seed=0)
    first, second = drawn
    assert not torch.equal(first, second)
    assert set(torch.cat(drawn).tolist()) == {0, 2}


def test_the_whole_net_may_be_salient() -> None:
    after = unlearn(SalUn(share=1.0, recipe=RECIPE), net(), materials(), seed=0)
    assert after.coverage.share("trained") == pytest.approx(1)
