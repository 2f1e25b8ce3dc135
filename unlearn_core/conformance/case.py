"""A method in one scope, run once for all checks."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from unlearn_core.catalogue import name_of
from unlearn_core.conformance import toy
from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Method
from unlearn_core.methods import CATALOGUE, parse_method
from unlearn_core.unlearning import Unlearned, unlearn


@dataclass(frozen=True)
class Repeated:
    """A second run of a method.

    Attributes:
        result: What came of it.
        parent_before: A copy of the model that it started from, of before the run.
    """

    result: Unlearned
    parent_before: nn.Module


@dataclass(frozen=True)
class Case:
    """A method in one scope, run once for all checks.

    Attributes:
        kind: The method's class.
        scope: What is to be forgotten.
        settings: Hyper-parameters for the small net, where the defaults do not suit it.
        forget_below: What the accuracy on the forgotten class must fall below.
    """

    kind: type[Method]
    scope: ScopeKind
    settings: Mapping[str, Any] = field(default_factory=dict)
    forget_below: float = 0.05
    _kept: dict[int, Unlearned] = field(default_factory=dict, init=False, repr=False)
    _repeated: list[Repeated] = field(default_factory=list, init=False, repr=False)

    def asked(self) -> Method:
        """Return the method with its settings."""
        return read_method(self.kind, {"name": name_of(self.kind), **self.settings})

    def outcome(self, seed: int = 0) -> Unlearned:
        """Return the result for a seed; it is run once, and nothing may change it."""
        if seed not in self._kept:
            self._kept[seed] = self._run(seed)
        return self._kept[seed]

    def repeated(self) -> Repeated:
        """Return a second run with the first seed; it is run once, and checks look at it from all sides."""
        if not self._repeated:
            before = copy.deepcopy(toy.parent())
            self._repeated.append(Repeated(self._run(0), before))
        return self._repeated[0]

    def _run(self, seed: int) -> Unlearned:
        return unlearn(self.asked(), toy.parent(), toy.materials(self.scope), seed=seed)


def read_method(kind: type[Method], raw: bytes | Mapping[str, Any]) -> Method:
    """Read a method from its JSON, whether it is in Lethe's catalogue or not."""
    return parse_method(raw, () if kind in CATALOGUE else (kind,))
