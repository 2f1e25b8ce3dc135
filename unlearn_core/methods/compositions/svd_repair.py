"""Class projection, and then a repair."""

from typing import ClassVar, Literal

from pydantic import Field

from unlearn_core.methods.compositions.composition import Composition
from unlearn_core.methods.repair import Repair
from unlearn_core.methods.svd import Svd


class SvdRepair(Composition):
    """Project the classes' directions out of every weight, and repair what that has cost.

    ``svd`` (arXiv 2312.00761), then ``repair``: a projection changes weights and leaves the statistics of
    normalisation as they were, which can cost several points of accuracy.

    Attributes:
        svd: The projection's hyper-parameters.
        repair: Those of the repair.
    """

    name: Literal["svd_repair"] = "svd_repair"
    svd: Svd = Field(default=Svd())
    repair: Repair = Field(default=Repair())

    summary: ClassVar[str] = "class projection, then new normalisation statistics and a little fine-tuning"
    does: ClassVar[str] = (
        "takes out the directions in which the model represents the forgotten data, and then adjusts it to "
        "the kept data"
    )
    touches: ClassVar[str] = "all weights; only those that svd touches where no epoch of repair is needed"
