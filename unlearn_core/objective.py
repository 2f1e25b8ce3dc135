"""How well a model has forgotten, on held-out data alone: to end attempts and to compare trials."""

from collections.abc import Callable

from torch import nn

from unlearn_core.data import Samples, concatenate
from unlearn_core.method import Materials, Need, Tuning, needed
from unlearn_core.stopping import Judge, judge_by_aim, judge_of_classes, judge_of_samples
from unlearn_core.tuning import HeldOutScores, measure_held_out

Objective = Callable[[nn.Module], float]


def judge_of(
    model: nn.Module, materials: Materials, forget: Samples, *, forget_target: float, max_retain_drop: float
) -> Judge:
    """Return a judge of the forgetting, which compares with the model as it is now.

    Args:
        model: The model before unlearning.
        materials: With the scope, and tuning data; classes can be judged without.
        forget: The forget data to judge by; held-out samples of the same classes are used as well.
        forget_target: See ``stopping.judge_of_classes``.
        max_retain_drop: See ``stopping``.

    Returns:
        The judge.
    """
    tuning = materials.tuning
    if tuning is not None and tuning.forget is not None:
        forget = concatenate(forget, tuning.forget)
    if tuning is not None and tuning.aim is not None:
        return judge_by_aim(model, forget, tuning.retain, tuning.aim, max_retain_drop=max_retain_drop)
    if materials.scope == "samples":
        unseen = needed(tuning, Need.TUNING).retain
        return judge_of_samples(model, forget, unseen, max_retain_drop=max_retain_drop)
    retain = None if tuning is None else tuning.retain
    return judge_of_classes(
        model, forget, retain, forget_target=forget_target, max_retain_drop=max_retain_drop
    )


def objective(model: nn.Module, materials: Materials) -> Objective:
    """Return the function that scores a candidate; higher is better.

    With an aim, minus the worst distance from it, in widths of the gate's bands (``aiming``). Without one:

    Classes: retain accuracy times the share of forgotten images, both with margins (``CandidateScores``).
    Samples: minus the distance between the accuracies on forgotten and on unseen samples, and minus what the
    latter has lost (``stopping.judge_of_samples``).

    Args:
        model: The model before unlearning.
        materials: With the forget data, and tuning data that neither training, audit nor test have seen.

    Returns:
        The objective.
    """
    needed(materials.tuning, Need.TUNING)
    forget = needed(materials.forget, Need.FORGET)
    judge = judge_of(model, materials, forget, forget_target=0.0, max_retain_drop=1.0)
    return lambda candidate: -judge(candidate).badness[-1]


def held_out_scores(model: nn.Module, tuning: Tuning) -> HeldOutScores:
    """Return what a method that trains on retained data is judged by, on its tuning data."""
    return measure_held_out(model, tuning.forget, tuning.retain, tuning.aim)
