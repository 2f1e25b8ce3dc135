"""Second moments: against the naive sum, and as a set of numbers that adds and subtracts."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unlearn_core.data import Samples
from unlearn_core.errors import MomentsError
from unlearn_core.moments import Moments, add, collect, subtract
from unlearn_core.progress import Step


def small_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, stride=2, groups=2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(16, 3),
    )


def some_samples(count: int = 30, seed: int = 0) -> Samples:
    generator = torch.Generator().manual_seed(seed)
    return Samples(torch.randn(count, 2, 6, 6, generator=generator), torch.zeros(count, dtype=torch.int64))


def assert_same(first: Moments, second: Moments) -> None:
    assert first.layers.keys() == second.layers.keys()
    assert (first.positions, first.samples) == (second.positions, second.samples)
    for name, moment in first.layers.items():
        scale = float(second.layers[name].abs().max())
        torch.testing.assert_close(moment, second.layers[name], rtol=1e-6, atol=1e-6 * scale)


def test_a_linear_layers_moment_is_the_sum_of_outer_products() -> None:
    net, samples = nn.Sequential(nn.Flatten(), nn.Linear(72, 3)), some_samples()
    rows = samples.inputs.flatten(1).double()
    expected = torch.stack([torch.outer(row, row) for row in rows]).sum(0)
    torch.testing.assert_close(collect(net, samples).layers["1"][0], expected, rtol=1e-5, atol=1e-5)


def test_float64_models_have_float64_moments() -> None:
    net, samples = nn.Sequential(nn.Flatten(), nn.Linear(72, 3)).double(), some_samples()
    rows = samples.inputs.flatten(1).double()
    found = collect(net, Samples(rows, samples.labels)).layers["1"][0]
    torch.testing.assert_close(found, rows.T @ rows, rtol=1e-13, atol=1e-13)


def test_grouped_convolutions_have_one_moment_per_group() -> None:
    moments = collect(small_net(), some_samples())
    assert {name: tuple(moment.shape) for name, moment in moments.layers.items()} == {
        "0": (1, 18, 18),
        "3": (2, 18, 18),
        "6": (1, 16, 16),
    }
    assert moments.positions == {"0": 30 * 36, "3": 30 * 4, "6": 30}


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 29), st.integers(1, 40))
def test_adding_and_subtracting_parts_equals_collecting_directly(cut: int, batch_size: int) -> None:
    net, samples = small_net().double(), some_samples()
    samples = Samples(samples.inputs.double(), samples.labels)
    rows = torch.arange(len(samples))
    first = collect(net, samples.subset(rows[:cut]), batch_size=batch_size)
    second = collect(net, samples.subset(rows[cut:]))
    whole = collect(net, samples)
    assert_same(add(first, second), whole)
    assert_same(subtract(whole, first), second)


def test_moments_on_demand_are_the_same_bits_and_are_not_kept() -> None:
    net, samples = small_net(), some_samples()
    part = samples.subset(torch.arange(10))
    whole, kept = collect(net, samples), collect(net, part)
    asked = collect(net, part, on_demand=True)
    left, left_asked = subtract(whole, kept), subtract(whole, asked, on_demand=True)
    assert list(asked.layers) == list(kept.layers)
    assert (asked.positions, asked.samples) == (kept.positions, kept.samples)
    for name in kept.layers:
        for _ in range(2):  # laying one out does not use its sums up
            assert torch.equal(asked.layers[name], kept.layers[name])
            assert torch.equal(left_asked.layers[name], left.layers[name])
        assert left_asked.layers[name] is not left_asked.layers[name]
    with pytest.raises(KeyError):
        asked.layers["nothing"]


def test_moments_on_demand_are_refused_where_the_others_are() -> None:
    net, samples = small_net(), some_samples()
    part = collect(net, samples.subset(torch.arange(10)), on_demand=True)
    with pytest.raises(MomentsError, match="are not contained"):
        subtract(part, collect(net, samples), on_demand=True)


def test_a_module_that_is_called_twice_sums_its_calls() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(self.linear(input=x))

    net = Twice().double()
    inputs = torch.randn(7, 4).double()
    moments = collect(net, Samples(inputs, torch.zeros(7, dtype=torch.int64)))
    rows = torch.cat([inputs, net.linear(inputs).detach()])
    torch.testing.assert_close(moments.layers["linear"][0], rows.T @ rows)
    assert moments.positions == {"linear": 14}


def test_a_layer_that_is_never_called_has_no_moment() -> None:
    class Partly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    moments = collect(Partly(), Samples(torch.randn(3, 4), torch.zeros(3, dtype=torch.int64)))
    assert list(moments.layers) == ["used"]


def test_the_model_is_left_as_it_was_found() -> None:
    net = small_net().train()
    net.get_submodule("1").eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    collect(net, some_samples())
    assert modes == [module.training for module in net.modules()]
    assert not any(module._forward_pre_hooks for module in net.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_hooks_come_off_and_modes_come_back_when_the_model_fails() -> None:
    net = small_net().train()
    broken = Samples(torch.randn(2, 2, 9, 9), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(RuntimeError):
        collect(net, broken)
    assert not any(module._forward_pre_hooks for module in net.modules())
    assert all(module.training for module in net.modules())


def test_every_batch_is_told() -> None:
    steps: list[Step] = []
    collect(small_net(), some_samples(30), batch_size=8, on_step=steps.append)
    assert [(step.phase, step.index, step.total) for step in steps] == [
        ("moments", index, 4) for index in (1, 2, 3, 4)
    ]


def test_float32_models_subtract_cleanly_whatever_the_batches() -> None:
    net, samples = small_net(), some_samples(200)
    rows = torch.arange(len(samples))
    whole = collect(net, samples, batch_size=64)
    everything_but_one = collect(net, samples.subset(rows[1:]), batch_size=17)
    assert subtract(whole, everything_but_one).samples == 1
    assert subtract(whole, collect(net, samples, batch_size=7)).samples == 0


def relative_error(found: Moments, expected: Moments) -> float:
    """Return the largest of the layers' errors, Frobenius norm by Frobenius norm."""
    return max(
        float((moment - expected.layers[name]).norm() / expected.layers[name].norm())
        for name, moment in found.layers.items()
    )


def test_ten_subtractions_leave_what_collecting_the_rest_gives() -> None:
    net, samples = small_net(), some_samples(500)
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))
    left = collect(net, samples, batch_size=64)
    for part in order[:450].split(45):
        left = subtract(left, collect(net, samples.subset(part), batch_size=7))
    directly = collect(net, samples.subset(order[450:]), batch_size=256)
    assert left.samples == 50
    assert relative_error(left, directly) < 1e-6


def test_autocast_and_shorter_numbers_around_a_pass_leave_its_products_alone() -> None:
    net, samples = nn.Sequential(nn.Flatten(), nn.Linear(72, 3)), some_samples()
    with torch.autocast("cpu", torch.bfloat16):
        short = collect(net, samples)
    assert relative_error(short, collect(net, samples)) == 0


def crowded(net: nn.Module, layer: str, room: int) -> nn.Module:
    """Let a layer run out of memory when it is shown more samples than there is room for."""

    def refuse(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        if len(args[0]) > room:
            raise torch.OutOfMemoryError

    net.get_submodule(layer).register_forward_pre_hook(refuse)
    return net


@pytest.mark.parametrize("layer", ["0", "3", "6"])
def test_running_out_of_memory_halves_the_batch_and_counts_no_sample_twice(layer: str) -> None:
    net, samples, steps = small_net().double(), some_samples(50), list[Step]()
    samples = Samples(samples.inputs.double(), samples.labels)
    expected = collect(net, samples)
    found = collect(crowded(net, layer, room=5), samples, batch_size=32, on_step=steps.append)
    assert found.positions == expected.positions
    torch.testing.assert_close(found.layers, expected.layers)
    assert [(step.index, step.total, step.values) for step in steps] == [
        (1, 2, {"batch_size": 4}),
        (2, 2, {"batch_size": 4}),
    ]


def test_a_layer_that_is_called_twice_counts_no_sample_twice_either() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.linear(self.linear(x)))

    torch.manual_seed(0)
    net, samples = Twice().double(), Samples(torch.randn(20, 4).double(), torch.zeros(20).long())
    expected = collect(net, samples)
    found = collect(crowded(net, "last", room=3), samples)
    assert found.positions == expected.positions == {"linear": 40, "last": 20}
    torch.testing.assert_close(found.layers, expected.layers)


def test_no_memory_for_a_single_sample_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        collect(crowded(small_net(), "3", room=0), some_samples())


def test_subtracting_other_data_is_refused() -> None:
    net = small_net()
    with pytest.raises(MomentsError, match="smallest eigenvalue -"):
        subtract(collect(net, some_samples(30)), collect(net, some_samples(10, seed=1)))


def test_subtracting_at_other_weights_is_refused() -> None:
    samples = some_samples(30)
    part = samples.subset(torch.arange(20))
    with pytest.raises(MomentsError, match="collect the whole again"):
        subtract(collect(small_net(0), samples), collect(small_net(1), part))


def test_subtracting_the_whole_from_a_part_is_refused() -> None:
    net, samples = small_net(), some_samples(30)
    with pytest.raises(MomentsError, match="not contained"):
        subtract(collect(net, samples.subset(torch.arange(10))), collect(net, samples))


@pytest.mark.parametrize("combine", [add, subtract])
def test_moments_of_other_layers_are_refused_by_name(combine) -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(72, 3))
    with pytest.raises(MomentsError, match="1: None and"):
        combine(collect(small_net(), some_samples()), collect(other, some_samples()))


def test_rows_that_the_whole_never_had_are_refused_even_where_it_is_zero() -> None:
    whole = Moments({"a": torch.diag(torch.tensor([4.0, 0.0])).double()[None]}, {"a": 4}, 4)
    part = Moments({"a": torch.diag(torch.tensor([1.0, 0.1])).double()[None]}, {"a": 1}, 1)
    with pytest.raises(MomentsError, match=r"a: smallest eigenvalue -0\.1"):
        subtract(whole, part)


def test_a_layer_that_only_ever_saw_zeros_subtracts_to_zeros() -> None:
    nothing = Moments({"a": torch.zeros(1, 3, 3).double()}, {"a": 4}, 4)
    assert not subtract(nothing, nothing).layers["a"].any()


def test_the_tolerance_is_in_units_of_the_largest_eigenvalue() -> None:
    whole = Moments({"a": torch.diag(torch.tensor([100.0, 1.0])).double()[None]}, {"a": 4}, 4)
    part = Moments({"a": torch.diag(torch.tensor([1.0, 1.05])).double()[None]}, {"a": 1}, 1)
    assert subtract(whole, part, tolerance=1e-3).samples == 3
    with pytest.raises(MomentsError):
        subtract(whole, part, tolerance=1e-4)
