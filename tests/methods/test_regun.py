"""What is special to ReGUn: its targets, and that the held-out images are learnt from."""

import pytest
import torch
from torch import Tensor, nn
from world import ARCHITECTURE, blobs

from unlearn_core.data import Samples, concatenate
from unlearn_core.errors import UnlearningError
from unlearn_core.method import Materials, Tuning
from unlearn_core.methods.regun import ReGun, nearest_mean
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Recipe
from unlearn_core.training import fit
from unlearn_core.unlearning import Unlearned, unlearn

FORGET, RETAIN, HELD_OUT = blobs(12, seed=1), blobs(48, seed=2), blobs(30, seed=3)


def net() -> nn.Module:
    return build_seeded(ARCHITECTURE, 0).eval()


def answers(model: nn.Module, samples: Samples) -> Tensor:
    return model(samples.inputs).softmax(1).detach()


def run(method: ReGun, model: nn.Module | None = None, held_out: Samples = HELD_OUT) -> Unlearned:
    materials = Materials("samples", (), FORGET, RETAIN, tuning=Tuning(None, held_out))
    return unlearn(method, model or net(), materials, seed=0)


def test_the_nearest_are_those_with_the_largest_cosine() -> None:
    own, others = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    given = torch.rand(6, 3, generator=torch.Generator().manual_seed(1))
    found = nearest_mean(own, others, given, count=2)
    for row, sample in enumerate(own):
        cosines = torch.stack([torch.cosine_similarity(sample, other, dim=0) for other in others])
        torch.testing.assert_close(found[row], given[cosines.argsort(descending=True)[:2]].mean(0))


def test_with_fewer_images_than_neighbours_all_count():
    own, others, given = torch.rand(2, 4), torch.rand(3, 4), torch.rand(3, 5)
    torch.testing.assert_close(nearest_mean(own, others, given, count=10), given.mean(0).expand(2, -1))


def test_targets_are_means_over_all_images_or_over_those_of_the_class():
    model = net()
    given = answers(model, HELD_OUT)
    everything = ReGun(reference="all")._targets(model, FORGET, HELD_OUT)
    torch.testing.assert_close(everything, given.mean(0).expand(len(FORGET), -1))
    by_class = ReGun(reference="class")._targets(model, FORGET, HELD_OUT.of_classes((0, 1)))
    for row, label in enumerate(FORGET.labels.tolist()):
        same = HELD_OUT.labels == label if label < 2 else HELD_OUT.labels < 2
        torch.testing.assert_close(by_class[row], given[same].mean(0))


def test_a_net_that_has_learnt_wrong_labels_by_heart_is_taught_by_inputs() -> None:
    """Its features are those of the wrong class; a picture still looks like what it shows."""
    wrong = Samples(FORGET.inputs, (FORGET.labels + 1) % 3)
    model, everything = net(), concatenate(RETAIN, wrong)
    fit(model, everything, Recipe(epochs=30, batch_size=16), generator=torch.Generator().manual_seed(0))
    rows = torch.arange(len(FORGET))
    by_inputs = ReGun(reference="inputs")._targets(model, wrong, HELD_OUT)
    by_features = ReGun()._targets(model, wrong, HELD_OUT)
    assert by_inputs[rows, FORGET.labels].mean() > 0.8
    assert by_features[rows, wrong.labels].mean() > by_inputs[rows, wrong.labels].mean()


def test_every_sample_is_taught_its_own_target_and_no_retained_image_is_missed():
    """Without the retained half, descent ends at the targets, in whatever order the samples came."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    recipe = Recipe(optimizer="sgd", learning_rate=0.1, weight_decay=0, schedule="constant", epochs=300)
    method = ReGun(neighbours=1, retain_weight=0.0, recipe=recipe)
    targets = method._targets(model, FORGET, HELD_OUT)
    after = run(method, model).model
    torch.testing.assert_close(answers(after, FORGET), targets, atol=0.02, rtol=0)


def test_the_record_says_how_many_held_out_images_were_learnt_from():
    found = run(ReGun())
    assert {curve.name: curve.values for curve in found.curves}["targets.held_out_images"] == (30.0,)


def test_without_a_linear_head_there_are_no_nearest_images():
    model = nn.Sequential(nn.Conv2d(1, 3, 8), nn.Flatten())
    with pytest.raises(UnlearningError, match='"inputs", "class" or "all"'):
        run(ReGun(), model)
    assert run(ReGun(reference="class"), model)
