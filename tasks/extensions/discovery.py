"""What installed packages offer under which name. No package's code runs before its name is asked for."""

import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tasks.extensions.code import package_digest
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.provenance import Extension, ExtensionKind
from unlearn_core.spelling import did_you_mean

OWN = "Lethe itself (lethe-unlearning)"

Flaws = Callable[[object], list[str]]
"""Returns why something cannot be used; empty if it can."""


@dataclass(frozen=True)
class Offer:
    """One entry point of an installed package: a named class.

    Attributes:
        kind: What it claims to be.
        name: Its name in ``params.yaml``.
        package: The package's name.
        version: The package's version.
        entry: Where the class is.
    """

    kind: ExtensionKind
    name: str
    package: str
    version: str
    entry: EntryPoint = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    def record(self) -> Extension:
        """Return its entry in records: the package, its version and the digest of its code."""
        code = package_digest(self.entry.module)
        return Extension(
            kind=self.kind, name=self.name, package=self.package, version=self.version, code=code
        )

    def load(self, flaws: Flaws) -> Any:
        """Import the class.

        Args:
            flaws: Returns why what was found cannot be used.

        Returns:
            The class.

        Raises:
            ConfigurationError: If it cannot be imported or used; the message names the package and every
                reason.
        """
        found = None
        try:
            found = self.entry.load()
            reasons = flaws(found)
        except Exception as error:  # whatever somebody else's code raises
            reasons = [f"{type(error).__name__}: {error}"]
        if reasons:
            raise ConfigurationError(
                f"the {self.kind} {self.name!r} of {self} ({self.entry.value}) cannot be used: "
                + "; ".join(reasons)
            )
        return found


def offers(kind: ExtensionKind) -> tuple[Offer, ...]:
    """Return what installed packages offer of one kind, by name."""
    return _offers(kind, tuple(sys.path))


@cache
def _offers(kind: ExtensionKind, _path: tuple[str, ...]) -> tuple[Offer, ...]:
    """Search the environment once per module search path."""
    found = (
        Offer(kind, entry.name, entry.dist.name, entry.dist.version, entry)
        for entry in entry_points(group=f"lethe.{kind}s")
        if entry.dist is not None
    )
    return tuple(sorted(found, key=lambda offer: (offer.name, offer.package)))


def asked(kind: ExtensionKind, names: Iterable[str], *, own: Collection[str]) -> tuple[Offer, ...]:
    """Return the offers that some names refer to; Lethe's own names are left out.

    Args:
        kind: What is asked for.
        names: The names.
        own: The names of Lethe's own.

    Returns:
        The offers, in the order of the names.

    Raises:
        ConfigurationError: If a name refers to nothing, or is ambiguous; every problem is listed, with the
            packages.
    """
    found, problems = list[Offer](), list[str]()
    for name in names:
        claims = [offer for offer in offers(kind) if offer.name == name]
        claimants = [*([OWN] if name in own else []), *map(str, claims)]
        if not claimants:
            problems.append(_unknown(kind, name, own))
        elif len(claimants) > 1:
            problems.append(clash(kind, name, claimants))
        else:
            found += claims
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(found)


def clash(kind: ExtensionKind, name: str, claimants: Iterable[str]) -> str:
    """Return the message that a name is ambiguous."""
    return (
        f"the {kind} {name!r} is offered by {' and by '.join(claimants)}; a name must be unique: "
        "rename it in one of them, or uninstall that one"
    )


def _unknown(kind: ExtensionKind, name: str, own: Collection[str]) -> str:
    others = [f"{offer.name} ({offer})" for offer in offers(kind)]
    packages = f"; installed packages offer {', '.join(others)}" if others else ""
    hint = did_you_mean(name, [*own, *(offer.name for offer in offers(kind))])
    return f"there is no {kind} {name!r}; {hint}Lethe has {', '.join(sorted(own))}{packages}"


def load_asked(
    kind: ExtensionKind, names: Iterable[str], *, own: Collection[str], flaws: Flaws
) -> tuple[Any, ...]:
    """Load what some names refer to, except Lethe's own; see ``asked`` and ``Offer.load``."""
    return tuple(offer.load(flaws) for offer in asked(kind, names, own=own))


def extension_of(kind: ExtensionKind, loaded: type) -> Extension | None:
    """Return the package that a class comes from, as records name it; None for Lethe's own.

    Args:
        kind: What the class is.
        loaded: The class; it may belong to no package, if a program defined it itself.

    Returns:
        The package, its version and the digest of its code.
    """
    for offer in offers(kind):
        if _already_loaded(offer.entry) is loaded:
            return offer.record()
    return None


def _already_loaded(entry: EntryPoint) -> object:
    """Return an entry point's class if its module is already imported; nothing is imported here."""
    found: object = sys.modules.get(entry.module)
    for name in entry.attr.split("."):
        found = getattr(found, name, None)
    return found
