"""A deletion request: who or what is to be forgotten, without naming a person."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from unlearn_core.kinds import RequestKind
from unlearn_core.records.base import Record, RegistryName, Sha256, canonical_json, sha256
from unlearn_core.records.scope import Scope, join

RequestId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class RequestSummary(Record):
    """A request without what it names: ``scope`` is its ``scope_digest``."""

    id: RequestId
    kind: RequestKind
    scope: Sha256


class GroupSummary(Record):
    """Several requests that were served as one, each given only as a digest.

    ``scope`` is the group's ``scope_digest``. ``members`` are the digests of the members' summaries, in
    order: whoever has a member's summary can tell that it is among them, and nobody learns from the rest
    which requests they are.
    """

    id: RequestId
    scope: Sha256
    members: tuple[Sha256, ...] = Field(min_length=2)


_Model = Annotated[RegistryName | None, Field(default=None, exclude_if=lambda model: model is None)]


class Member(Record):
    """One of the requests that a group stands for."""

    id: RequestId
    model: _Model = None
    scope: Scope


class DeletionRequest(Record):
    """One request to forget, or the group of several. Its id is all that logs, tags and parameters carry.

    ``model`` is the registered model that is to forget; the first requests do not name it. A group's scope is
    the union of its members', which are all of one kind and in the order of their ids; its id and its model
    follow from them. A single request has no members, and no key of that name.
    """

    quotes: ClassVar[bool] = False

    schema_version: Literal["lethe.request/1"] = "lethe.request/1"
    id: RequestId
    model: _Model = None
    scope: Scope
    members: tuple[Member, ...] = Field(default=(), min_length=2, exclude_if=lambda members: not members)

    @model_validator(mode="after")
    def _is_what_its_members_make_it(self) -> Self:
        if not self.members:
            return self
        ids = [member.id for member in self.members]
        if ids != sorted(set(ids)):
            raise ValueError("the members of a group must be in the order of their ids, each once")
        if self.scope != union(member.scope for member in self.members):
            raise ValueError("the scope of a group must be the union of its members' scopes, in order")
        if self.model != only_model(self.members):
            raise ValueError("the model of a group must be the one that its members name")
        if self.id != (expected := group_id(single.summary.digest for single in self.singles)):
            raise ValueError(f"the id of this group is {expected}: it follows from its members")
        return self

    @property
    def scope_digest(self) -> Sha256:
        """What is published of the scope: requests for the same thing do not share it.

        It is the digest of id, model and scope together. That of the first requests, which name no model, is
        of the scope alone, as their certificates have it.
        """
        if self.model is None:
            return self.scope.digest
        named = {"id": self.id, "model": self.model, "scope": self.scope.model_dump(mode="json")}
        return sha256(canonical_json(named))

    def asks_the_same(self, other: "DeletionRequest") -> bool:
        """Return whether another request is this one, except that only one of them may name the model."""
        named = {self.model, other.model} - {None}
        return (self.id, self.scope) == (other.id, other.scope) and len(named) < 2

    @property
    def summary(self) -> RequestSummary:
        """The request without what it names."""
        return RequestSummary(id=self.id, kind=self.scope.kind, scope=self.scope_digest)

    @property
    def singles(self) -> tuple["DeletionRequest", ...]:
        """The requests that are served: the members of a group, or this one."""
        members = (DeletionRequest(id=one.id, model=one.model, scope=one.scope) for one in self.members)
        return tuple(members) or (self,)

    @property
    def group(self) -> GroupSummary | None:
        """The group without what it names; None for a single request."""
        if not self.members:
            return None
        digests = sorted(single.summary.digest for single in self.singles)
        return GroupSummary(id=self.id, scope=self.scope_digest, members=tuple(digests))


def union(scopes: Iterable[Scope]) -> Scope:
    """Return the scope that names everything that some scopes name.

    Args:
        scopes: Scopes of one kind; they may overlap.

    Returns:
        Their union, its names in order.

    Raises:
        ValueError: If they are of several kinds.
    """
    given = list(scopes)
    if len(kinds := sorted({scope.kind for scope in given})) != 1:
        raise ValueError(f"a group names classes, samples or subjects, one kind of them; it named {kinds}")
    return join(given)


def only_model(requests: "Iterable[Member | DeletionRequest]") -> RegistryName | None:
    """Return the model that some requests name.

    Args:
        requests: The requests; some may name none.

    Returns:
        The model; None if none is named.

    Raises:
        ValueError: If they name several.
    """
    named = sorted({one.model for one in requests if one.model is not None})
    if len(named) > 1:
        raise ValueError(f"a group is for one model; these name {' and '.join(named)}")
    return named[0] if named else None


def group_id(members: Iterable[Sha256]) -> RequestId:
    """Return the id of a group: the same members always make the same one.

    Args:
        members: The digests of the members' summaries, in any order.

    Returns:
        ``group-`` and twelve hexadecimal digits.
    """
    return "group-" + sha256(canonical_json(sorted(members))).removeprefix("sha256:")[:12]
