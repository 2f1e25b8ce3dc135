"""Where a stranger's model is judged: a folder beside the checkout's caches, which is removed afterwards.

Nothing of the judgement is written where a deletion writes. Data, parent and retrained models are links to
the checkout's, and what is observed goes to its caches, by what it depends on.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.linked import linked_checkout
from tasks.checkout.params import write_params
from unlearn_core.records.request import DeletionRequest

SHARED_CACHES = ("references", "costs", "pixels", "outputs", "relearning", "fingerprints", "failures")
"""The parts of the checkout's cache that a judgement uses and adds to."""


@contextmanager
def judging_place(checkout: Checkout, request: DeletionRequest) -> Iterator[Checkout]:
    """Make the folder for one judgement, and remove it however the block ends.

    Args:
        checkout: The checkout; the caller holds its lock.
        request: What the model should have forgotten.

    Yields:
        The folder, which works like a checkout in which the request is to be served.
    """
    root = checkout.lethe / "judging"
    shutil.rmtree(root, ignore_errors=True)
    try:
        place = linked_checkout(checkout, root, SHARED_CACHES)
        shutil.copy(checkout.root / "params.yaml", place.root)
        write_params(place.root, {"request": request.id})
        write_record(place.request(request.id), request)
        yield place
    finally:
        shutil.rmtree(root, ignore_errors=True)
