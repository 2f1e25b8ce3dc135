"""The names of a net's tensors in a checkpoint, where wrappers and trainers have put something around them.

``torch.compile``, ``DataParallel`` and the like add a part to names, in front or inside. A trainer puts the
net under a name of its own, and beside it an average of the net, a loss, or an optimizer's state.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from unlearn_core.errors import ConfigurationError
from unlearn_core.names import one_line

_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
_COUNTERS = {"n_averaged"}
_TOP = "."
"""What ``place`` is called where the net lies at the top of the checkpoint."""
_SHOWN = 3


@dataclass(frozen=True)
class Located:
    """Where a net lies in a checkpoint.

    Attributes:
        names: The checkpoint's name of each tensor of the net that it holds.
        unknown: Names among the net's that are none of the net.
        beside: Names of what else the checkpoint holds.
    """

    names: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def locate(
    wanted: Iterable[str], found: Collection[str], *, optional: Collection[str] = (), place: str | None = None
) -> Located:
    """Find the names of a net's tensors among a checkpoint's.

    Args:
        wanted: The net's names.
        found: The checkpoint's names.
        optional: Names of the net that may be missing.
        place: The name under which the net lies, ``.`` for none; None if it lies in one place only.

    Returns:
        The place that holds the whole net, or, if none does, the one that holds most of it.

    Raises:
        ConfigurationError: If the net lies in several places, or not in the one that is named.
    """
    plain = {_unwrapped(name): name for name in wanted}
    places = _places(plain, found)
    whole = sorted(at for at, names in places.items() if not {*plain.values()} - {*names} - {*optional})
    if place is not None:
        at = "" if place == _TOP else _unwrapped(place.rstrip("."))
        if at not in places:
            raise ConfigurationError(f"the weights hold nothing of the net under {place!r}; {_listed(whole)}")
        return _at(at, places, found, whole)
    if len(whole) > 1:
        raise ConfigurationError(
            f"the weights hold the net {len(whole)} times, as with a moving average beside the model: "
            f"{_listed(whole)}\nname the one that is in use with --part"
        )
    most = max(places, key=lambda at: (len(places[at]), -len(at)), default="")
    return _at(whole[0] if whole else most, places, found, whole)


def _places(plain: Mapping[str, str], found: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return, by what is put before them, the checkpoint's names of the net's tensors."""
    places: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name in sorted(found, key=lambda name: (len(name), name)):
        parts = _unwrapped(name).split(".")
        for start in range(len(parts)):
            if (own := plain.get(".".join(parts[start:]))) is not None:
                places[".".join(parts[:start])].setdefault(own, name)
    return dict(places)


def _at(
    at: str, places: Mapping[str, dict[str, str]], found: Collection[str], whole: Collection[str]
) -> Located:
    """Return what lies in a place, and what does not."""
    names = places.get(at, {})
    others = {name for other in whole if other != at for name in places[other].values()}
    rest = sorted({*found} - {*names.values()})
    aside = {name for name in rest if name in others or name in _COUNTERS or not _is_below(name, at)}
    return Located(names, tuple(name for name in rest if name not in aside), tuple(sorted(aside)))


def _is_below(name: str, at: str) -> bool:
    return not at or _unwrapped(name).startswith(f"{at}.")


def _unwrapped(name: str) -> str:
    """Return a name without the parts that wrappers have added."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def _listed(places: Iterable[str]) -> str:
    found = [at or _TOP for at in places]
    return f"it lies under {' and '.join(found)}" if found else "it lies nowhere in whole"


def some_of(names: Collection[str]) -> str:
    """Return the first of some names, on one line, and how many more there are."""
    more = len(names) - _SHOWN
    shown = [one_line(name) for name in list(names)[:_SHOWN]]
    return ", ".join([*shown, *([f"and {more} more"] if more > 0 else [])])
