"""A folder that works like a checkout, with links to another's data, models and caches."""

from collections.abc import Iterable
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import link_folder

REPLAYS = "lethe-replay-"
"""What the names of the temporary folders begin with in which deletions are run again."""


def linked_checkout(checkout: Checkout, root: Path, caches: Iterable[str]) -> Checkout:
    """Link the data set, the parent, earlier and retrained models and caches of a checkout into a folder.

    Args:
        checkout: The checkout.
        root: The folder; what is in it already stays.
        caches: The parts of the checkout's cache that are used and added to.

    Returns:
        The folder, as a checkout without ``params.yaml`` yet.
    """
    place = Checkout(root)
    earlier = checkout.root / "models" / "generations"
    for folder in (checkout.dataset, checkout.parent, earlier, checkout.references):
        link_folder(place.root / folder.relative_to(checkout.root), folder)
    for name in caches:
        (checkout.lethe / name).mkdir(parents=True, exist_ok=True)
        link_folder(place.lethe / name, checkout.lethe / name)
    return place
