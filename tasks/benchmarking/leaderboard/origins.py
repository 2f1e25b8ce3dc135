"""Where the settings of a method on a leaderboard are from: its defaults, a preset, a person, or a search."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.configured import configured_method
from unlearn_core.method import settled
from unlearn_core.presets import with_presets
from unlearn_core.records.benchmark import SettingsOrigin
from unlearn_core.records.tuning import TuningRecord


def settings_origin(checkout: Checkout, name: str) -> SettingsOrigin | None:
    """Say where a method's settings are from.

    Args:
        checkout: The checkout that configures it.
        name: The method's name, or that of the original.

    Returns:
        The origin; None for what is no configured method.
    """
    if name not in checkout.params.methods:
        return None
    method = configured_method(checkout, name)
    searches = (
        read_record(path, TuningRecord)
        for path in sorted((checkout.root / "evidence").glob(f"*/tuning_{name}.json"))
    )
    trials = [len(one.trials) for one in searches if one.chosen and settled(method, one.chosen) == method]
    if trials:
        return SettingsOrigin(source="tuned", trials=max(trials), settings=method.digest)
    if checkout.params.methods[name]:
        return SettingsOrigin(source="given", settings=method.digest)
    preset = with_presets({name: {}}, read_checkpoint_card(checkout.parent).architecture.name)[name]
    return SettingsOrigin(source="preset" if preset else "default", settings=method.digest)
