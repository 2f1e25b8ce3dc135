"""When to stop forgetting, and at which rate: judges, and attempts that they judge.

A judge remembers the model's state when it was made, and says whether a later state has forgotten too little,
just enough, or at too high a cost. An attempt ends when the judge says so, and the next one takes a third of
the rate, or three times it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

from torch import Tensor, nn

from unlearn_core.aiming import NEAR
from unlearn_core.data import Samples
from unlearn_core.progress import OnStep, Step
from unlearn_core.records.aim import Aim
from unlearn_core.tuning import accuracy, measure_candidate

_Verdict = Literal["too little", "right", "too much"]

FORGOTTEN_BY = 1.0
"""By how many logits forgotten classes must trail before forgetting ends: by more than where finished
candidates are compared, since continuing costs little."""

TRAILING = 0.98
"""The share of forgotten samples whose class must trail by that much. Among thousands, some are odd ones."""


@dataclass(frozen=True)
class Judged:
    """A judge's answer.

    Attributes:
        verdict: Whether to continue, to stop, or to try more gently.
        badness: Whether it costs too much, whether it is unfinished, and the distance from the goal. Smaller
            is better; comparable between epochs and attempts under one judge.
        good: Whether the state is so close to the goal that further attempts are needless.
        values: What was measured.
    """

    verdict: _Verdict
    badness: tuple[bool, bool, float]
    good: bool
    values: dict[str, float]


Judge = Callable[[nn.Module], Judged]


def judge_of_classes(
    model: nn.Module, forget: Samples, retain: Samples | None, *, forget_target: float, max_retain_drop: float
) -> Judge:
    """Judge the forgetting of classes (Hoang et al., arXiv 2312.04095, section 5).

    Args:
        model: The model before unlearning.
        forget: Samples of the classes, held-out or not.
        retain: Held-out samples of all other classes, if there are any; never their training data.
        forget_target: The share still recognised at or below which the classes count as forgotten, if the
            others trail clearly.
        max_retain_drop: How much retain accuracy may fall.

    Returns:
        The judge: too much once the rest has suffered, right once the classes are forgotten.
    """
    before = measure_candidate(model, forget, retain, margin=FORGOTTEN_BY)

    def judge(model: nn.Module) -> Judged:
        now = measure_candidate(model, forget, retain, margin=FORGOTTEN_BY)
        excessive = before.retain_accuracy - now.retain_accuracy > max_retain_drop
        forgotten = now.forget_accuracy <= forget_target and now.within_reach <= 1 - TRAILING
        return Judged(
            verdict="too much" if excessive else "right" if forgotten else "too little",
            badness=(excessive, not forgotten, -now.score),
            good=forgotten and not excessive,
            values=now.values(),
        )

    return judge


def judge_of_samples(model: nn.Module, forget: Samples, unseen: Samples, *, max_retain_drop: float) -> Judge:
    """Judge the forgetting of samples (Hoang et al., arXiv 2312.04095, section 5).

    Args:
        model: The model before unlearning.
        forget: The samples.
        unseen: Held-out samples, which the model has never been trained on.
        max_retain_drop: How much the accuracy on them may fall, and how far the forgotten samples may end
            up below them (one sample at least).

    Returns:
        The judge: right once the samples are recognised less often than unseen ones, best where the two
        are nearest.
    """
    before = accuracy(model, unseen)
    allowed = max(max_retain_drop, 1 / len(forget))

    def judge(model: nn.Module) -> Judged:
        forget_now, unseen_now = accuracy(model, forget), accuracy(model, unseen)
        drop = before - unseen_now
        excessive = drop > max_retain_drop or unseen_now - forget_now > allowed
        distance = abs(forget_now - unseen_now) + max(0.0, drop)
        return Judged(
            verdict="too much" if excessive else "right" if forget_now < unseen_now else "too little",
            badness=(drop > max_retain_drop, False, distance),  # the nearest may be on either side
            good=drop <= max_retain_drop and distance <= allowed / 2,
            values={"forget_accuracy": forget_now, "retain_accuracy": unseen_now},
        )

    return judge


def judge_by_aim(
    model: nn.Module, forget: Samples, retain: Samples, aim: Aim, *, max_retain_drop: float
) -> Judge:
    """Judge the forgetting of classes or samples by the distance from a retrained model's place.

    Args:
        model: The model before unlearning.
        forget: Samples of what is forgotten.
        retain: Held-out samples of everything else.
        aim: Where a retrained model stands on such samples.
        max_retain_drop: How much retain accuracy may fall.

    Returns:
        The judge: right once what is forgotten is near enough to the aim, too much once the rest has suffered
        or a band is left on the side of having forgotten too hard.
    """
    before = measure_candidate(model, forget, retain)

    def judge(model: nn.Module) -> Judged:
        now = measure_candidate(model, forget, retain, aim=aim)
        assert now.off is not None
        excessive = before.retain_accuracy - now.retain_accuracy > max_retain_drop or now.off.over > 1
        near = now.off.under <= NEAR
        return Judged(
            verdict="too much" if excessive else "right" if near else "too little",
            badness=(excessive, not near, now.off.worst),
            good=near and not excessive,
            values=now.values(),
        )

    return judge


@dataclass(frozen=True)
class RateAttempt:
    """One attempt at one learning rate: its best epoch, and how it ended.

    Attributes:
        lr_start: The learning rate.
        epoch: The best epoch.
        judged: What the judge said of that epoch.
        weights: The weights after it.
        verdict: The judge's last verdict, or right if that epoch was already good.
    """

    lr_start: float
    epoch: int
    judged: Judged
    weights: list[Tensor]
    verdict: _Verdict


def search_rate(
    attempt: Callable[[float], RateAttempt], first: float, *, attempts: int, on_step: OnStep
) -> RateAttempt:
    """Try learning rates until one is right: a third of one that was too much, three times one too little.

    Args:
        attempt: Makes an attempt at a learning rate.
        first: The rate to begin with.
        attempts: The most attempts to make.
        on_step: Called after every attempt.

    Returns:
        The best attempt.
    """
    made: list[RateAttempt] = []
    rate, too_small, too_large = first, 0.0, inf
    for index in range(1, attempts + 1):
        made.append(attempt(rate))
        on_step(Step("search", index, attempts, {"lr_start": rate, **made[-1].judged.values}))
        if made[-1].verdict == "right":
            break
        if made[-1].verdict == "too little":
            too_small, rate = rate, min(3 * rate, sqrt(rate * too_large))
        else:
            too_large, rate = rate, max(rate / 3, sqrt(rate * too_small))
    return min(made, key=lambda one: (one.verdict != "right", one.judged.badness))
