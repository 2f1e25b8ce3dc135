"""Methods that are made of others: what the machinery does, whatever the steps are."""

from typing import ClassVar, Literal

import pytest
import torch
from pydantic import Field
from torch import nn
from world import ARCHITECTURE, blobs, same_weights

from tasks.checkout.files import method_digest
from unlearn_core.conformance import toy
from unlearn_core.data import Samples
from unlearn_core.errors import ConfigurationError
from unlearn_core.method import Materials, Method, Need, settled
from unlearn_core.methods import CATALOGUE, fresh_top, parse_method
from unlearn_core.methods.compositions.composition import Composition, merged
from unlearn_core.methods.compositions.pgu_fresh_top import PguFreshTop
from unlearn_core.methods.compositions.svd_repair import SvdRepair
from unlearn_core.methods.compositions.unsir_repair import UnsirRepair
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.methods.pgu import Pgu
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.svd import Svd
from unlearn_core.models import build_seeded
from unlearn_core.records.result import Coverage, ParameterCoverage
from unlearn_core.unlearning import unlearn

COMPOSED = [kind for kind in CATALOGUE if issubclass(kind, Composition)]


class Moves(Method):
    """Adds a number that is drawn, and draws some more that is not used."""

    name: Literal["moves"] = "moves"
    wasted: int = 0
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET})
    scopes: ClassVar = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "moves"

    def apply(self, model, materials, *, generator, on_step):
        assert materials.retain is None
        assert not model.training
        assert all(parameter.requires_grad for parameter in model.parameters())
        with torch.no_grad():
            model[0].bias.add_(torch.rand((), generator=generator) + torch.rand(()))
        torch.rand(self.wasted, generator=generator)
        torch.rand(self.wasted)
        model.train().requires_grad_(False)
        return self, Coverage(parameters=())


class Looks(Method):
    """Says at which model moments are collected."""

    name: Literal["looks"] = "looks"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.MOMENTS})
    scopes: ClassVar = frozenset({"classes"})
    summary: ClassVar[str] = "looks"

    def apply(self, model, materials, *, generator, on_step):
        SEEN.append(materials.observer(model)[0].bias.detach().clone())
        return self, Coverage(parameters=())


SEEN: list[torch.Tensor] = []


class Twice(Composition):
    """Moves twice, and looks."""

    name: Literal["twice"] = "twice"
    first: Moves = Field(default=Moves())
    second: Moves = Field(default=Moves())
    looks: Looks = Field(default=Looks())
    summary: ClassVar[str] = "moves twice"


def moved(**settings: int) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 2)).eval()
    data = Samples(torch.zeros(2, 2), torch.tensor([0, 1]))
    materials = Materials("classes", (0,), data, data, moments=object())  # pyright: ignore
    method = Twice(first=Moves(**settings))
    method.apply(model, materials, generator=torch.Generator().manual_seed(0), on_step=lambda _: None)
    return model


def test_what_a_step_draws_does_not_depend_on_how_much_another_drew():
    assert same_weights(moved(), moved(wasted=7))


def test_a_later_step_collects_at_the_model_that_the_moments_are_of():
    torch.manual_seed(0)
    start = nn.Linear(2, 2).bias.detach().clone()
    SEEN.clear()
    after = moved()
    assert torch.equal(SEEN[0], start)
    assert not torch.equal(after[0].bias, start)


def test_it_declares_what_its_steps_declare():
    assert Twice.needs == {Need.FORGET, Need.MOMENTS}
    assert Twice.scopes == {"classes"}
    assert PguFreshTop.needs == {Need.FORGET, Need.MOMENTS, Need.RETAIN, Need.ORIGIN}
    assert PguFreshTop.uses == {Need.TUNING}
    assert Need.FORGET not in UnsirRepair.needs | UnsirRepair.uses
    assert SvdRepair.scopes == {"classes"}
    assert PguFreshTop.scopes == {"classes", "samples"}
    assert set(SvdRepair.space) == {f"svd.{n}" for n in Svd.space} | {f"repair.{n}" for n in Repair.space}


def entry(treatment, reason=""):
    return Coverage(
        parameters=(
            ParameterCoverage(parameter="w", treatment=treatment, elements=1, share=1, reason=reason),
        )
    )


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("trained", "frozen", "trained"),
        ("frozen", "trained", "trained"),
        ("projected", "trained", "trained"),
        ("projected", "frozen", "projected"),
        ("unsupported", "frozen", "unsupported"),
        ("frozen", "frozen", "frozen"),
    ],
)
def test_a_parameter_counts_as_what_was_done_to_it_most(first, second, together):
    (found,) = merged({"a": entry(first, "why"), "b": entry(second)}).parameters
    assert found.treatment == together
    assert found.reason == f"a: {first}, why; b: {second}"


def test_where_steps_agree_the_reason_is_theirs():
    (found,) = merged({"a": entry("frozen", "bias"), "b": entry("frozen", "bias")}).parameters
    assert found.reason == "bias"


@pytest.mark.parametrize("kind", COMPOSED)
def test_hyper_parameters_are_nested_and_misspelt_ones_refused(kind):
    name = kind.model_fields["name"].default
    for step in kind.steps:
        with pytest.raises(ConfigurationError, match="learning_rat3"):
            parse_method({"name": name, step: {"learning_rat3": 1}})
    found = settled(parse_method({"name": name}), {"repair.most_epochs": 0})
    assert found.repair.most_epochs == 0


def test_it_is_its_steps_one_after_the_other():
    """With nothing left to be found, and no step that draws anything."""
    net, data = build_seeded(ARCHITECTURE, 0).eval(), blobs(60)
    svd = Svd(alpha_r=100.0, alpha_f=3.0)
    materials = Materials("classes", (1,), data.of_classes((1,)), data.of_classes((1,), exclude=True))
    phases: set[str] = set()
    one = unlearn(
        SvdRepair(svd=svd, repair=Repair(epochs=0, statistics=False)),
        net,
        materials,
        seed=0,
        on_step=lambda step: phases.add(step.phase),
    )
    first = unlearn(svd, net, materials, seed=0)
    assert one.method.svd == first.method
    for name, tensor in first.model.state_dict().items():
        torch.testing.assert_close(one.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)
    assert phases == {"svd.moments"}


def test_fresh_top_inside_runs_frozen_layers_once(monkeypatch):
    runs: list[int] = []
    run = fresh_top.outputs_at
    monkeypatch.setattr(fresh_top, "outputs_at", lambda *given: (runs.append(1), run(*given))[1])
    method = PguFreshTop(
        pgu=Pgu(lr_start=0.01, stop_after=1), fresh_top=FreshTop(layers=1, epochs=3), repair=Repair(epochs=0)
    )
    unlearn(method, toy.parent(), toy.materials("classes"), seed=0)
    assert len(runs) == 1


def test_what_is_kept_for_a_composition_depends_on_the_methods_that_it_is_made_of():
    found = {method_digest(kind()) for kind in (SvdRepair, UnsirRepair, PguFreshTop, Svd, Repair)}
    assert len(found) == 5
