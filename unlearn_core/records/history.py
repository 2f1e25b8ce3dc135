"""What was tried for a request before the run that a certificate is about."""

from collections import Counter
from typing import Literal

from unlearn_core.kinds import RunResult
from unlearn_core.records.base import Record, Sha256, UtcTime


class EarlierRun(Record):
    """A run of a request.

    Attributes:
        began: When it began.
        result: What came of it; ``interrupted`` if its end was not recorded.
        policy: The digest of the policy that it was judged by; None if that is not known.
    """

    began: UtcTime
    result: RunResult | Literal["interrupted"]
    policy: Sha256 | None


class RequestHistory(Record):
    """The runs of a request before the certified one, and the policy when it was received.

    Attributes:
        source: Where that is from: the ledger, or the records of the project, which can be deleted.
        policy_at_receipt: The digest of the policy then; None if no checkout was at hand.
        runs: The earlier runs, in order.
    """

    source: Literal["ledger", "project"]
    policy_at_receipt: Sha256 | None
    runs: tuple[EarlierRun, ...]

    @property
    def results(self) -> dict[RunResult | Literal["interrupted"], int]:
        """How many runs ended in each way, in the order in which they first did."""
        return dict(Counter(run.result for run in self.runs))

    @property
    def policies(self) -> frozenset[Sha256]:
        """The digests of the policies at receipt and of each run, as far as they are known."""
        known = (self.policy_at_receipt, *(run.policy for run in self.runs))
        return frozenset(one for one in known if one is not None)

    def policy_changed(self, policy: Sha256) -> bool | None:
        """Tell whether a policy is another one than at receipt, or than an earlier run's.

        Args:
            policy: The digest of the policy now.

        Returns:
            Whether it was changed; None if neither is known.
        """
        return bool(self.policies - {policy}) if self.policies else None
