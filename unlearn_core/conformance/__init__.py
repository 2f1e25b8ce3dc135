"""Checks that every method and every metric passes, Lethe's own and those of others: one function each.

``check_method`` and ``check_metric`` (``suites``) run all checks on a class and return every reason against
it. Lethe's tests run the same checks on its own catalogues; ``lethe check-method`` and ``lethe check-metric``
run them on what others wrote. ``checking`` says what a check is. ``methods`` holds the checks of methods,
each made on a ``case``: one method in one scope, run on the small net and the images of ``toy``. ``metrics``
holds those of metrics, made on ``subjects`` that need no training.
"""

from unlearn_core.conformance.checking import Checked
from unlearn_core.conformance.suites import check_method, check_metric

__all__ = ["Checked", "check_method", "check_metric"]
