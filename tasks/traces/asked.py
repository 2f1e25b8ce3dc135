"""What is followed through the stores: what a person names, or whatever says which rows it means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.keys.ring import pseudonym_keys
from tasks.keys.signing import pseudonymise
from tasks.traces.known import ShardRow
from unlearn_core.kinds import AskedKind
from unlearn_core.names import one_form
from unlearn_core.records.base import Sha256
from unlearn_core.records.traces import AskedOfDigest, AskedOfRows


class Followed(Protocol):
    """What is followed.

    Attributes:
        names: Ids that are looked for whether or not a row has them.
        pseudonyms: Theirs.
        data: Data sets that are followed as such.
        models: Models that are followed as such.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def pseudonyms(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def data(self) -> frozenset[Sha256]: ...  # noqa: D102

    @property
    def models(self) -> frozenset[Sha256]: ...  # noqa: D102

    def means(self, row: ShardRow, classes: Sequence[str]) -> bool:
        """Tell whether a row is meant, in a data set with these classes."""
        ...


@dataclass(frozen=True)
class Question:
    """What to follow, as a person names it.

    Attributes:
        kind: What is named.
        name: A class, an id, or a digest.
    """

    kind: AskedKind
    name: str

    @property
    def record(self) -> AskedOfRows | AskedOfDigest:
        """The same without an id: that of a sample or a person becomes a pseudonym."""
        if self.kind in {"dataset", "model"}:
            return AskedOfDigest.model_validate({"kind": self.kind, "name": self.name})
        name = self.name if self.kind == "class" else self.pseudonyms[0]
        return AskedOfRows.model_validate({"kind": self.kind, "name": name})

    @property
    def names(self) -> tuple[str, ...]:
        """The id of the sample or person."""
        return (self.name,) if self.kind in {"sample", "subject"} else ()

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        """What may stand for the sample or person: its pseudonym, and those of retired keys."""
        if not self.names:
            return ()
        kind = "sample" if self.kind == "sample" else "subject"
        return tuple(pseudonymise(key, kind, one_form(self.name)) for key in pseudonym_keys())

    @property
    def data(self) -> frozenset[Sha256]:
        """The data set."""
        return frozenset({self.name} if self.kind == "dataset" else ())

    @property
    def models(self) -> frozenset[Sha256]:
        """The model."""
        return frozenset({self.name} if self.kind == "model" else ())

    def means(self, row: ShardRow, classes: Sequence[str]) -> bool:
        """Tell whether a row is meant, in a data set with these classes."""
        named = {"class": classes[row.label : row.label + 1], "sample": [row.sample_id]}
        names = named.get(self.kind, [row.subject_id] if self.kind == "subject" else [])
        return any(one_form(name) == one_form(self.name) for name in names)
