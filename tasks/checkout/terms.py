"""How long what Lethe keeps of its own accord is kept."""

from tasks.checkout.setting import Settings, variable


class TombstoneSettings(Settings):
    """How long forgotten pictures are kept out."""

    days: int | None = variable(
        "LETHE_TOMBSTONE_DAYS",
        None,
        expected="a number of days from 1 to 36500",
        purpose="After how many days new [tombstones](tombstones.md) expire; by default never.",
        ge=1,
        le=36500,
    )
