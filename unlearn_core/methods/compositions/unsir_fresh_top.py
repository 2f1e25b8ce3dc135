"""Impair and repair, a fresh top, and a further repair."""

from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.methods.compositions.composition import Composition
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.unsir import Unsir


class UnsirFreshTop(Composition):
    """Take the class out of the features by learnt noise, then give the last layer fresh weights, and repair.

    ``unsir`` (arXiv 2111.08947), then ``fresh_top`` (after EU-k, arXiv 2201.06640), for the same reasons as
    ``pgu_fresh_top``. The forgotten class's training data is never touched.

    Attributes:
        unsir: The hyper-parameters of the first step.
        fresh_top: Those of the second. Given here, they replace all of these defaults.
        repair: Those of the repair.
    """

    name: Literal["unsir_fresh_top"] = "unsir_fresh_top"
    unsir: Unsir = Field(default=Unsir())
    fresh_top: FreshTop = Field(default=FreshTop(layers=1))
    repair: Repair = Field(default=Repair())

    summary: ClassVar[str] = "damage by learnt noise, then fresh weights for the last layer, and repair"
    does: ClassVar[str] = (
        "teaches the model noise in place of the forgotten data and then gives its last layer fresh weights"
    )
