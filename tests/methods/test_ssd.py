"""What is special to selective synaptic dampening."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from world import ARCHITECTURE, blobs

from unlearn_core.data import Samples, concatenate
from unlearn_core.errors import ModelError
from unlearn_core.method import Materials
from unlearn_core.methods import ssd
from unlearn_core.methods.ssd import Ssd, default_alpha
from unlearn_core.models import build_seeded
from unlearn_core.unlearning import unlearn

DATA = blobs(30)
FORGET, RETAIN = DATA.of_classes((1,)), DATA.of_classes((1,), exclude=True)


def net() -> nn.Module:
    return build_seeded(ARCHITECTURE, 0).eval()


@given(
    pairs=st.lists(st.tuples(st.floats(0, 8, width=32), st.floats(0, 8, width=32)), min_size=1, max_size=20),
    alpha=st.sampled_from([0.5, 1.0, 10.0]),
    dampening=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
)
def test_dampening_equals_a_naive_loop(
    pairs: list[tuple[float, float]], alpha: float, dampening: float
) -> None:
    of_all, of_forget = (torch.tensor(column) for column in zip(*pairs, strict=True))
    found = Ssd(alpha=alpha, dampening=dampening).factor(of_all, of_forget)
    for factor, whole, part in zip(found.tolist(), of_all.tolist(), of_forget.tolist(), strict=True):
        expected = min(dampening * whole / part, 1.0) if part > alpha * whole else 1.0
        assert factor == pytest.approx(expected, rel=1e-5)


def squares(samples: Samples) -> dict[str, torch.Tensor]:
    model = net()
    F.cross_entropy(model(samples.inputs), samples.labels).backward()
    return {name: p.grad.detach() ** 2 for name, p in model.named_parameters() if p.grad is not None}


def test_every_weight_is_multiplied_as_the_information_of_both_sets_says() -> None:
    # One batch holds all of a set, so that no order of samples can matter.
    method = Ssd(alpha=1.2, dampening=0.7, batch_size=100)
    found = unlearn(method, net(), Materials("classes", (1,), FORGET, RETAIN), seed=0)
    of_all, of_forget, before = squares(concatenate(RETAIN, FORGET)), squares(FORGET), net()
    selected = 0
    for name, after in found.model.named_parameters():
        chosen = of_forget[name] > 1.2 * of_all[name]
        dampened = before.get_parameter(name) * (0.7 * of_all[name] / of_forget[name]).clamp(max=1)
        expected = torch.where(chosen, dampened, before.get_parameter(name))
        torch.testing.assert_close(after, expected, atol=1e-6, rtol=1e-3)
        selected += int(chosen.sum())
    assert 0 < selected < sum(parameter.numel() for parameter in before.parameters())


@pytest.mark.parametrize(
    ("forget", "retain", "alpha"), [(100, 900, 5.0), (50, 950, 10.0), (10, 990, 10.0), (500, 500, 1.0)]
)
def test_alpha_is_within_what_the_share_of_the_forget_data_allows(forget, retain, alpha) -> None:
    assert default_alpha(forget, retain) == alpha


def test_of_a_class_among_few_the_default_selects_something() -> None:
    """The published alpha cannot: information on all data is at least the share times that on the class."""
    materials = Materials("classes", (1,), FORGET, RETAIN)
    found = unlearn(Ssd(batch_size=1), net(), materials, seed=0)
    assert any(entry.treatment == "trained" for entry in found.coverage.parameters)
    with pytest.raises(ModelError, match="ssd changed nothing"):
        unlearn(Ssd(batch_size=1, alpha=10.0), net(), materials, seed=0)


def test_no_weight_grows_and_no_statistic_moves() -> None:
    found = unlearn(Ssd(alpha=1.0, dampening=9.0), net(), Materials("classes", (1,), FORGET, RETAIN), seed=0)
    for name, parameter in found.model.named_parameters():
        assert (parameter.abs() <= net().get_parameter(name).abs()).all()
    for name, buffer in found.model.named_buffers():
        assert torch.equal(buffer, net().get_buffer(name))


@pytest.mark.parametrize(("scope", "ordered"), [("classes", True), ("samples", False)])
def test_batches_are_made_class_by_class_to_forget_classes_alone(
    scope: str, ordered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Samples] = []
    original = ssd.fisher_diagonal
    monkeypatch.setattr(
        ssd,
        "fisher_diagonal",
        lambda model, samples, **rest: seen.append(samples) or original(model, samples, **rest),
    )
    materials = Materials(scope, (1,) if ordered else (), FORGET, RETAIN)  # pyright: ignore[reportArgumentType]
    unlearn(Ssd(alpha=0.5, dampening=0.1), net(), materials, seed=0)
    of_forget, of_all = seen
    labels = of_all.labels[: len(RETAIN)].tolist()
    assert (labels == sorted(labels)) is ordered
    assert of_forget.labels.tolist() == [1] * 10
    assert torch.bincount(of_all.labels).tolist() == [10, 10, 10]
