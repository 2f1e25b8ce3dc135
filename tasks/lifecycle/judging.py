"""Where a stranger's model is judged: a folder beside the checkout's caches, which is removed afterwards.

Nothing of the judgement is written where a deletion writes. Data, parent and retrained models are links to
the checkout's, and what is observed goes to its caches, by what it depends on.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import link_folder, write_record
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
    place = Checkout(checkout.lethe / "judging")
    shutil.rmtree(place.root, ignore_errors=True)
    try:
        for folder in (checkout.dataset, checkout.parent, checkout.references):
            link_folder(place.root / folder.relative_to(checkout.root), folder)
        for name in SHARED_CACHES:
            (checkout.lethe / name).mkdir(parents=True, exist_ok=True)
            link_folder(place.lethe / name, checkout.lethe / name)
        shutil.copy(checkout.root / "params.yaml", place.root)
        write_params(place.root, {"request": request.id})
        write_record(place.request(request.id), request)
        yield place
    finally:
        shutil.rmtree(place.root, ignore_errors=True)
