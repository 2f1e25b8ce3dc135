"""Run one method safely: copy, guard, run, report."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from unlearn_core.coverage import with_moved_buffers
from unlearn_core.data_parallel import data_parallel, refuse_unlike
from unlearn_core.errors import CoverageError, ModelError, UnlearningError
from unlearn_core.method import Materials, Method
from unlearn_core.progress import OnStep, Step, ignore_step
from unlearn_core.records.result import Coverage, Curve


@dataclass(frozen=True)
class Unlearned:
    """What ``unlearn`` returns.

    Attributes:
        model: The unlearned model, in eval mode.
        method: The method with every hyper-parameter that it used.
        coverage: What was done to each parameter, and which buffers moved.
        curves: What the method reported step by step.
        samples_seen: Samples that went through the model, counted once per forward pass. On several ranks:
            those of passes that this one took part in.
    """

    model: nn.Module
    method: Method
    coverage: Coverage
    curves: tuple[Curve, ...]
    samples_seen: int


def unlearn(
    method: Method,
    model: nn.Module,
    materials: Materials,
    *,
    seed: int,
    max_unsupported_share: float = 0.05,
    on_step: OnStep = ignore_step,
    watch: Callable[[nn.Module, Step], None] | None = None,
) -> Unlearned:
    """Unlearn on a copy of ``model``, handing the method only what it declares.

    Every rank makes the same call and gets the same model. A method that cannot split its batches does the
    same work on every rank.

    Args:
        method: What to run.
        model: The model to start from; left exactly as it is.
        materials: Everything that is available.
        seed: Same seed, same bits (on one device with one number of threads).
        max_unsupported_share: Refuse if a larger share of the parameters is out of the method's reach.
        on_step: Called after every step.
        watch: Called with the copy after every step; leaves it as it is, and may raise to give up.

    Returns:
        The unlearned model and the report on it.

    Raises:
        UnlearningError: If the method does not support the scope or a need is not available.
        ModelError: If weights are not finite, before or after, nothing changed, or several ranks differ.
        CoverageError: If too much of the model is unsupported; the message names it.
    """
    _refuse_unserved(method, materials)
    _refuse_non_finite(model, "before")
    given = [samples.labels for samples in (materials.forget, materials.retain) if samples is not None]
    refuse_unlike(model, "before", said=f"{seed} {method.digest}", beside=given)
    copied = copy.deepcopy(model).eval()
    recorder = _Recorder(on_step if watch is None else _watching(copied, on_step, watch))
    together = data_parallel(copied) if method.data_parallel else nullcontext()
    with together, _counted(copied) as seen, _seeded(seed), torch.enable_grad():
        resolved, coverage = method.apply(
            copied,
            materials.only((method.needs | method.uses) & materials.available()),
            generator=torch.Generator().manual_seed(seed),
            on_step=recorder,
        )
    _restore(copied, model)
    refuse_unlike(copied, "after")
    _refuse_non_finite(copied, "after")
    _refuse_unchanged(method, model, copied)
    coverage = with_moved_buffers(coverage, before=model, after=copied)
    _refuse_uncovered(coverage, max_unsupported_share)
    return Unlearned(copied, resolved, coverage, recorder.curves(), sum(seen))


class _Recorder:
    """Passes steps on and keeps their values as curves."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step
        self._values: dict[str, list[float]] = {}

    def __call__(self, step: Step) -> None:
        for name, value in step.values.items():
            self._values.setdefault(f"{step.phase}.{name}", []).append(value)
        self._on_step(step)

    def curves(self) -> tuple[Curve, ...]:
        return tuple(Curve(name=name, values=tuple(values)) for name, values in self._values.items())


def _watching(model: nn.Module, on_step: OnStep, watch: Callable[[nn.Module, Step], None]) -> OnStep:
    """Return a listener that passes the model on after every step."""

    def listen(step: Step) -> None:
        on_step(step)
        watch(model, step)

    return listen


@contextmanager
def _counted(model: nn.Module) -> Iterator[list[int]]:
    """Collect the size of every batch that goes through a model or a copy of it."""
    sizes: list[int] = []
    hook = model.register_forward_hook(lambda _module, _inputs, outputs: sizes.append(len(outputs)))
    try:
        yield sizes
    finally:
        hook.remove()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators inside, and leave them as they were."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _restore(copied: nn.Module, model: nn.Module) -> None:
    """Give the copy the original's gradient switches, no gradients, and eval mode."""
    for mine, theirs in zip(copied.parameters(), model.parameters(), strict=True):
        mine.requires_grad_(theirs.requires_grad)
        mine.grad = None
    copied.eval()


def _refuse_unserved(method: Method, materials: Materials) -> None:
    if materials.scope not in method.scopes:
        raise UnlearningError(
            f"{method.name} forgets {' or '.join(sorted(method.scopes))}, not {materials.scope}; use another"
        )
    if missing := method.needs - materials.available():
        raise UnlearningError(f"{method.name} needs {sorted(missing)}, which is not available")


def _refuse_non_finite(model: nn.Module, when: str) -> None:
    bad = [name for name, tensor in model.state_dict().items() if not torch.isfinite(tensor).all()]
    if bad:
        raise ModelError(f"weights are not finite {when} unlearning: {', '.join(bad)}")


def _refuse_unchanged(method: Method, model: nn.Module, copied: nn.Module) -> None:
    before, after = model.state_dict(), copied.state_dict()
    if all(torch.equal(before[name], after[name]) for name in before):
        raise ModelError(f"{method.name} changed nothing; a method that changes nothing is a failure")


def _refuse_uncovered(coverage: Coverage, allowed: float) -> None:
    share = coverage.share("unsupported")
    if share > allowed:
        by_reason: dict[str, list[str]] = {}
        for entry in coverage.parameters:
            if entry.treatment == "unsupported":
                by_reason.setdefault(entry.reason, []).append(entry.parameter)
        named = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
        raise CoverageError(
            f"{share:.1%} of the parameters are out of reach, {allowed:.1%} are allowed: {named}; "
            "choose a method that trains all weights, or raise max_unsupported_share"
        )
