"""Rewinding: going back to a kept state, and on by the recipe's own schedule."""

from dataclasses import replace

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from unlearn_core.conformance import toy
from unlearn_core.errors import UnlearningError
from unlearn_core.methods.retrain import Retrain
from unlearn_core.methods.rewind import Rewind
from unlearn_core.records.artifact import Recipe
from unlearn_core.rewinding import go_on, recording, steps_in
from unlearn_core.training import fit
from unlearn_core.unlearning import unlearn

SGD = Recipe(optimizer="sgd", learning_rate=0.05, momentum=0.9, schedule="one_cycle", epochs=3, batch_size=64)
SAMPLES = toy.blobs(50, 5)  # 200: the last batch of an epoch is shorter


def net():
    torch.manual_seed(1)
    return toy.untrained()


def trained(recipe, shares=()):
    model = net()
    with recording(model, shares, steps=steps_in(recipe, len(SAMPLES))) as states:
        fit(model, SAMPLES, recipe, generator=torch.Generator().manual_seed(3))
    return model, states


@pytest.fixture
def steps():
    """Every step of an optimiser: its learning rate, and what it remembers of the first parameter."""
    seen = []

    def look(optimizer, args, kwargs):
        remembered = optimizer.state[optimizer.param_groups[0]["params"][0]]
        copied = {name: tensor.clone() for name, tensor in remembered.items() if tensor is not None}
        seen.append((optimizer.param_groups[0]["lr"], copied))

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


@pytest.mark.parametrize("scope", ["classes", "samples"])
def test_rewinding_to_the_beginning_is_retraining_bit_for_bit(scope):
    materials = toy.materials(scope)
    rewound, retrained = (
        unlearn(method, toy.parent(), materials, seed=4).model for method in (Rewind(to=0), Retrain())
    )
    assert toy.same_bits(rewound, retrained)


def test_a_training_that_keeps_states_has_the_same_bits():
    kept, states = trained(SGD, (1 / 3, 2 / 3))
    assert toy.same_bits(kept, trained(SGD)[0])
    assert [(state.step, state.steps) for state in states] == [(4, 12), (8, 12)]


MEMORY = {"sgd": "momentum_buffer", "adamw": "exp_avg"}


@pytest.mark.parametrize("optimizer", MEMORY)
def test_the_schedule_and_the_memory_go_on_where_they_were(optimizer, steps):
    recipe, name = SGD.model_copy(update={"optimizer": optimizer}), MEMORY[optimizer]
    _, (state,) = trained(recipe, (2 / 3,))
    rates = [rate for rate, _ in steps[8:]]
    oblivious = {key: torch.zeros_like(t) if "optimiser" in key else t for key, t in state.tensors.items()}
    after = []
    for one in (state, replace(state, tensors=oblivious)):
        steps.clear()
        go_on(net(), SAMPLES, recipe, one, generator=torch.Generator().manual_seed(9))
        assert [rate for rate, _ in steps] == rates
        after.append(steps[1][1][name])
    # Both add the same gradient to 0.9 of what they remember.
    old = state.tensors[f"optimiser.0.{name}"]
    assert old.any()
    torch.testing.assert_close(after[0] - after[1], 0.9 * old, rtol=1e-4, atol=1e-6)


def test_it_starts_at_the_weights_that_were_kept():
    _, states = trained(SGD, (1 / 3, 2 / 3))
    model, still = (
        net(),
        SGD.model_copy(update={"learning_rate": 1e-30, "momentum": 0.0, "weight_decay": 0.0}),
    )
    go_on(model, SAMPLES, still, states[1], generator=torch.Generator())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, states[1].tensors[f"weights.{name}"]), name


def test_the_last_state_at_or_before_the_share_is_taken():
    materials = toy.materials("classes")
    shares = [unlearn(Rewind(to=to), toy.parent(), materials, seed=0).method.to for to in (0.9, 0.7, 0.5)]
    assert shares == [pytest.approx(share, abs=0.01) for share in (5 / 6, 2 / 3, 1 / 2)]


def test_without_a_state_that_early_it_says_which_there_are():
    with pytest.raises(UnlearningError, match=r"at or before 0\.01 of the training, only 0\.02, "):
        unlearn(Rewind(to=0.01), toy.parent(), toy.materials("classes"), seed=0)


def test_without_states_it_is_refused():
    with pytest.raises(UnlearningError, match=r"needs .*states.*, which is not available"):
        unlearn(Rewind(), toy.parent(), replace(toy.materials("classes"), states=None), seed=0)
