"""A method that is made of others, run one after the other."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import nn

from unlearn_core.kinds import ScopeKind
from unlearn_core.method import Dimension, Materials, Method, Need
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.result import Coverage, ParameterCoverage, Treatment

STRONGEST: tuple[Treatment, ...] = ("trained", "projected", "unsupported", "frozen")
"""What counts where steps treat a parameter differently: what was done to it, before why nothing was."""


class Composition(Method):
    """Methods run one after the other, each on what the one before has left.

    The steps are the fields that hold methods, in their order; their hyper-parameters are nested in those of
    the composition. It needs what any step needs, serves the scopes that all of them serve, and is searched
    in all their spaces. Each step gets only what it declares, and a seed of its own, so that what is drawn in
    one does not depend on how long another has searched.
    """

    needs: ClassVar[frozenset[Need]] = frozenset()
    scopes: ClassVar[frozenset[ScopeKind]] = frozenset()
    steps: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Read off the steps what a method declares."""
        super().__pydantic_init_subclass__(**kwargs)
        made_of = {
            name: one for name, field in cls.model_fields.items() if (one := _method(field.annotation))
        }
        kinds = tuple(made_of.values())
        cls.steps = tuple(made_of)
        cls.needs = frozenset[Need]().union(*(kind.needs for kind in kinds))
        cls.uses = frozenset[Need]().union(*(kind.uses for kind in kinds)) - cls.needs
        cls.scopes = frozenset.intersection(*(kind.scopes for kind in kinds))
        cls.stochastic = any(kind.stochastic for kind in kinds)
        cls.data_parallel = all(kind.data_parallel for kind in kinds)
        cls.space = _spaces(made_of)

    def apply(
        self, model: nn.Module, materials: Materials, *, generator: torch.Generator, on_step: OnStep
    ) -> tuple[Self, Coverage]:
        """Run every step on ``model``; see ``Method.apply``."""
        seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in self.steps]
        switches = [parameter.requires_grad for parameter in model.parameters()]
        start = self._remembered(model)
        found: dict[str, Method] = {}
        coverages: dict[str, Coverage] = {}
        for name, seed in zip(self.steps, seeds, strict=True):
            step: Method = getattr(self, name)
            handed = materials.only(step.needs | step.uses)
            handed = replace(handed, moments_model=handed.moments_model or start)
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                own = torch.Generator().manual_seed(seed)
                told = partial(_tell, on_step, name)
                found[name], coverages[name] = step.apply(model, handed, generator=own, on_step=told)
            _put_back(model, switches)
        return self.model_copy(update=found), merged(coverages)

    def _remembered(self, model: nn.Module) -> nn.Module | None:
        """Return a copy of the model if a later step needs moments, which were not taken at what it meets."""
        later = (getattr(self, name) for name in self.steps[1:])
        return copy.deepcopy(model) if any(Need.MOMENTS in step.needs for step in later) else None


def merged(coverages: Mapping[str, Coverage]) -> Coverage:
    """Return what several steps did to a model: to each parameter, the most that any of them did.

    Args:
        coverages: By the step's name, in the order of the steps.

    Returns:
        The coverage; where steps differ, the reasons say which did what.
    """
    rows = zip(*(coverage.parameters for coverage in coverages.values()), strict=True)
    return Coverage(parameters=tuple(_merged(dict(zip(coverages, row, strict=True))) for row in rows))


def _merged(entries: Mapping[str, ParameterCoverage]) -> ParameterCoverage:
    """Return the coverage of one parameter."""
    treatment = min((entry.treatment for entry in entries.values()), key=STRONGEST.index)
    said = {name: f"{one.treatment}{one.reason and f', {one.reason}'}" for name, one in entries.items()}
    alike = len(set(said.values())) == 1
    first = next(iter(entries.values()))
    reason = first.reason if alike else "; ".join(f"{name}: {what}" for name, what in said.items())
    # Two steps may have moved different elements: that many at most.
    movable = min(first.elements, sum(entry.movable for entry in entries.values()))
    changes = {"treatment": treatment, "frozen": first.elements - movable if movable else 0, "reason": reason}
    return ParameterCoverage(**{**dict(first), **changes})


def _method(annotation: object) -> type[Method] | None:
    """Return the class of a field that holds a method."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Method) else None


def _spaces(made_of: Mapping[str, type[Method]]) -> dict[str, Dimension]:
    """Return the spaces of all steps, by the full names of what they search."""
    return {f"{name}.{part}": found for name, kind in made_of.items() for part, found in kind.space.items()}


def _tell(on_step: OnStep, name: str, step: Step) -> None:
    """Report a step of a method as one of the composition."""
    on_step(replace(step, phase=f"{name}.{step.phase}"))


def _put_back(model: nn.Module, switches: list[bool]) -> None:
    """Leave a model as a method finds it: in eval mode, with its gradient switches, without gradients."""
    model.eval()
    for parameter, switch in zip(model.parameters(), switches, strict=True):
        parameter.requires_grad_(switch)
        parameter.grad = None
