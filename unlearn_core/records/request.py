"""A deletion request: who or what is to be forgotten, without naming a person."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from unlearn_core.records.base import Pseudonym, Record, Sha256

RequestId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
ScopeKind = Literal["classes", "samples", "subjects"]


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name given twice: what is forgotten twice would weigh twice."""
    if len(set(names)) < len(names):
        raise ValueError("a name is given twice; name each once")
    return names


class ClassScope(Record):
    """Every training row of some classes; their held-out rows serve the judgement only."""

    kind: Literal["classes"] = "classes"
    classes: Annotated[tuple[str, ...], AfterValidator(_once)] = Field(min_length=1)


class SampleScope(Record):
    """Single training rows, by the pseudonyms of their ids."""

    kind: Literal["samples"] = "samples"
    samples: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = Field(min_length=1)


class SubjectScope(Record):
    """Every training row of some persons, by the pseudonyms of their ids."""

    kind: Literal["subjects"] = "subjects"
    subjects: Annotated[tuple[Pseudonym, ...], AfterValidator(_once)] = Field(min_length=1)


Scope = Annotated[ClassScope | SampleScope | SubjectScope, Field(discriminator="kind")]


class DeletionRequest(Record):
    """One request to forget. Its id is the only part that logs, tags and parameters carry."""

    schema_version: Literal["lethe.request/1"] = "lethe.request/1"
    id: RequestId
    scope: Scope

    @property
    def scope_digest(self) -> Sha256:
        """The digest of the scope alone: two requests for the same thing share it."""
        return self.scope.digest
