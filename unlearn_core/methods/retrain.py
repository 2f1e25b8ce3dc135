"""Retraining from scratch on the retained data: the exact reference, and the last rung of every ladder."""

from typing import ClassVar, Literal

import torch
from torch import nn

from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.training import fit


class Retrain(Method):
    """Train a fresh net on the retained data by the recipe that the original was trained with.

    The definition of exact unlearning: Bourtoule et al., IEEE S&P 2021, arXiv 1912.03817, section III.

    Attributes:
        recipe: How to train; None takes the recipe of the model's own card.
    """

    name: Literal["retrain"] = "retrain"
    recipe: Recipe | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.ORIGIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "train from scratch without the forgotten data"
    data_parallel: ClassVar[bool] = True
    does: ClassVar[str] = "trains a new model from scratch, without the forgotten data"

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Retrain", Coverage]:
        """Replace every weight of ``model``; see ``Method.apply``."""
        retain = needed(materials.retain, Need.RETAIN)
        origin = needed(materials.origin, Need.ORIGIN)
        recipe = self.recipe or origin.recipe
        model.load_state_dict(origin.untrained().state_dict())
        model.requires_grad_(True)
        fit(model, retain, recipe, generator=generator, on_step=on_step)
        return Retrain(recipe=recipe), all_trained(model)
