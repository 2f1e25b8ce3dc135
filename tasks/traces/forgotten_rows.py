"""The rows that a served request named, as they are found in any data set at hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from tasks.requests.request_file import pseudonymiser
from tasks.traces.known import ShardRow
from unlearn_core.names import one_form
from unlearn_core.records.base import Sha256
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import ClassScope, SampleScope, SubjectScope, parts_of
from unlearn_core.selection import Pseudonymise


@dataclass(frozen=True)
class ForgottenRows:
    """What a request named and the data set in use no longer has.

    Attributes:
        request: The request.
        kept: The ids of the samples that the data set in use has: held-out rows of a forgotten class stay.
        persons: The ids of the persons that were found; looked for as such.
    """

    request: DeletionRequest
    kept: Collection[str]
    persons: set[str] = field(default_factory=set[str])

    @property
    def names(self) -> tuple[str, ...]:
        """The ids of the persons whose rows were found."""
        return tuple(sorted(self.persons))

    @property
    def pseudonyms(self) -> tuple[str, ...]:
        """The pseudonyms that the request names."""
        return tuple(one for kind in ("sample", "subject") for one in sorted(self._named[kind]))

    @property
    def data(self) -> frozenset[Sha256]:
        """No data set is followed as such."""
        return frozenset()

    @property
    def models(self) -> frozenset[Sha256]:
        """No model is followed as such."""
        return frozenset()

    def means(self, row: ShardRow, classes: Sequence[str]) -> bool:
        """Tell whether a row is meant, in a data set with these classes."""
        if row.sample_id in self.kept:
            return False
        person = self._is_named("subject", row.subject_id)
        if person:
            self.persons.add(row.subject_id)
        names = {one_form(one) for one in classes[row.label : row.label + 1]}
        return person or self._is_named("sample", row.sample_id) or bool(names & self._named["class"])

    def _is_named(self, kind: Literal["sample", "subject"], name: str) -> bool:
        if not name or not self._named[kind]:
            return False
        return any(self._pseudonym(kind, form) in self._named[kind] for form in {name, one_form(name)})

    @cached_property
    def _pseudonym(self) -> Pseudonymise:
        return cache(pseudonymiser(self.request.scope))

    @cached_property
    def _named(self) -> dict[str, frozenset[str]]:
        """What the scope names, by kind."""
        found: dict[str, frozenset[str]] = dict.fromkeys(("class", "sample", "subject"), frozenset())
        for part in parts_of(self.request.scope):
            match part:
                case ClassScope():
                    found["class"] = frozenset(map(one_form, part.classes))
                case SampleScope():
                    found["sample"] = frozenset(part.samples)
                case SubjectScope():
                    found["subject"] = frozenset(part.subjects)
        return found
