"""How long Lethe waits for a service that is away: all schedules, and the one way to try again.

Three layers lie inside one another, and each bears with what the one inside has given up on:

1. a call: libraries ask again by themselves, those of S3 as often as ``TRIES`` says;
2. a step of a flow: Prefect runs the task again, as ``STEP`` says;
3. a worker's turn: ``TURN.ask`` serves the request again, which goes on where it had stopped.

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
"""Of each call to S3. Pauses double from a twentieth of a second, or from one second if it is throttled."""


def is_away(error: BaseException) -> bool:
    """Tell whether an error says that a service does not answer."""
    return isinstance(error, UnavailableError)


def may_be_away(error: BaseException) -> bool:
    """Tell whether an error can be one of input and output: most errors of Lethe's own would come again."""
    return is_away(error) or not isinstance(error, LetheError)


@dataclass(frozen=True)
class Patience:
    """A schedule of tries.

    Attributes:
        pauses_s: How long to wait before each further try, in seconds.
        passes: Tells whether it is worth to wait after an error; any other ends it at once.
    """

    pauses_s: tuple[float, ...]
    passes: Callable[[BaseException], bool] = is_away

    def ask(self, work: Callable[[], _T], *, sleep: Callable[[float], None] = time.sleep) -> _T:
        """Do some work, and again after a pause where a service was away; the log tells of each pause.

        Args:
            work: What is done; what was done of it before is not to be done twice.
            sleep: Waits for some seconds.

        Returns:
            What the work returns.

        Raises:
            UnavailableError: If the service is away at the last try as well.
        """
        for pause_s in self.pauses_s:
            try:
                return work()
            except Exception as error:
                if not self.passes(error):
                    raise
                warn(f"· goes on in {pause_s:g} s: {reason_of(error)}")
            sleep(pause_s)
        return work()


STEP = Patience((2, 5, 10, 20, 40), passes=may_be_away)
"""Of a step that talks to a store, which may be away for a minute. Computing is not done again: the same seed
fails the same way."""
TURN = Patience((5, 15, 30, 60))
"""Of a worker that serves a request."""
