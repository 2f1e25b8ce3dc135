"""Projected-gradient unlearning, a fresh top, and a repair."""

from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.methods.compositions.composition import Composition
from unlearn_core.methods.fresh_top import FreshTop
from unlearn_core.methods.pgu import Pgu
from unlearn_core.methods.repair import Repair


class PguFreshTop(Composition):
    """Take the forgotten data out of the features, then give the last layer fresh weights, and repair.

    After ``pgu`` (arXiv 2312.04095) a probe of the features finds little, and the class is relearnt at once;
    after ``fresh_top`` (EU-k, arXiv 2201.06640) it is relearnt slowly, and the features tell it as before.
    One after the other they give both. Accuracy that the first step costs comes back with the others, so its
    search allows more of it and ends sooner; without its entropy term the model is not left too unsure.

    Attributes:
        pgu: The hyper-parameters of the first step. Given here, they replace all of these defaults.
        fresh_top: Those of the second; given here, likewise.
        repair: Those of the repair.
    """

    name: Literal["pgu_fresh_top"] = "pgu_fresh_top"
    pgu: Pgu = Field(
        default=Pgu(retained_variance=0.8, entropy_weight=0.0, attempts=2, epochs=20, max_retain_drop=0.1)
    )
    fresh_top: FreshTop = Field(default=FreshTop(layers=1))
    repair: Repair = Field(default=Repair())

    summary: ClassVar[str] = (
        "take the data out of the features, then fresh weights for the last layer, and repair"
    )
    does: ClassVar[str] = (
        "pushes what the model has learnt away from the forgotten data and then gives its last layer fresh "
        "weights"
    )
