"""Subspaces of a layer's inputs, from their second moment.

Two readings of the same eigenbasis: the leading directions that hold most of the data, to be protected
(Saha et al., GPM; Hoang et al., arXiv 2312.04095, eq. 4-6), and every direction weighted by how much of
the data lies in it (Kodge et al., arXiv 2312.00761, eq. 2-4), which does not need the basis.
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
    live, among = _alive(moment)
    values, vectors = torch.linalg.eigh(among)
    spread = moment.new_zeros(len(moment), len(live))
    spread[live] = vectors.flip(1)
    dead = torch.ones(len(moment), dtype=torch.bool, device=moment.device).index_fill_(0, live, False)
    return Eigenbasis(values.flip(0).clamp_min(0), spread, dead)


def leading_rank(basis: Eigenbasis, retained_variance: float, energy: Energy = "singular_values") -> int:
    """Return the smallest number of leading directions that hold more than a share of the energy.

    Args:
        basis: The eigenbasis.
        retained_variance: The share, in [0, 1].
        energy: What it is a share of; the published code takes the singular values.

    Returns:
        The rank; all directions if only all of them hold the share, 0 if there is no energy at all.
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

    Coordinates that are always zero in the protected data are in neither, and are left as they are.

    Attributes:
        factor: ``[live, k]``, an orthonormal basis of the subspace, or of the rest of the live coordinates.
        complement: Whether it is the latter.
        live: ``[live]``, indices of the coordinates that the factor covers; None if it covers all.
    """

    factor: Tensor
    complement: bool
    live: Tensor | None

    @property
    def entire(self) -> bool:
        """Whether nothing is left of any row."""
        return self.complement and self.factor.shape[1] == 0 and self.live is None

    def remove_(self, rows: Tensor) -> Tensor:
        """Replace rows ``[rows, d_in]`` by ``rows (I - U U^T)`` (Hoang et al., eq. 7), in place.

        Allocating memory for every gradient of every step would cost more than copying.

        Returns:
            The rows.
        """
        seen = rows if self.live is None else rows.index_select(1, self.live)
        coordinates = seen @ self.factor
        if self.complement:
            torch.mm(coordinates, self.factor.T, out=seen)
        else:
            seen.addmm_(coordinates, self.factor.T, alpha=-1)
        return rows if self.live is None else rows.scatter_(1, self.live.expand_as(seen), seen)


def protection(basis: Eigenbasis, rank: int) -> Protection:
    """Return the protection of a basis's leading directions."""
    live = (~basis.dead).nonzero().squeeze(1)
    of_live = basis.vectors[live] if basis.dead.any() else basis.vectors
    complement = 2 * rank > len(live)
    factor = (of_live[:, rank:] if complement else of_live[:, :rank]).contiguous()
    return Protection(factor, complement, live if basis.dead.any() else None)


def protection_of_all(moment: Tensor) -> Protection:
    """Return the protection of every direction that data with this second moment has."""
    live = (moment.diagonal() > 0).nonzero().squeeze(1)
    nothing = moment.new_zeros(len(live), 0)
    return Protection(nothing, True, None if len(live) == len(moment) else live)


class ScaledProjection:
    """``M(alpha) = U diag(importance) U^T`` for any alpha (Kodge et al., eq. 3-4), without its eigenvectors.

    With ``r`` the eigenvalues' shares of their sum, importances are ``alpha r / ((alpha - 1) r + 1)``: so
    ``M = alpha C ((alpha - 1) C + I)^-1`` for C of trace one. The inverse is applied by a Cholesky factor,
    which costs a small part of an eigendecomposition, and is never far from singular.
    """

    def __init__(self, moment: Tensor) -> None:
        """Prepare what every alpha needs from a second moment ``[d_in, d_in]``, float64."""
        self._d_in = len(moment)
        self._live, among = _alive(moment)
        self._normed = among / among.trace()
        self._factored: tuple[float, Tensor] | None = None

    def applied(self, rows: Tensor, alpha: float) -> Tensor:
        """Return ``rows M(alpha)``, ``[rows, d_in]``; zero in the coordinates that are always zero.

        Args:
            rows: ``[rows, d_in]``, float64.
            alpha: The scaling coefficient, positive. The larger, the more directions count in full.
        """
        return self.finished(self.begun(rows), alpha)

    def begun(self, rows: Tensor) -> Tensor:
        """Return what all alphas share of applying the projection to ``[rows, d_in]``, float64."""
        return self._normed @ rows[:, self._live].T

    def finished(self, begun: Tensor, alpha: float) -> Tensor:
        """Return ``rows M(alpha)``, ``[rows, d_in]``, from what ``begun`` returned for the rows."""
        within = torch.cholesky_solve(alpha * begun, self._factor(alpha)).T
        return within.new_zeros(len(within), self._d_in).index_copy(1, self._live, within)

    def _factor(self, alpha: float) -> Tensor:
        """Return the Cholesky factor for an alpha; the last one is kept."""
        if self._factored is None or self._factored[0] != alpha:
            self._factored = None  # its memory can be used again
            shifted = (alpha - 1) * self._normed
            shifted.diagonal().add_(1)
            self._factored = alpha, torch.linalg.cholesky(shifted)
        return self._factored[1]


def _alive(moment: Tensor) -> tuple[Tensor, Tensor]:
    """Return the indices of the coordinates that are not always zero, and the moment among them.

    Raises:
        MomentsError: If it is not finite.
    """
    live = (~(moment.diagonal() <= 0)).nonzero().squeeze(1)  # NaN counts as live
    among = moment if len(live) == len(moment) else moment[live][:, live]
    if not torch.isfinite(among).all():
        raise MomentsError("a second moment is not finite; check the model's weights and the inputs")
    return live, among
