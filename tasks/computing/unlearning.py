"""Run one method on this machine, from the pinned parent to a candidate checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.progress import progress
from tasks.computing.checkpoints import read_checkpoint_card, save_checkpoint
from tasks.computing.execution import computing, measured
from tasks.computing.materials import load_materials, load_parent, read_split
from tasks.data.pool import Pool
from tasks.extensions.discovery import extension_of
from unlearn_core.method import Materials, Method, Need, settled
from unlearn_core.own_names import LAST_RESORT
from unlearn_core.records.aim import Aim
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.evaluation import Cost
from unlearn_core.records.params import RunParams
from unlearn_core.records.result import UnlearningRecord
from unlearn_core.records.tuning import TuningRecord
from unlearn_core.seeds import derive_seed
from unlearn_core.unlearning import unlearn


@dataclass(frozen=True)
class Attempted:
    """One attempt: what was done, what it cost, and where the candidate is."""

    record: UnlearningRecord
    cost: Cost
    checkpoint: Path


def attempt(
    checkout: Checkout,
    method: Method,
    run: RunParams,
    *,
    max_unsupported_share: float,
    aim: Aim | None = None,
    gather: Callable[[Checkout, Pool], Materials] = load_materials,
) -> Attempted:
    """Unlearn with one method and save the candidate.

    Args:
        checkout: The checkout.
        method: What to run.
        run: Base seed and threads.
        max_unsupported_share: The policy's limit.
        aim: What the method's searches aim at; None lets them go by accuracies.
        gather: Gathers what the method may be given.

    Returns:
        The attempt.
    """
    seed = derive_seed(run.seed, f"method/{method.name}")
    with computing(run.threads) as device, progress(f"unlearn with {method.name}") as on_step:
        parent = load_parent(checkout, device)
        materials = aimed(gather(checkout, Pool(checkout, device)), aim)
        with measured() as meter:
            result = unlearn(
                method,
                parent,
                materials,
                seed=seed,
                max_unsupported_share=max_unsupported_share,
                on_step=on_step,
            )
            meter.samples_seen = result.samples_seen
    folder = checkout.attempt(method.name)
    card = save_checkpoint(folder, result.model, _candidate_card(checkout, method, seed, run))
    record = UnlearningRecord(
        method=result.method.model_dump(mode="json"),
        seed=seed,
        parent=read_checkpoint_card(checkout.parent).weights,
        weights=card.weights,
        coverage=result.coverage,
        curves=result.curves,
        extension=extension_of("method", type(method)),
        aim=aim if Need.TUNING in method.needs | method.uses else None,
    )
    return Attempted(record, _with_search(checkout, method, meter.read()), folder)


def aimed(materials: Materials, aim: Aim | None) -> Materials:
    """Return materials whose tuning data comes with an aim."""
    if materials.tuning is None:
        return materials
    return replace(materials, tuning=replace(materials.tuning, aim=aim))


def _with_search(checkout: Checkout, method: Method, cost: Cost) -> Cost:
    """Add the cost of the search that found the method's hyper-parameters, if it was for this request."""
    split = read_split(checkout)
    path = checkout.tuning(split.request, method.name)
    if not path.is_file():
        return cost
    found = read_record(path, TuningRecord)
    parent = read_checkpoint_card(checkout.parent).weights
    if (found.split, found.parent) != (split.digest, parent) or not found.chosen:
        return cost
    if settled(method, found.chosen) != method:
        return cost
    return Cost.total((cost, Cost(**{**dict(found.cost), "tuning_seconds": found.cost.seconds})))


def _candidate_card(checkout: Checkout, method: Method, seed: int, run: RunParams) -> CheckpointCard:
    """Return the parent's card with unlearning's changes; the weights' digest is still the parent's."""
    parent = read_checkpoint_card(checkout.parent)
    anew = method.name == LAST_RESORT
    changed = {
        "parent": parent.weights,
        "data": read_split(checkout).retained,
        "seed": seed,
        "threads": run.threads,
        "method": method.name,
        "trained": None if anew else parent.trained or parent.weights,
        "deletions": 0 if anew else parent.deletions + 1,
    }
    return CheckpointCard(**{**dict(parent), **changed})
