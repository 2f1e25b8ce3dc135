"""What a request names: classes, and samples and subjects by pseudonym, of one kind or of several."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from unlearn_core.records.base import Pseudonym, Record


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name given twice: what is forgotten twice would weigh twice."""
    if len(set(names)) < len(names):
        raise ValueError("a name is given twice; name each once")
    return names


class ClassScope(Record):
    """Every training row of some classes; their held-out rows serve the judgement only."""

    kind: Literal["classes"] = "classes"
    classes: Annotated[tuple[str, ...], AfterValidator(_once)] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """What is named."""
        return self.classes


class SampleScope(Record):
    """Single training rows, by the pseudonyms of their ids."""

    kind: Literal["samples"] = "samples"
    samples: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """What is named."""
        return self.samples


class SubjectScope(Record):
    """Every training row of some persons, by the pseudonyms of their ids."""

    kind: Literal["subjects"] = "subjects"
    subjects: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """What is named."""
        return self.subjects


ScopeOfOneKind = ClassScope | SampleScope | SubjectScope
_KINDS: dict[str, type[ScopeOfOneKind]] = {
    "classes": ClassScope,
    "samples": SampleScope,
    "subjects": SubjectScope,
}
_UNLESS_EMPTY: Any = Field(default=(), exclude_if=lambda names: not names)


class MixedScope(Record):
    """Every training row of some classes, samples and subjects together: at least two of these kinds.

    Methods, metrics and the gate take it as samples; the rows of a class that is named go as a whole.
    """

    kind: Literal["mixed"] = "mixed"
    classes: Annotated[tuple[str, ...], AfterValidator(_once)] = _UNLESS_EMPTY
    samples: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = _UNLESS_EMPTY
    subjects: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = _UNLESS_EMPTY

    @model_validator(mode="after")
    def _is_mixed(self) -> Self:
        if len(self.parts) < 2:
            raise ValueError("a mixed scope names at least two of classes, samples and subjects")
        return self

    @property
    def parts(self) -> tuple[ScopeOfOneKind, ...]:
        """The scopes of one kind that it consists of."""
        named = ((name, getattr(self, name)) for name in _KINDS)
        return tuple(_KINDS[name].model_validate({name: names}) for name, names in named if names)

    @property
    def names(self) -> tuple[str, ...]:
        """What is named."""
        return tuple(name for part in self.parts for name in part.names)


Scope = Annotated[ClassScope | SampleScope | SubjectScope | MixedScope, Field(discriminator="kind")]


def parts_of(scope: Scope) -> tuple[ScopeOfOneKind, ...]:
    """Return the scopes of one kind that a scope consists of."""
    return scope.parts if isinstance(scope, MixedScope) else (scope,)


def classes_in(scope: Scope) -> tuple[str, ...]:
    """Return the classes that a scope names, alone or beside others."""
    return tuple(name for part in parts_of(scope) if isinstance(part, ClassScope) for name in part.classes)


def join(scopes: Iterable[Scope]) -> Scope:
    """Return the scope that names everything that some scopes name, of whatever kinds.

    Args:
        scopes: At least one; they may overlap.

    Returns:
        A scope of one kind, or a mixed one.
    """
    named: dict[str, set[str]] = {}
    for part in (part for scope in scopes for part in parts_of(scope)):
        named.setdefault(part.kind, set()).update(part.names)
    kind = _KINDS[next(iter(named))] if len(named) == 1 else MixedScope
    return kind.model_validate({name: tuple(sorted(names)) for name, names in named.items()})
