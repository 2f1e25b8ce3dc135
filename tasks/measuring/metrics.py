"""The metrics that a policy asks for beside Lethe's own."""

from tasks.extensions.catalogues import METRICS, other_metrics
from unlearn_core.errors import ConfigurationError
from unlearn_core.metric import Metric
from unlearn_core.metrics import parse_metric
from unlearn_core.records.policy import Policy


def metrics_asked(policy: Policy) -> tuple[Metric, ...]:
    """Return the metrics that a policy names.

    Args:
        policy: The policy.

    Returns:
        The metrics with their settings; Lethe's own are always measured, and are not among them.

    Raises:
        ConfigurationError: If one of Lethe's own is named, or one that cannot be used.
    """
    if own := [name for name in policy.metrics if name in METRICS]:
        raise ConfigurationError(
            f"policy.metrics names {', '.join(own)}, which every policy measures; name only metrics of others"
        )
    kinds = other_metrics(policy.metrics)
    return tuple(parse_metric({"name": name, **given}, kinds) for name, given in policy.metrics.items())
