"""What is special to a fresh top."""

from dataclasses import replace

import pytest
import torch
from aims import aim_within
from torch import nn
from world import ARCHITECTURE, blobs, same_weights

from unlearn_core.activations import find_boundary
from unlearn_core.method import Materials, Origin, Tuning
from unlearn_core.methods import fresh_top
from unlearn_core.methods.eu_k import EuK
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.models import build, build_seeded
from unlearn_core.records.artifact import Recipe
from unlearn_core.training import fit
from unlearn_core.tuning import stands_at
from unlearn_core.unlearning import Unlearned, unlearn

DATA = blobs(60)
FORGET, RETAIN = DATA.of_classes((1,)), DATA.of_classes((1,), exclude=True)
RECIPE = Recipe(optimizer="sgd", learning_rate=0.05, schedule="one_cycle", epochs=3, batch_size=16)
AUGMENTED = RECIPE.model_copy(update={"augmentation": "shift"})


def net() -> nn.Module:
    return build_seeded(ARCHITECTURE, 0).eval()


def materials(recipe: Recipe = RECIPE) -> Materials:
    origin = Origin(lambda: build(ARCHITECTURE), recipe)
    return Materials("classes", (1,), FORGET, RETAIN, origin=origin)


def unlearned(method, recipe: Recipe = RECIPE) -> nn.Module:
    return unlearn(method, net(), materials(recipe), seed=0).model


def apart(first: nn.Module, second: nn.Module) -> float:
    mine, theirs = first.state_dict(), second.state_dict()
    return max(float((mine[name].double() - theirs[name].double()).abs().max()) for name in mine)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_with_kept_outputs_it_comes_to_the_same_weights_as_without(layers: int) -> None:
    kept = unlearned(FreshTop(layers=layers, epochs=3))
    plain = unlearned(FreshTop(layers=layers, epochs=3, kept_mib=0))
    assert apart(kept, plain) < 1e-4


@pytest.mark.parametrize("layers", [1, 3])
def test_with_the_whole_recipe_it_is_eu_k(layers: int) -> None:
    fresh = unlearned(FreshTop(layers=layers, epochs=RECIPE.epochs, kept_mib=0))
    assert same_weights(fresh, unlearned(EuK(layers=layers)))


def test_frozen_layers_run_once_for_each_kept_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def counted(*arguments, **named):
        runs.append(1)
        return run(*arguments, **named)

    run = fresh_top.outputs_at
    monkeypatch.setattr(fresh_top, "outputs_at", counted)
    unlearned(FreshTop(layers=1, epochs=3))
    assert len(runs) == 1


def test_augmented_copies_differ_and_each_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[torch.Tensor] = []

    def watched(model, epochs, recipe, **named):
        taught.extend(lesson.samples.inputs for (lesson,) in epochs)
        assert recipe.augmentation == "none"
        return teach(model, epochs, recipe, **named)

    teach = fresh_top.teach
    monkeypatch.setattr(fresh_top, "teach", watched)
    unlearned(FreshTop(layers=1, epochs=3, copies=2), AUGMENTED)
    first, second, third = taught
    assert not torch.equal(first, second)
    assert torch.equal(first, third)


def test_kept_outputs_stay_within_the_memory_that_they_may_take() -> None:
    method = FreshTop(layers=1, epochs=8, copies=8, kept_mib=1)
    model = net()
    fresh_top.freeze_all_but(model, fresh_top.last_layers(model, 1))
    boundary = find_boundary(model, RETAIN.inputs[:4])
    assert boundary is not None
    size = fresh_top.bytes_per_sample(boundary)
    count = 3 * 2**20 // (8 * size)
    assert fresh_top.copies_that_fit(method, boundary, AUGMENTED, count) == 2
    assert fresh_top.copies_that_fit(method, boundary, RECIPE, count) == 1
    assert fresh_top.copies_that_fit(method, boundary, AUGMENTED, 2**20 // size + 1) == 0


def test_polishing_trains_all_weights_and_the_coverage_says_so() -> None:
    found = unlearn(FreshTop(layers=1, epochs=1, polish_epochs=1), net(), materials(), seed=0)
    treatments = {entry.treatment for entry in found.coverage.parameters}
    assert treatments == {"trained"}
    first = next(iter(net().state_dict()))
    assert not torch.equal(found.model.state_dict()[first], net().state_dict()[first])
    frozen = unlearn(FreshTop(layers=1, epochs=1), net(), materials(), seed=0)
    assert torch.equal(frozen.model.state_dict()[first], net().state_dict()[first])


def tuned(method: FreshTop, recipe: Recipe = RECIPE, *, model: nn.Module | None = None) -> Unlearned:
    held_out = blobs(90, seed=1)
    tuning = Tuning(held_out.of_classes((1,)), held_out.of_classes((1,), exclude=True))
    return unlearn(method, model or net(), replace(materials(recipe), tuning=tuning), seed=0)


@pytest.mark.parametrize("recipe", [RECIPE, AUGMENTED])
def test_what_a_search_finds_leads_to_the_same_weights_without_one(recipe: Recipe) -> None:
    asked = FreshTop(layers=None, epochs=None, lengths=(2, 1), margin=0.0, polish_epochs=1)
    found = tuned(asked, recipe)
    assert found.method.layers in asked.depths
    assert found.method.epochs in asked.lengths
    again = unlearn(found.method, net(), materials(recipe), seed=0)
    assert same_weights(again.model, found.model)
    assert again.method == found.method


def test_the_cheapest_try_that_is_enough_is_taken() -> None:
    everything = FreshTop(layers=None, epochs=None, margin=1.0, unsure=1.0, forget_target=1.0)
    found = tuned(everything)
    assert (found.method.layers, found.method.epochs) == (2, 1)
    assert {curve.name: len(curve.values) for curve in found.curves}["search.layers"] == 1


def test_every_try_is_made_where_none_is_enough_and_the_best_is_kept() -> None:
    model = net()
    fit(model, DATA, Recipe(epochs=8, batch_size=16), generator=torch.Generator().manual_seed(0))
    slow = RECIPE.model_copy(update={"learning_rate": 1e-6})
    found = tuned(FreshTop(layers=2, epochs=None, lengths=(1, 2), recipe=slow), model=model)
    curves = {curve.name: curve.values for curve in found.curves}
    assert curves["search.epochs"] == (1.0, 2.0)
    sure = curves["search.confidence"]
    forgotten = [one <= 0.02 for one in curves["search.forget_accuracy"]]
    best = max(range(2), key=lambda index: (forgotten[index], sure[index]))
    assert found.method.epochs == best + 1


def aimed(width: float) -> list[dict[str, float]]:
    """Return the tries of a search that aims at the model as it was, within bands of a width."""
    held_out, model = blobs(90, seed=1), net()
    tuning = Tuning(held_out.of_classes((1,)), held_out.of_classes((1,), exclude=True))
    aim = aim_within(stands_at(model, tuning.forget, tuning.retain), "loss.audit.retain", width)
    method = FreshTop(layers=1, epochs=None, lengths=(1, 2, 3), forget_target=1.0)
    given = replace(materials(), tuning=replace(tuning, aim=aim))
    steps = []
    found = unlearn(method, model, given, seed=0, on_step=steps.append).method
    tries = [step.values for step in steps if step.phase == "search"]
    best = min(tries, key=lambda values: values["far"])
    assert (found.layers, found.epochs) == (best["layers"], best["epochs"])
    return tries


def test_with_an_aim_the_first_try_near_it_is_enough_and_else_the_nearest_is_kept() -> None:
    assert len(aimed(1e6)) == 1
    assert len(aimed(1e-6)) == 3


def test_kept_outputs_serve_every_try_of_one_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    run = fresh_top.outputs_at
    monkeypatch.setattr(fresh_top, "outputs_at", lambda *given: (runs.append(1), run(*given))[1])
    tuned(FreshTop(layers=1, epochs=None, lengths=(1, 2, 3), margin=0.0, forget_target=0.0))
    assert len(runs) == 1


def test_without_tuning_data_three_layers_are_trained_for_two_epochs() -> None:
    found = unlearn(FreshTop(layers=None, epochs=None), net(), materials(), seed=0).method
    assert (found.layers, found.epochs) == (3, 2)
