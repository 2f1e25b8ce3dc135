"""Which served request forgot something, by what requests name: classes and pseudonyms."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.checkout.regular import read_regular
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.request import DeletionRequest


def forgotten_by(checkout: Checkout, names: Iterable[str]) -> dict[str, str]:
    """Find the requests that forgot something.

    Args:
        checkout: The checkout.
        names: Names of classes, and pseudonyms of samples and subjects.

    Returns:
        The id of the first request that has a release here and named it, for each name that one named.
    """
    known = dict[str, str]()
    for request, scope in _served(checkout):
        for name in scope:
            known.setdefault(name, request)
    return {name: known[name] for name in names if name in known}


def _served(checkout: Checkout) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the requests with a release, and what they named; of the current one each sample, too."""
    for path in sorted(checkout.request("any").parent.glob("*.json")):
        if checkout.released(path.stem).is_file():
            with suppress(ConfigurationError, OSError):  # `lethe status` names what cannot be read
                yield path.stem, DeletionRequest.parse(read_regular(path)).scope.names
    path = checkout.split / "split.json"
    if path.is_file() and checkout.released((split := read_record(path, SplitRecord)).request).is_file():
        yield split.request, split.forgotten
