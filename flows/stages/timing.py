"""Where the time of a deletion goes: stages and steps that keep how long they took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TypeVar

from flows.stages.steps import Steps
from tasks.checkout.checkout import Checkout
from tasks.computing.costs import keep_time

_T = TypeVar("_T")


def keeping_time(part: str) -> Callable[[Callable[[Checkout], _T]], Callable[[Checkout], _T]]:
    """Return a decorator that keeps how long a stage took, as this part of the deletion.

    Args:
        part: A name in ``TimeSpent``.

    Returns:
        The decorator.
    """

    def decorate(stage: Callable[[Checkout], _T]) -> Callable[[Checkout], _T]:
        @wraps(stage)
        def timed(checkout: Checkout) -> _T:
            started = time.perf_counter()
            result = stage(checkout)
            keep_time(checkout, checkout.params.request, **{part: time.perf_counter() - started})
            return result

        return timed

    return decorate


@dataclass
class Stopwatch:
    """Adds up seconds by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def around(self, steps: Steps) -> Steps:
        """Return the same steps, with the time of each added up."""
        return replace(
            steps,
            gather=self._adding("training")(steps.gather),
            attempt=self._adding("methods")(steps.attempt),
            assess=self._adding("measuring")(steps.assess),
            drift=self._adding("measuring")(steps.drift),
            earlier=self._adding("measuring")(steps.earlier),
        )

    @contextmanager
    def _adding(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started
