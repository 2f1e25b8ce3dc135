"""The verb ``lineage``: where rows, a data set or a model went, in every store that is at hand."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.progress import progress
from tasks.keys.signing import require_keys
from tasks.traces.following import Question, trace
from tasks.traces.stores import not_searched, stores_of
from unlearn_core.records.traces import Lineage


def lineage(checkout: Checkout, asked: Question) -> Lineage:
    """Search every store for what somebody asks about.

    Args:
        checkout: The checkout; nothing in it changes.
        asked: A class, a sample, a person, a data set or a model.

    Returns:
        The data sets, the models and the objects that hold something of it.

    Raises:
        RequestError: If no data set has the class.
        SetupError: If the keys are missing: ids are looked for by pseudonym too.
    """
    require_keys()
    with progress("search") as on_step:
        return trace(stores_of(checkout), asked, beyond=not_searched(), on_step=on_step)
