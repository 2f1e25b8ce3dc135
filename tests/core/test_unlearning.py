"""``unlearn``: the copy, the guards, and what a method finds in its hands."""

from typing import ClassVar

import pytest
import torch
from torch import nn
from world import ARCHITECTURE, QUICK, blobs, same_weights

from unlearn_core.errors import CoverageError, ModelError, NeedError, UnlearningError
from unlearn_core.layers import all_trained
from unlearn_core.method import Materials, Method, Need, Origin, Tuning, needed
from unlearn_core.models import build, build_seeded
from unlearn_core.progress import Step
from unlearn_core.records.result import Coverage, ParameterCoverage
from unlearn_core.unlearning import unlearn


class Tiny(Method):
    """A method of the test's own: what it does is handed in, so that a test reads in one place."""

    needs: ClassVar = frozenset({Need.FORGET})
    uses: ClassVar = frozenset({Need.TUNING})
    scopes: ClassVar = frozenset({"classes"})
    act: ClassVar = None

    def apply(self, model, materials, *, generator, on_step):
        coverage = type(self).act(model, materials, generator, on_step)
        return self, coverage or all_trained(model)


def method(act):
    """Make a method out of one function of model, materials, generator and listener."""
    kind = type("Acting", (Tiny,), {"act": staticmethod(act), "__doc__": "Acts."})
    return kind(name="acting")


@pytest.fixture
def net():
    return build_seeded(ARCHITECTURE, 0).eval()


@pytest.fixture
def materials():
    samples = blobs()
    return Materials(
        scope="classes",
        classes=(0,),
        forget=samples.of_classes((0,)),
        retain=samples.of_classes((0,), exclude=True),
        tuning=Tuning(forget=None, retain=samples),
        origin=Origin(untrained=lambda: build(ARCHITECTURE), recipe=QUICK),
    )


def nudge(model, materials=None, generator=None, on_step=None):
    with torch.no_grad():
        model.head.bias += 1


def noise(model, materials, generator, on_step):
    """Draw from both generators that a method has."""
    with torch.no_grad():
        model.head.bias += torch.randn(3, generator=generator) + torch.randn(3)


def test_the_given_model_is_left_as_it_was(net, materials):
    net.stem.weight.requires_grad_(False)
    net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    result = unlearn(method(nudge), net, materials, seed=0)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert net.training
    assert not same_weights(net, result.model)


def test_a_seed_gives_the_bits(net, materials):
    first, again, other = (unlearn(method(noise), net, materials, seed=seed).model for seed in (1, 1, 2))
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_global_generators_are_left_as_they_were(net, materials):
    before = torch.random.get_rng_state()
    unlearn(method(noise), net, materials, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_global_generators_are_left_as_they_were_when_a_method_fails(net, materials):
    def fail(model, *_):
        torch.randn(3)
        raise ValueError

    before = torch.random.get_rng_state()
    with pytest.raises(ValueError):  # noqa: PT011
        unlearn(method(fail), net, materials, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_method_is_handed_only_what_it_declares(net, materials):
    seen = []

    def look(model, materials, *_):
        seen.append(materials)
        nudge(model)

    unlearn(method(look), net, materials, seed=0)
    assert seen[0].available() == {Need.FORGET, Need.TUNING}
    assert (seen[0].scope, seen[0].classes) == ("classes", (0,))


def test_reaching_for_more_is_refused_by_name(net, materials):
    def reach(model, materials, *_):
        needed(materials.retain, Need.RETAIN)

    with pytest.raises(NeedError, match="'retain'"):
        unlearn(method(reach), net, materials, seed=0)


def test_a_method_without_its_need_is_not_started(net):
    with pytest.raises(UnlearningError, match=r"acting needs \[.*forget.*\], which is not available"):
        unlearn(method(nudge), net, Materials(scope="classes", classes=(0,)), seed=0)


def test_a_method_for_other_scopes_is_not_started(net):
    with pytest.raises(UnlearningError, match="acting forgets classes, not samples"):
        unlearn(method(nudge), net, Materials(scope="samples", forget=blobs()), seed=0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_before_are_named(net, materials, value):
    net.head.bias.data[1] = value
    with pytest.raises(ModelError, match=r"before unlearning: head\.bias$"):
        unlearn(method(nudge), net, materials, seed=0)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_weights_that_are_not_finite_after_are_named(net, materials, value):
    def spoil(model, *_):
        model.bn.running_var[0] = value

    with pytest.raises(ModelError, match=r"after unlearning: bn\.running_var$"):
        unlearn(method(spoil), net, materials, seed=0)


def test_a_method_that_changes_nothing_is_a_failure(net, materials):
    with pytest.raises(ModelError, match="acting changed nothing"):
        unlearn(method(lambda *_: None), net, materials, seed=0)


def half_unsupported(model, *_):
    nudge(model)
    names = dict.fromkeys(["stem.weight", "head.weight"], "unsupported") | {"head.bias": "trained"}
    shares = dict(zip(names, (0.25, 0.25, 0.5), strict=True))
    return Coverage(
        parameters=tuple(
            ParameterCoverage(
                parameter=name, treatment=treatment, elements=1, share=shares[name], reason="odd"
            )
            for name, treatment in names.items()
        )
    )


def test_a_model_that_is_out_of_reach_is_refused_with_the_names(net, materials):
    with pytest.raises(
        CoverageError, match=r"50\.0%.*5\.0% are allowed: stem\.weight, head\.weight \(odd\);"
    ):
        unlearn(method(half_unsupported), net, materials, seed=0)


def test_as_much_may_be_out_of_reach_as_was_allowed(net, materials):
    result = unlearn(method(half_unsupported), net, materials, seed=0, max_unsupported_share=0.5)
    assert result.coverage.share("unsupported") == 0.5


def test_gradient_switches_and_modes_come_back_and_gradients_go(net, materials):
    net.stem.weight.requires_grad_(False)

    def train(model, materials, *_):
        model.train().requires_grad_(True)
        model(materials.forget.inputs).sum().backward()
        nudge(model)

    model = unlearn(method(train), net, materials, seed=0).model
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    assert frozen == ["stem.weight"]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module.training for module in model.modules())


def test_a_method_gets_gradients_even_where_the_caller_has_none(net, materials):
    def train(model, materials, *_):
        model(materials.forget.inputs).sum().backward()
        nudge(model)

    with torch.no_grad():
        unlearn(method(train), net, materials, seed=0)
        assert not torch.is_grad_enabled()


def hooks(model: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_no_hook_is_left_behind(net, materials):
    assert hooks(unlearn(method(nudge), net, materials, seed=0).model) == hooks(net) == 0


def test_samples_are_counted_once_per_forward_pass(net, materials):
    def look_twice(model, materials, *_):
        for batch in materials.forget.batches(7):
            model(batch.inputs)
        model(materials.tuning.retain.inputs)
        nudge(model)

    assert unlearn(method(look_twice), net, materials, seed=0).samples_seen == 32 + 96


def test_steps_are_told_and_kept_as_curves(net, materials):
    told = []

    def report(model, materials, generator, on_step):
        for number in (1, 2):
            on_step(Step("search", number, 2, {"score": number / 2}))
        on_step(Step("epochs", 1, 1, {"loss": 0.25}))
        nudge(model)

    result = unlearn(method(report), net, materials, seed=0, on_step=told.append)
    assert [step.index for step in told] == [1, 2, 1]
    assert {curve.name: curve.values for curve in result.curves} == {
        "search.score": (0.5, 1.0),
        "epochs.loss": (0.25,),
    }


def in_two_steps(model, materials, generator, on_step):
    for index in (1, 2):
        nudge(model)
        on_step(Step("nudge", index, 2))


def test_who_watches_sees_the_copy_after_every_step(net, materials):
    seen = []

    def watch(model, step):
        seen.append((step.index, (model.head.bias - net.head.bias).mean().item()))

    unlearn(method(in_two_steps), net, materials, seed=0, watch=watch)
    assert seen == [(1, pytest.approx(1)), (2, pytest.approx(2))]


def test_who_watches_may_give_up(net, materials):
    def watch(model, step):
        raise StopIteration("seen enough")

    with pytest.raises(StopIteration, match="seen enough"):
        unlearn(method(in_two_steps), net, materials, seed=0, watch=watch)
