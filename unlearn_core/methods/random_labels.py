"""Random labels: teach the model something wrong about the forget data."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.data import concatenate
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, Range, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.relabelling import relabelled
from unlearn_core.training import fit


class RandomLabels(Method):
    """Continue training on all data, with a wrong label for each forget sample.

    The "unlearning" of Graves, Nagisetty & Ganesh, "Amnesiac Machine Learning", AAAI 2021, arXiv 2010.10981,
    and the random-labels baseline of Golatkar, Achille & Soatto, arXiv 1911.04933, section 6. Labels are
    drawn once, from the classes that are retained. The defaults are those with which later work compares
    (Chundawat et al., arXiv 2205.08096; Foster et al., arXiv 2308.07707).

    Attributes:
        recipe: Optimiser, schedule and epochs; AdamW without weight decay is Adam.
    """

    name: Literal["random_labels"] = "random_labels"
    recipe: Recipe = Field(
        default=Recipe(
            optimizer="adamw",
            learning_rate=1e-4,
            weight_decay=0.0,
            schedule="constant",
            epochs=3,
            batch_size=128,
        )
    )

    needs: ClassVar[frozenset[Need]] = frozenset({Need.FORGET, Need.RETAIN})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "continue training, with wrong labels for the forget data"
    does: ClassVar[str] = "trains on the forgotten data with wrong labels"
    space: ClassVar[dict[str, Dimension]] = {
        "recipe.learning_rate": Range(low=1e-5, high=0.02, log=True),
        "recipe.epochs": Choice(options=(1, 3, 5)),
    }

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["RandomLabels", Coverage]:
        """Train every weight of ``model``; see ``Method.apply``."""
        model.requires_grad_(True)
        retain, forget = needed(materials.retain, Need.RETAIN), needed(materials.forget, Need.FORGET)
        wrong = relabelled(forget, retain.labels.unique(), generator=generator)
        fit(model, concatenate(wrong, retain), self.recipe, generator=generator, on_step=on_step)
        return self, all_trained(model)
