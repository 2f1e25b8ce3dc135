"""A search for a method's hyper-parameters on this machine, judged only on the tuning split."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import method_digest
from tasks.checkout.progress import progress
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.execution import computing, device_name, measured
from tasks.computing.materials import load_materials, load_parent, read_split
from tasks.computing.unlearning import aimed
from tasks.data.datasets import read_card
from tasks.measuring.studies import Ended, GiveUp, Report, Study
from tasks.measuring.tuning_pool import READABLE_SPLITS, TuningPool
from tasks.references.aiming import find_aim
from unlearn_core import objective, unlearning
from unlearn_core.errors import UnlearningError, UsageError
from unlearn_core.method import Materials, Method, settled
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.aim import Aim
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.params import RunParams
from unlearn_core.records.tuning import Range, Trial, TuningRecord, Values
from unlearn_core.routing import obstacle
from unlearn_core.seeds import derive_seed


def search(
    checkout: Checkout,
    method: Method,
    run: RunParams,
    *,
    trials: int,
    timeout_s: float | None = None,
    max_unsupported_share: float = 0.05,
) -> TuningRecord:
    """Search a method's space for the current request; an interrupted search resumes.

    Args:
        checkout: The checkout; data, parent, moments and split are current.
        method: The configured method: what its space names is searched, all else stays.
        run: Base seed and threads.
        trials: The total number of trials.
        timeout_s: Begin no trial after this many seconds.
        max_unsupported_share: The policy's limit.

    Returns:
        What was tried, what was found and what it cost.
    """
    with computing(run.threads) as device, progress(f"tune {method.name}") as on_step:
        parent = load_parent(checkout, device)
        pool = TuningPool(checkout, device)
        aim = find_aim(checkout, run, checkout.params.policy, pool=pool)
        materials = aimed(load_materials(checkout, pool), aim)
        _refuse_unsearchable(method, materials)
        study = Study(checkout.lethe / "tuning" / f"{method.name}-{_key(checkout, method, run, aim)}.journal")
        score = objective.objective(parent, materials)
        seed = derive_seed(run.seed, f"method/{method.name}")
        with _counted(parent) as seen:
            setup = _TrialSetup(method, parent, materials, score, seed, max_unsupported_share, on_step, seen)
            untuned = _climb(study, setup, run, trials=trials, timeout_s=timeout_s)
    return _describe(checkout, setup, run, study.trials, untuned)


@dataclass(frozen=True)
class _TrialSetup:
    """What every trial starts from and is scored by."""

    method: Method
    parent: nn.Module
    materials: Materials
    score: objective.Objective
    seed: int
    max_unsupported_share: float
    on_step: OnStep
    seen: list[int]

    @property
    def aim(self) -> Aim | None:
        """What the search aims at."""
        return None if self.materials.tuning is None else self.materials.tuning.aim

    def run(self, values: Values, report: Report | None) -> Ended:
        """Unlearn once with some values, and score the result."""

        def watch(model: nn.Module, step: Step) -> None:
            if report is not None and step.phase == "epochs":
                report(self.score(model))

        self.seen.clear()
        score, why = None, None
        with measured() as meter:
            try:
                score = self.score(self._unlearn(settled(self.method, values), watch))
            except GiveUp:
                pass
            except (UnlearningError, UsageError) as error:
                why = str(error)
        meter.samples_seen = sum(self.seen)
        return Ended(score, meter.read(), why)

    def _unlearn(self, method: Method, watch: Callable[[nn.Module, Step], None]) -> nn.Module:
        return unlearning.unlearn(
            method,
            self.parent,
            self.materials,
            seed=self.seed,
            max_unsupported_share=self.max_unsupported_share,
            on_step=self.on_step,
            watch=watch,
        ).model


def _climb(
    study: Study, setup: _TrialSetup, run: RunParams, *, trials: int, timeout_s: float | None
) -> Trial:
    """Score the method as configured, and return that; then try more values."""
    began = time.monotonic()
    untuned = study.untuned(setup.method.digest, lambda: setup.run({}, None))
    while (done := len(study.trials)) < trials:
        setup.on_step(Step("trials", done, trials))
        if timeout_s is not None and time.monotonic() - began > timeout_s:
            break
        seed = derive_seed(run.seed, f"tune/{setup.method.name}/{done}")
        study.try_one(setup.method.space, setup.run, seed=seed)
    return untuned


def _describe(
    checkout: Checkout, setup: _TrialSetup, run: RunParams, trials: tuple[Trial, ...], untuned: Trial
) -> TuningRecord:
    method = setup.method
    split, data_card = read_split(checkout), read_card(checkout.dataset)
    score = max((one.score for one in trials if one.score is not None), default=None)
    best = next((one.values for one in trials if one.score is not None and one.score == score), None)
    better = score is not None and (untuned.score is None or score > untuned.score)
    return TuningRecord(
        request=split.request,
        method=method.name,
        split=split.digest,
        parent=read_checkpoint_card(checkout.parent).weights,
        splits={part.split: part.rows_digest for part in data_card.splits if part.split in READABLE_SPLITS},
        space=dict(method.space),
        seed=run.seed,
        trials=trials,
        untuned=untuned.score,
        chosen=best if best is not None and (better or settled(method, best) == method) else {},
        score=score,
        cost=Cost.total(one.cost for one in (untuned, *trials)),
        aim=setup.aim,
    )


def _key(checkout: Checkout, method: Method, run: RunParams, aim: Aim | None) -> str:
    """Name everything that a score depends on. What is searched has no value here."""
    first = {
        name: found.low if isinstance(found, Range) else found.options[0]
        for name, found in method.space.items()
    }
    ingredients = {
        "method": settled(method, first).model_dump(mode="json"),
        "space": {name: found.model_dump(mode="json") for name, found in method.space.items()},
        "split": read_split(checkout).digest,
        "parent": read_checkpoint_card(checkout.parent).weights,
        "run": [run.seed, run.threads],
        "aim": None if aim is None else aim.digest,
        "code": method_digest(method),
        "torch": torch.__version__,
        "device": device_name(),
    }
    return short(sha256(canonical_json(ingredients)))


@contextmanager
def _counted(model: nn.Module) -> Iterator[list[int]]:
    """Collect the size of every batch that passes through a model or a copy of it, scoring included."""
    seen: list[int] = []
    hook = model.register_forward_hook(lambda _module, _inputs, outputs: seen.append(len(outputs)))
    try:
        yield seen
    finally:
        hook.remove()


def _refuse_unsearchable(method: Method, materials: Materials) -> None:
    if not method.space:
        raise UsageError(f"{method.name} has nothing to search; `lethe methods` shows which methods have")
    if why := obstacle(method, scope=materials.scope, available=materials.available()):
        raise UsageError(f"{method.name} cannot serve the request: it {why}")
