"""Every source of data: Lethe's in one list, and those that installed packages offer."""

from collections.abc import Mapping
from typing import Any

from tasks.data.digits import Digits
from tasks.data.folders import Folders
from tasks.data.retained import Retained
from tasks.data.source import Source
from tasks.data.tables import ParquetFiles
from tasks.data.torchvision_sets import TorchvisionSets
from tasks.extensions.discovery import load_asked
from tasks.extensions.settings import OWN_NAMES, other_settings, settings_flaws
from unlearn_core.catalogue import name_of, parse_one_of
from unlearn_core.records.base import Record

SOURCES: tuple[Source[Any], ...] = (Digits(), Folders(), TorchvisionSets(), ParquetFiles(), Retained())
"""Lethe's sources; this is the only list of them."""


def parse_dataset(section: Mapping[str, Any]) -> Record:
    """Read the section ``dataset`` of ``params.yaml``, by the settings of the source that it names."""
    kinds = (*(source.settings for source in SOURCES), *other_settings(section))
    return parse_one_of("the data set", kinds, section, tag="source")


def source_of(settings: Record) -> Source[Any]:
    """Return the source that settings are for: Lethe's, or one that an installed package offers."""
    for source in SOURCES:
        if type(settings) is source.settings:
            return source
    name = name_of(type(settings), "source")
    (kind,) = load_asked("source", [name], own=OWN_NAMES, flaws=_flaws)
    return kind()


def _flaws(kind: object) -> list[str]:
    """Return why something is not a source of data that Lethe can read; empty if it is one."""
    if not isinstance(kind, type) or not issubclass(kind, Source):
        return [f"it is {kind!r}, which is not derived from {Source.__module__}.{Source.__name__}"]
    missing = sorted(getattr(kind, "__abstractmethods__", ()))
    return [*settings_flaws(kind), *(f"it does not define `{name}`" for name in missing)]
