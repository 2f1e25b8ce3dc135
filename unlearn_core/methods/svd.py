"""Class projection by the singular vectors of layer inputs, without training."""

from collections.abc import Callable, Iterator
from functools import partial
from math import ceil
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unlearn_core.data import Samples, balanced, concatenate
from unlearn_core.kinds import ScopeKind
from unlearn_core.layer import Layer
from unlearn_core.layers import observed_layers, projection_coverage
from unlearn_core.method import Dimension, Materials, Method, Need, Range, Tuning, needed
from unlearn_core.moments import Moments, collect
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.result import Coverage
from unlearn_core.subspaces import ScaledProjection
from unlearn_core.tuning import measure_candidate

PUBLISHED = (100.0, 3.0)
"""(alpha_r, alpha_f) for CIFAR-10 (Kodge et al., section 5), used if there is nothing to tune on."""


class Svd(Method):
    """Project the discriminating part of the forgotten classes' input space out of every layer.

    Kodge, Saha & Roy, "Deep Unlearning: Fast and Efficient Gradient-free Class Forgetting", TMLR 2024,
    arXiv 2312.00761, algorithm 1: with importance-scaled projections M_r and M_f of the retained and the
    forgotten inputs (eq. 4), every weight becomes ``W (I - (M_f - M_f M_r))^T`` (eq. 5-6). The retain
    samples are balanced over all retained classes; every patch of them is used.

    The published search tries every pair of alphas. The score has one ridge, along which more removal and
    more protection cancel out: here the search climbs the grid from the published pair, along rows and
    columns in turn, until no neighbour is better, which takes five to ten trials instead of 25.

    Attributes:
        retain_samples: How many retain samples are used.
        forget_samples: How many forget samples are used.
        alpha_r: How strongly the retain space is protected; None searches ``grid_r``.
        alpha_f: How strongly the forget space is removed; None searches ``grid_f``.
        grid_r: The values to try for ``alpha_r``.
        grid_f: The values to try for ``alpha_f``.
        tuning_samples: The most samples of each kind that a candidate is measured on: retained and held out,
            forgotten and held out, forgotten.
        batch_size: Samples per forward pass.
    """

    name: Literal["svd"] = "svd"
    retain_samples: int = Field(default=900, ge=1)
    forget_samples: int = Field(default=900, ge=1)
    alpha_r: float | None = Field(default=None, gt=0)
    alpha_f: float | None = Field(default=None, gt=0)
    grid_r: tuple[float, ...] = Field(default=(10.0, 30.0, 100.0, 300.0, 1000.0), min_length=1)
    grid_f: tuple[float, ...] = Field(default=(1.0, 3.0, 10.0, 30.0, 100.0), min_length=1)
    tuning_samples: int = Field(default=500, ge=1)
    batch_size: int = Field(default=256, ge=1)

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    uses: ClassVar[frozenset[Need]] = frozenset({Need.TUNING})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    summary: ClassVar[str] = "one forward pass, then project the classes' own directions out of every weight"
    data_parallel: ClassVar[bool] = True
    does: ClassVar[str] = (
        "finds the directions in which the model represents the forgotten data and takes them out"
    )
    touches: ClassVar[str] = "weights of linear layers, convolutions and attention"
    space: ClassVar[dict[str, Dimension]] = {
        "alpha_r": Range(low=3.0, high=3000.0, log=True),
        "alpha_f": Range(low=0.3, high=300.0, log=True),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Svd", Coverage]:
        """Project every covered weight of ``model``; see ``Method.apply``."""
        retain = _draw(needed(materials.retain, Need.RETAIN), self.retain_samples, generator)
        forget = _draw(needed(materials.forget, Need.FORGET), self.forget_samples, generator)
        retain_moments, forget_moments = (
            collect(model, samples, batch_size=self.batch_size, on_demand=True, on_step=on_step)
            for samples in (retain, forget)
        )
        edits = edits_of(model, retain_moments, forget_moments)
        alpha_r, alpha_f = self.alpha_r or PUBLISHED[0], self.alpha_f or PUBLISHED[1]
        tuning = materials.tuning
        if (
            (self.alpha_r is None or self.alpha_f is None)
            and tuning is not None
            and tuning.forget is not None
        ):
            some = [_draw(part, self.tuning_samples, generator) for part in (forget, tuning.forget)]
            unseen = _draw(tuning.retain, self.tuning_samples, generator)
            judged = Tuning(concatenate(*some), unseen, tuning.aim)
            alpha_r, alpha_f = self._search(model, edits, judged, on_step=on_step)
        apply_edits(edits, alpha_r, alpha_f)
        resolved = Svd(**{**dict(self), "alpha_r": alpha_r, "alpha_f": alpha_f})
        return resolved, projection_coverage(model, retain_moments.layers)

    def _search(
        self, model: nn.Module, edits: list["Edit"], judged: Tuning, *, on_step: OnStep
    ) -> tuple[float, float]:
        """Return a pair that scores higher than its neighbours on the grid.

        The forget samples themselves are judged with the held-out ones: there are more of them.
        """
        assert judged.forget is not None
        forget, retain, aim = judged.forget, judged.retain, judged.aim
        scores: dict[tuple[float, float], float] = {}
        # The gentlest first: the weaker the removal, and the stronger the protection, the gentler.
        grid_r = sorted(self.grid_r if self.alpha_r is None else (self.alpha_r,), reverse=True)
        grid_f = sorted(self.grid_f if self.alpha_f is None else (self.alpha_f,))

        def score(place: tuple[int, int]) -> float:
            pair = grid_r[place[0]], grid_f[place[1]]
            if pair not in scores:
                apply_edits(edits, *pair)
                found = measure_candidate(model, forget, retain, aim=aim)
                scores[pair] = found.score
                values = {"alpha_r": pair[0], "alpha_f": pair[1], **found.values()}
                on_step(Step("search", len(scores), len(grid_r) * len(grid_f), values))
            return scores[pair]

        start = _nearest(grid_r, PUBLISHED[0]), _nearest(grid_f, PUBLISHED[1])
        row, column = climb(score, start, (len(grid_r), len(grid_f)))
        return grid_r[row], grid_f[column]


def climb(
    score: Callable[[tuple[int, int]], float], start: tuple[int, int], shape: tuple[int, int]
) -> tuple[int, int]:
    """Climb a grid along its columns and its rows in turn, until no neighbour is better.

    Args:
        score: Of a place, not negative; asked for repeatedly. Zero gives no direction: the search then moves
            to larger indices.
        start: The place to begin at.
        shape: How many rows and columns there are.

    Returns:
        The place; of equal neighbours the one with the smaller indices.
    """

    def along(place: tuple[int, int], way: tuple[int, int]) -> tuple[int, int]:
        further = way > (0, 0)
        while True:
            beside = place[0] + way[0], place[1] + way[1]
            if not (0 <= beside[0] < shape[0] and 0 <= beside[1] < shape[1]):
                return place
            here, there = score(place), score(beside)
            if there < here or (there == here and further == (here > 0)):
                return place
            place = beside

    before = None
    while start != before:
        before = start
        for way in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            start = along(start, way)
    return start


def _nearest(grid: list[float], alpha: float) -> int:
    return min(range(len(grid)), key=lambda index: abs(grid[index] - alpha))


class Edit:
    """One layer's weight, and what all pairs of alphas share.

    ``W P^T = W - (W - W M_r) M_f``: the bracket is computed once for each alpha_r. Only then is the retained
    data's second moment looked at: keeping it for all layers would take as much memory as the forgotten
    data's, which every pair needs.
    """

    def __init__(self, layer: Layer, retain_moment: Callable[[], Tensor], forget_moment: Tensor) -> None:
        self.layer = layer
        self._weights = layer.view(layer.weight.detach().clone()).double()
        self._retain_moment = retain_moment
        self._forget = [ScaledProjection(moment.to(self._weights)) for moment in forget_moment]
        self._begun: dict[float, list[Tensor]] = {}

    def weight(self, alpha_r: float, alpha_f: float) -> Tensor:
        """Return the projected weight, in the weight's shape, float64."""
        if alpha_r not in self._begun:
            self._begun[alpha_r] = list(self._begin(alpha_r))
        projected = self._weights.clone()
        for weight, forget, begun in zip(projected, self._forget, self._begun[alpha_r], strict=True):
            weight.sub_(forget.finished(begun, alpha_f))
        return self.layer.fold(projected)

    def _begin(self, alpha_r: float) -> Iterator[Tensor]:
        for weight, forget, moment in zip(self._weights, self._forget, self._retain_moment(), strict=True):
            retain = ScaledProjection(moment.to(weight))
            yield forget.begun(weight - retain.applied(weight, alpha_r))


def edits_of(model: nn.Module, retain_moments: Moments, forget_moments: Moments) -> list[Edit]:
    """Prepare the edit of every observed layer.

    Args:
        model: The model that the moments were taken of.
        retain_moments: Moments of the retain samples.
        forget_moments: Moments of the forget samples.

    Returns:
        One edit per weight.
    """
    return [
        Edit(layer, partial(retain_moments.layers.__getitem__, name), forget_moments.layers[name])
        for name, layer in observed_layers(model, retain_moments.layers).items()
    ]


def apply_edits(edits: list[Edit], alpha_r: float, alpha_f: float) -> None:
    """Write every weight that the pair of alphas makes of the original (Kodge et al., eq. 5-6)."""
    with torch.no_grad():
        for edit in edits:
            edit.layer.weight.copy_(edit.weight(alpha_r, alpha_f))


def _draw(samples: Samples, count: int, generator: torch.Generator) -> Samples:
    """Draw about ``count`` samples, the same number of every class that occurs."""
    return balanced(samples, ceil(count / len(samples.labels.unique())), generator=generator)
