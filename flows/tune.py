"""``lethe tune``: find a method's hyper-parameters for the current request, on held-out data."""

from flows.stages.pipeline import DELETION, PREPARATION, run_due
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.computing.configured import configured_method, write_values
from tasks.keys.signing import require_keys
from tasks.measuring.tuning import search
from tasks.tracking.attempts import log_tuning
from tasks.tracking.auditing import open_deletion
from unlearn_core.records.tuning import TuningRecord


def tune(checkout: Checkout, name: str, *, trials: int, timeout_s: float | None = None) -> TuningRecord:
    """Search, write what was found into ``params.yaml``, and keep the record among the request's evidence.

    Args:
        checkout: The checkout; the caller holds its lock. ``params.yaml`` names the request.
        name: The method's name.
        trials: How many trials to make in all, counting those of an interrupted search.
        timeout_s: Begin no trial after this many seconds.

    Returns:
        The record of the search.
    """
    require_keys()
    for stage, function in {**PREPARATION, "split": DELETION["split"]}.items():
        run_due(checkout, stage, function)
    method = configured_method(checkout, name)
    record = search(
        checkout,
        method,
        checkout.params.run,
        trials=trials,
        timeout_s=timeout_s,
        max_unsupported_share=checkout.params.policy.max_unsupported_share,
    )
    write_record(checkout.tuning(record.request, name), record)
    log_tuning(open_deletion(checkout), record)
    if record.chosen:
        write_values(checkout, method, record.chosen)
    return record
