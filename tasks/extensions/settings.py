"""The settings of another package's source of data: ``params.yaml`` cannot be read without them."""

from typing import Any, get_args

from tasks.extensions.discovery import load_asked, offers
from unlearn_core.catalogue import misnamed, name_of
from unlearn_core.records.params import ImageSource, OwnSettings

OWN_NAMES = tuple(name_of(settings, "source") for settings in get_args(OwnSettings))
"""The names of Lethe's own sources."""


def other_settings(section: Any) -> tuple[type[ImageSource], ...]:
    """Return the settings of the source that a section names, if an installed package offers it.

    Args:
        section: The section ``dataset`` of ``params.yaml``, not validated yet.

    Returns:
        One class or none: validation refuses a source that nobody offers.
    """
    name = section.get("source") if isinstance(section, dict) else None
    if name is None or not any(offer.name == name for offer in offers("source")):
        return ()
    (kind,) = load_asked("source", [name], own=OWN_NAMES, flaws=settings_flaws)
    return (kind.settings,)


def settings_flaws(kind: object) -> list[str]:
    """Return why a source's settings cannot be read; empty if they can."""
    settings = getattr(kind, "settings", None)
    if not isinstance(settings, type) or not issubclass(settings, ImageSource):
        return [f"its `settings` are {settings!r}, not derived from {ImageSource.__module__}.ImageSource"]
    return misnamed(settings, "source")
