"""What edits of the last layer have in common."""

from typing import ClassVar, Self

import torch
from torch import nn

from unlearn_core.adversaries.heads import head_of
from unlearn_core.freezing import freeze_all_but
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Materials, Method
from unlearn_core.progress import OnStep
from unlearn_core.records.result import Coverage


class HeadEdit(Method):
    """Change numbers of the last layer, and nothing else: no feature changes, and nothing is trained."""

    scopes: ClassVar[frozenset[ScopeKind]] = frozenset({"classes"})
    touches: ClassVar[str] = "the last layer's bias"

    def apply(
        self,
        model: nn.Module,
        materials: Materials,
        *,
        generator: torch.Generator,
        on_step: OnStep,  # noqa: ARG002
    ) -> tuple[Self, Coverage]:
        """Change ``model``'s head; see ``Method.apply``."""
        resolved = self.edited(model, materials, generator)
        return resolved, freeze_all_but(model, [head_of(model).name])

    def edited(self, model: nn.Module, materials: Materials, generator: torch.Generator) -> Self:
        """Change ``model``'s head in place.

        Args:
            model: A private copy, in eval mode.
            materials: What the adversary declared.
            generator: A seeded CPU generator, for what is drawn.

        Returns:
            The adversary with every hyper-parameter filled in.
        """
        raise NotImplementedError
