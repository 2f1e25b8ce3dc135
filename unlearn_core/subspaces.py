"""Subspaces of a layer's inputs, from one eigendecomposition of their second moment.

Two readings of the same eigenbasis: the leading directions that hold most of the data, to be protected
(Saha et al., GPM; Hoang et al., arXiv 2312.04095, eq. 4-6), and every direction weighted by how much of
the data lies in it (Kodge et al., arXiv 2312.00761, eq. 2-3).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from unlearn_core.errors import MomentsError

Energy = Literal["singular_values", "variance"]
"""What retained variance is a share of: the square roots of the eigenvalues, or the eigenvalues."""


@dataclass(frozen=True)
class Eigenbasis:
    """Eigenvalues and eigenvectors of a second moment, without the coordinates that are always zero.

    Attributes:
        values: ``[live]``, descending and not negative.
        vectors: ``[d_in, live]``, orthonormal columns; the rows of dead coordinates are zero.
        dead: ``[d_in]``, True where a coordinate was zero in every row.
    """

    values: Tensor
    vectors: Tensor
    dead: Tensor

    def to(self, like: Tensor) -> "Eigenbasis":
        """Return the basis in the type and on the device of a tensor."""
        return Eigenbasis(self.values.to(like), self.vectors.to(like), self.dead.to(like.device))


def eigenbasis(moment: Tensor) -> Eigenbasis:
    """Decompose one second moment.

    Coordinates that are always zero are dropped first: a padded kernel on a map of one pixel leaves one
    coordinate in nine alive, and the solver is slow or fails on the many equal eigenvalues of the rest.

    Args:
        moment: ``[d_in, d_in]``, symmetric, float64.

    Returns:
        The basis. Eigenvalues that rounding left below zero are zero.

    Raises:
        MomentsError: If it is not finite.
    """
    if not torch.isfinite(moment).all():
        raise MomentsError("a second moment is not finite; check the model's weights and the inputs")
    dead = moment.diagonal() <= 0
    live = (~dead).nonzero().squeeze(1)
    values, vectors = torch.linalg.eigh(moment[live][:, live])
    spread = moment.new_zeros(len(moment), len(live))
    spread[live] = vectors.flip(1)
    return Eigenbasis(values.flip(0).clamp_min(0), spread, dead)


def leading_rank(basis: Eigenbasis, retained_variance: float, energy: Energy = "singular_values") -> int:
    """Return the smallest number of leading directions that hold more than a share of the energy.

    Args:
        basis: The eigenbasis.
        retained_variance: The share, in [0, 1].
        energy: What it is a share of; the published code takes the singular values.

    Returns:
        The rank; all directions if none but all hold the share, 0 if there is no energy at all.
    """
    sizes = basis.values.sqrt() if energy == "singular_values" else basis.values
    if not sizes.any():
        return 0
    share = sizes.cumsum(0) / sizes.sum()
    return min(int((share <= retained_variance).sum()) + 1, len(sizes))


def projector(basis: Eigenbasis, rank: int) -> Tensor:
    """Return the projector onto the leading directions, ``[d_in, d_in]`` (Hoang et al., eq. 6)."""
    leading = basis.vectors[:, :rank]
    return leading @ leading.T


@dataclass(frozen=True)
class Protection:
    """Removes a subspace from rows through the thinner of its own factor and its complement's.

    Attributes:
        factor: ``[d_in, k]``, an orthonormal basis of the subspace, or of the rest of the live coordinates.
        dead: ``[d_in]``, 1 where the coordinate is in neither, as numbers; None if the factor is the
            subspace's own.
    """

    factor: Tensor
    dead: Tensor | None

    def remove(self, rows: Tensor) -> Tensor:
        """Return ``rows (I - U U^T)`` for rows ``[rows, d_in]`` (Hoang et al., eq. 7)."""
        within = (rows @ self.factor) @ self.factor.T
        return rows - within if self.dead is None else within + rows * self.dead


def protection(basis: Eigenbasis, rank: int) -> Protection:
    """Return the protection of a basis's leading directions."""
    if 2 * rank <= len(basis.values):
        return Protection(basis.vectors[:, :rank], None)
    return Protection(basis.vectors[:, rank:], basis.dead.to(basis.vectors))


def importance(basis: Eigenbasis, alpha: float) -> Tensor:
    """Return each direction's importance ``alpha r / ((alpha - 1) r + 1)``, ``[live]``.

    ``r`` is the direction's share of all eigenvalues (Kodge et al., eq. 3).

    Args:
        basis: The eigenbasis.
        alpha: The scaling coefficient, positive. The larger, the more directions count in full.

    Returns:
        Importances in [0, 1]; all zero if there is no energy at all.
    """
    total = basis.values.sum()
    share = basis.values / torch.where(total > 0, total, torch.ones_like(total))
    return alpha * share / ((alpha - 1) * share + 1)


def scaled_projection(basis: Eigenbasis, alpha: float) -> Tensor:
    """Return ``U diag(importance) U^T``, ``[d_in, d_in]`` (Kodge et al., eq. 4)."""
    return (basis.vectors * importance(basis, alpha)) @ basis.vectors.T
