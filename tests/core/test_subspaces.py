"""Subspaces: the factored code against the dense formulas."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unlearn_core.errors import MomentsError
from unlearn_core.subspaces import (
    ScaledProjection,
    eigenbasis,
    leading_rank,
    projector,
    protection,
    protection_of_all,
)

QUICK = settings(max_examples=50, deadline=None)


@st.composite
def moments(draw: st.DrawFn) -> Tensor:
    """Draw a second moment: of any rank, some coordinates always zero."""
    torch.manual_seed(draw(st.integers(0, 2**31)))
    d_in = draw(st.integers(1, 12))
    rows = torch.randn(draw(st.integers(1, 30)), d_in, dtype=torch.float64)
    dead = draw(st.lists(st.integers(0, d_in - 1), max_size=d_in - 1))
    rows[:, dead] = 0
    return rows.T @ rows


@QUICK
@given(moments())
def test_the_basis_gives_the_moment_back(moment: Tensor) -> None:
    basis = eigenbasis(moment)
    torch.testing.assert_close((basis.vectors * basis.values) @ basis.vectors.T, moment)


@QUICK
@given(moments())
def test_the_basis_is_orthonormal_descending_and_without_dead_coordinates(moment: Tensor) -> None:
    basis = eigenbasis(moment)
    live = int((moment.diagonal() > 0).sum())
    torch.testing.assert_close(basis.vectors.T @ basis.vectors, torch.eye(live, dtype=moment.dtype))
    assert (basis.values >= 0).all()
    assert (basis.values.diff() <= 0).all()
    assert int(basis.dead.sum()) == len(moment) - live


def scaled_projection(moment: Tensor, alpha: float) -> Tensor:
    return ScaledProjection(moment).applied(torch.eye(len(moment), dtype=moment.dtype), alpha)


@QUICK
@given(moments(), st.floats(0.1, 1000))
def test_the_scaled_projection_is_the_published_formula(moment: Tensor, alpha: float) -> None:
    """M = U diag(alpha r / ((alpha - 1) r + 1)) U^T (Kodge et al., eq. 3-4)."""
    values, vectors = torch.linalg.eigh(moment)
    share = values.clamp_min(0) / values.clamp_min(0).sum()
    dense = (vectors * (alpha * share / ((alpha - 1) * share + 1))) @ vectors.T
    torch.testing.assert_close(scaled_projection(moment, alpha), dense, rtol=1e-6, atol=1e-8)


def test_one_scaled_projection_serves_alphas_in_any_order() -> None:
    torch.manual_seed(0)
    rows = torch.randn(9, 5, dtype=torch.float64)
    once = ScaledProjection(rows.T @ rows)
    for alpha in (3.0, 100.0, 3.0, 1.0):
        torch.testing.assert_close(once.applied(rows, alpha), rows @ scaled_projection(rows.T @ rows, alpha))


@QUICK
@given(moments(), st.floats(0, 1), st.sampled_from(["singular_values", "variance"]))
def test_the_rank_is_the_smallest_that_holds_more_than_the_share(moment, share, energy) -> None:
    basis = eigenbasis(moment)
    sizes = basis.values.sqrt() if energy == "singular_values" else basis.values
    held = [float(sizes[:k].sum() / sizes.sum()) for k in range(len(sizes) + 1)]
    enough = [k for k, so_far in enumerate(held) if so_far > share and k > 0]
    assert leading_rank(basis, share, energy) == (enough[0] if enough else len(sizes))


@QUICK
@given(moments(), st.integers(0, 12))
def test_removing_a_subspace_equals_the_dense_projection(moment: Tensor, rank: int) -> None:
    basis = eigenbasis(moment)
    rank = min(rank, len(basis.values))
    rows = torch.randn(4, len(moment), dtype=moment.dtype)
    expected = rows - rows @ projector(basis, rank)
    torch.testing.assert_close(protection(basis, rank).remove_(rows.clone()), expected)


@QUICK
@given(moments())
def test_protecting_all_is_protecting_every_direction_there_is(moment: Tensor) -> None:
    basis = eigenbasis(moment)
    rows = torch.randn(4, len(moment), dtype=moment.dtype)
    expected = protection(basis, len(basis.values)).remove_(rows.clone())
    found = protection_of_all(moment)
    torch.testing.assert_close(found.remove_(rows.clone()), expected)
    assert found.entire == bool((moment.diagonal() > 0).all())


def test_the_thinner_factor_is_kept() -> None:
    basis = eigenbasis(torch.diag(torch.arange(1.0, 11.0, dtype=torch.float64)))
    assert protection(basis, 2).factor.shape == (10, 2)
    assert protection(basis, 9).factor.shape == (10, 1)


def test_a_coordinate_that_only_the_other_data_uses_is_not_removed() -> None:
    basis = eigenbasis(torch.diag(torch.tensor([3.0, 2.0, 0.0], dtype=torch.float64)))
    rows = torch.ones(1, 3, dtype=torch.float64)
    torch.testing.assert_close(
        protection(basis, 2).remove_(rows.clone()), torch.tensor([[0.0, 0.0, 1.0]]).double()
    )


def test_a_moment_of_nothing_protects_nothing() -> None:
    basis = eigenbasis(torch.zeros(3, 3, dtype=torch.float64))
    assert leading_rank(basis, 0.9) == 0
    assert not scaled_projection(torch.zeros(3, 3, dtype=torch.float64), 10.0).any()
    rows = torch.ones(2, 3, dtype=torch.float64)
    assert torch.equal(protection(basis, 0).remove_(rows.clone()), rows)


def test_factors_leave_out_the_coordinates_that_are_always_zero() -> None:
    basis = eigenbasis(torch.diag(torch.tensor([4.0, 0.0, 2.0, 0.0, 1.0], dtype=torch.float64)))
    assert protection(basis, 1).factor.shape == (3, 1)
    assert protection(basis, 3).factor.shape == (3, 0)


def test_many_dead_coordinates_do_not_trouble_the_solver() -> None:
    rows = torch.zeros(200, 400, dtype=torch.float64)
    rows[:, 4::9] = torch.randn(200, 44, dtype=torch.float64)
    basis = eigenbasis(rows.T @ rows)
    assert basis.vectors.shape == (400, 44)


@pytest.mark.parametrize("read", [eigenbasis, ScaledProjection])
def test_a_moment_that_is_not_finite_is_refused(read) -> None:
    with pytest.raises(MomentsError, match="not finite"):
        read(torch.full((3, 3), torch.nan, dtype=torch.float64))
