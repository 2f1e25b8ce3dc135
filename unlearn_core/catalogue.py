"""Classes of one kind, identified by name: Lethe's own, and those that others wrote."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import Field, TypeAdapter, ValidationError

from unlearn_core.errors import ConfigurationError
from unlearn_core.records.base import Record, canonical_json, describe

R = TypeVar("R", bound=Record)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""A valid name for a method, a metric or a source; files are named after it."""


def name_of(kind: type[Record], tag: str = "name") -> str:
    """Return the name that identifies a class: the default of its field ``tag``."""
    return str(kind.model_fields[tag].default)


def parse_one_of(
    what: str, kinds: tuple[type[R], ...], raw: bytes | str | Mapping[str, Any], *, tag: str = "name"
) -> R:
    """Read a record that names its class, strictly.

    Args:
        what: What it is called in messages.
        kinds: The classes; no two share a name.
        raw: JSON text, or what it decodes to.
        tag: The field that holds the name.

    Returns:
        The record.

    Raises:
        ConfigurationError: If the name or a setting is unknown, or a value has the wrong type or is out of
            range; every problem is listed.
    """
    text = raw if isinstance(raw, bytes | str) else canonical_json(dict(raw))
    try:
        return _adapter(kinds, tag).validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigurationError(describe(what, error)) from error


@cache
def _adapter(kinds: tuple[type[Record], ...], tag: str) -> TypeAdapter[Any]:
    union: Any = kinds[0]
    for kind in kinds[1:]:
        union |= kind
    return TypeAdapter(Annotated[union, Field(discriminator=tag)])  # pyright: ignore


def flaws(kind: object, base: type[Record], *, verb: str) -> list[str]:
    """List the reasons why something cannot be in a catalogue.

    Args:
        kind: The class to check.
        base: The class that it must derive from; it must set what that declares without a value.
        verb: The function that it must define.

    Returns:
        The reasons; empty if there are none.
    """
    if not isinstance(kind, type) or not issubclass(kind, base):
        return [f"it is {kind!r}, which is not derived from {base.__module__}.{base.__name__}"]
    asked = (name for name, hint in base.__annotations__.items() if get_origin(hint) is ClassVar)
    missing = [name for name in asked if not hasattr(kind, name)]
    open_ = [name for name, field in kind.model_fields.items() if name != "name" and field.is_required()]
    return [
        *misnamed(kind),
        *(f"the class does not set `{name}`" for name in missing),
        *(f"the setting `{name}` has no default" for name in open_),
        *([f"it does not define `{verb}`"] if getattr(kind, verb) is getattr(base, verb) else []),
    ]


def misnamed(kind: type[Record], tag: str = "name") -> list[str]:
    """List what is wrong with the field that holds a class's name."""
    field = kind.model_fields.get(tag)
    name = None if field is None else field.default
    if field is None or get_origin(field.annotation) is not Literal or get_args(field.annotation) != (name,):
        return [f'it must name itself by a field such as `{tag}: Literal["mine"] = "mine"`']
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        return [f"the name {name!r} is not lower-case letters, digits and underscores"]
    return []
