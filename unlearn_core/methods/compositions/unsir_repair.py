"""Impair and repair, and then a further repair."""

from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.methods.compositions.composition import Composition
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.unsir import Unsir


class UnsirRepair(Composition):
    """Damage the class with learnt noise, repair briefly, and go on repairing while that helps.

    ``unsir`` (arXiv 2111.08947), whose own repair is as short as published, then ``repair`` on all retained
    data. The forgotten class's training data is never touched.

    Attributes:
        unsir: The hyper-parameters of impair and repair.
        repair: Those of the further repair.
    """

    name: Literal["unsir_repair"] = "unsir_repair"
    unsir: Unsir = Field(default=Unsir())
    repair: Repair = Field(default=Repair())

    summary: ClassVar[str] = "damage by learnt noise and a repair as long as it helps; never sees the class"
    does: ClassVar[str] = (
        "teaches the model noise in place of the forgotten data, then repairs what else was harmed for as "
        "long as that helps"
    )
