"""All adversaries, by name: what every gate is to refuse."""

from collections.abc import Mapping

from unlearn_core.adversaries.head_training import HeadDistillation, NeighbourShuffling
from unlearn_core.adversaries.long_ascent import LongAscent
from unlearn_core.adversaries.mixing import Mixing
from unlearn_core.adversaries.recognition import Recognition
from unlearn_core.adversaries.suppression import BiasShift, Suppression
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Method
from unlearn_core.methods.delete_distill import DeleteDistill
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.records.artifact import Recipe

_FASTER = Recipe(
    optimizer="adamw", learning_rate=1e-3, weight_decay=0.0, schedule="constant", epochs=10, batch_size=64
)
"""Of masked distillation; at its published rate it does nothing to a small net."""
_HEAD_ALONE = _FASTER.model_copy(update={"learning_rate": 0.01})

SUITE: Mapping[str, Method] = {
    "suppression": Suppression(),
    "bias_shift": BiasShift(),
    "mixing_shares": Mixing(form="shares", size=3.0, lowered_by=12.0),
    "mixing_signs": Mixing(form="signs", size=0.3, lowered_by=16.0),
    "new_head": FreshTop(layers=1, epochs=1),
    "head_distillation": HeadDistillation(),
    "shuffled_head": NeighbourShuffling(layers="head", recipe=_HEAD_ALONE),
    "shuffled_all": NeighbourShuffling(layers="all"),
    "masked_distillation": DeleteDistill(recipe=_FASTER),
    "recognition": Recognition(),
    "long_ascent": LongAscent(),
}
"""What is random in one is drawn anew for every seed that it is run with."""


def adversaries_for(scope: ScopeKind) -> dict[str, Method]:
    """Return the adversaries that can pretend to forget classes, or samples."""
    return {name: method for name, method in SUITE.items() if scope in method.scopes}
