"""How long Lethe waits for an unavailable service: all schedules, and the one way to retry.

There are three nested layers; each retries what the one inside has given up on:

1. a call: libraries retry, those of S3 ``TRIES`` times;
2. a step of a flow: Prefect runs the task again, as ``STEP`` says;
3. a worker's turn: ``TURN.ask`` serves the request again, resuming where it stopped.

After that the request waits for another run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tasks.checkout.log import reason_of, warn
from unlearn_core.errors import LetheError, UnavailableError

_T = TypeVar("_T")

TRIES = 10
"""Tries of each call to S3. Pauses double from a twentieth of a second, or from one second if throttled."""


def is_away(error: BaseException) -> bool:
    """Tell whether an error means that a service does not answer."""
    return isinstance(error, UnavailableError)


def may_be_away(error: BaseException) -> bool:
    """Tell whether an error can come from input or output: most of Lethe's errors would recur."""
    return is_away(error) or not isinstance(error, LetheError)


@dataclass(frozen=True)
class Patience:
    """A schedule of tries.

    Attributes:
        pauses_s: How long to wait before each further try, in seconds.
        passes: Tells whether an error is worth waiting for; any other ends it at once.
    """

    pauses_s: tuple[float, ...]
    passes: Callable[[BaseException], bool] = is_away

    def ask(self, work: Callable[[], _T], *, sleep: Callable[[float], None] = time.sleep) -> _T:
        """Do some work, and retry it after a pause while a service is unavailable; each pause is logged.

        Args:
            work: What to do; it must not repeat what an earlier try has done.
            sleep: Waits for a number of seconds.

        Returns:
            What the work returns.

        Raises:
            UnavailableError: If the service is still unavailable at the last try.
        """
        for pause_s in self.pauses_s:
            try:
                return work()
            except Exception as error:
                if not self.passes(error):
                    raise
                warn(f"· retry in {pause_s:g} s: {reason_of(error)}")
            sleep(pause_s)
        return work()


STEP = Patience((2, 5, 10, 20, 40), passes=may_be_away)
"""For a step that talks to a store, which may be unavailable for a minute. Computing is not retried: the same
seed fails the same way."""
TURN = Patience((5, 15, 30, 60))
"""For a worker that serves a request."""
