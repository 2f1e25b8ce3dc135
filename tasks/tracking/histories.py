"""Earlier runs of a deletion that no ledger holds, from what was logged of their attempts.

Attempts can be deleted from MLflow, and one that is repeated to the last bit is logged once. So this is what
a project can tell of itself, and the ledger tells more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.checkout.tags import Tag
from tasks.tracking.runs import Run
from unlearn_core.audit.clocks import as_time
from unlearn_core.records.base import Sha256
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.history import EarlierRun, RequestHistory


@dataclass
class _Climb:
    """Attempts that were logged one after another, each with another method."""

    began: int
    policy: Sha256 | None
    methods: list[str] = field(default_factory=list[str])
    accepted: bool = False


def history_in_tracking(run: Run, deletion: DeletionRecord) -> RequestHistory | None:
    """Return the earlier runs of a deletion from the attempts that were logged to its run.

    Args:
        run: The deletion's run.
        deletion: The present ladder, whose attempts are left out.

    Returns:
        The history; None if no other attempt was logged.
    """
    own = {rung.unlearning.weights for rung in deletion.rungs}
    logged = run.tracking.client.search_runs(
        [run.tracking.experiment_id],
        f"tags.`{Tag.PARENT_RUN}` = '{run.id}' and tags.`{Tag.KIND}` = 'attempt'",
        order_by=["attributes.start_time ASC"],
    )
    other = [one for one in logged if one.data.tags.get(Tag.WEIGHTS) not in own]
    if not other:
        return None
    runs = tuple(
        EarlierRun(
            began=as_time(climb.began // 1000),
            result="accepted" if climb.accepted else "refused",
            policy=climb.policy,
        )
        for climb in _climbs(other)
    )
    return RequestHistory(source="project", policy_at_receipt=None, runs=runs)


def _climbs(logged: Sequence[Any]) -> list[_Climb]:
    """Group attempts into runs: another one begins where a method is repeated, or the policy changes."""
    climbs = list[_Climb]()
    for one in logged:
        tags = one.data.tags
        method, policy = tags.get(Tag.METHOD, ""), tags.get(Tag.POLICY)
        if not climbs or method in climbs[-1].methods or policy != climbs[-1].policy:
            climbs.append(_Climb(one.info.start_time, policy))
        climbs[-1].methods.append(method)
        climbs[-1].accepted |= _was_accepted(tags)
    return climbs


def _was_accepted(tags: Mapping[str, str]) -> bool:
    """Tell whether an attempt's model was accepted; where that was not logged yet, whether it passed."""
    if Tag.ACCEPTED in tags:
        return tags[Tag.ACCEPTED] == "yes"
    return tags.get(Tag.VERDICT) == "passes"
