"""Where a search is to bring a model."""

from unlearn_core.aiming import Quantities, aim_at
from unlearn_core.records.aim import Aim
from unlearn_core.records.policy import Band, Failing


def aim_within(
    stands: Quantities, measurement: str, width: float, *, below_means: Failing = "under_forgotten"
) -> Aim | None:
    """Aim at where a model stands, by one measurement, within a band of a width on either side."""
    band = Band(
        measurement=measurement,
        below=width,
        above=width,
        below_means=below_means,
        above_means="over_forgotten" if below_means == "under_forgotten" else "under_forgotten",
    )
    return aim_at(stands, [band], reference="sha256:" + "0" * 64)
