"""Rewinding: go back to an earlier state of the training, and on without the forgotten data."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from unlearn_core.errors import UnlearningError
from unlearn_core.kinds import ScopeKind
from unlearn_core.layers import all_trained
from unlearn_core.method import Choice, Dimension, Materials, Method, Need, needed
from unlearn_core.progress import OnStep
from unlearn_core.records.artifact import Recipe
from unlearn_core.records.result import Coverage
from unlearn_core.rewinding import TrainingState, go_on
from unlearn_core.training import refuse_single


class Rewind(Method):
    """Go back to a state that was kept while the model was trained, and train on without the forgotten data.

    Mu & Klabjan, "Rewind-to-Delete: Certified Machine Unlearning for Nonconvex Functions", NeurIPS 2025,
    arXiv 2409.09778. The state is weights and what the optimiser remembers; from there the recipe's own
    schedule goes on, on the retained data. It costs what is left of the training: a third, from a state at
    two thirds. Rewinding to 0 is retraining, bit for bit.

    A class that the state knows well is not forgotten by a few epochs without it: the later the state, the
    cheaper, and the less is forgotten. The states must have been kept, with ``parent: {keep: [...]}`` in
    ``params.yaml``; an adopted model has none. Every state but the one at 0 has seen the forgotten data. The
    paper's bound on what is left of it needs constants that nobody knows for a deep net, so none is stated.

    Attributes:
        to: The share of the training to go back to: the last state that was kept at or before it is taken.
        recipe: How to go on; None takes the recipe of the model's own card.
    """

    name: Literal["rewind"] = "rewind"
    to: float = Field(default=2 / 3, ge=0, lt=1)
    recipe: Recipe | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({Need.RETAIN, Need.ORIGIN, Need.STATES})
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes", "samples"})
    summary: ClassVar[str] = "go back to an earlier state of the training, and on without the forgotten data"
    does: ClassVar[str] = (
        "takes the model as it was earlier in its training and trains it on, without the data"
    )
    space: ClassVar[dict[str, Dimension]] = {"to": Choice(options=(1 / 2, 2 / 3, 5 / 6))}

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple["Rewind", Coverage]:
        """Replace every weight of ``model``; see ``Method.apply``."""
        retain, origin = needed(materials.retain, Need.RETAIN), needed(materials.origin, Need.ORIGIN)
        refuse_single(retain)
        recipe = self.recipe or origin.recipe
        state = self._state(needed(materials.states, Need.STATES))
        if state is None:
            model.load_state_dict(origin.untrained().state_dict())
        model.requires_grad_(True)
        go_on(model, retain, recipe, state, generator=generator, on_step=on_step)
        return self.model_copy(update={"to": state.share if state else 0.0, "recipe": recipe}), all_trained(
            model
        )

    def _state(self, states: tuple[TrainingState, ...]) -> TrainingState | None:
        """Return the last state at or before the share asked for; None is the beginning.

        Raises:
            UnlearningError: If every state is later.
        """
        if self.to == 0:
            return None
        # Steps are whole numbers: a state that was asked for at the same share may lie just after it.
        earlier = [state for state in states if state.share <= self.to + 0.5 / state.steps]
        if not earlier:
            found = ", ".join(f"{state.share:.3g}" for state in states) or "none"
            raise UnlearningError(
                f"no state was kept at or before {self.to:.3g} of the training, only {found}; set `to` higher"
            )
        return max(earlier, key=lambda state: state.share)
