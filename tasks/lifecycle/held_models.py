"""The models that a checkout and its registry hold, by the digests of their files and not by their cards."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import file_digest, read_record
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import WEIGHTS, read_checkpoint_card
from tasks.tracking.artifacts import fetched, refuse_replaced
from tasks.tracking.registry import ModelVersion, champion, previous
from tasks.tracking.runs import tracking_of
from tasks.tracking.server import has_store
from unlearn_core.errors import LetheError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.request import RequestId

UNLEARNED, CHAMPION_OF = "models/unlearned", "champion of"


@dataclass(frozen=True)
class Held:
    """A model in one place.

    Attributes:
        place: Where it is, in words.
        weights: The digest of its file; if that is gone or false, the digest that it should have.
        request: The request that it is said to be of, or the group's id.
        certificates: The digests of the certificates that it is said to have.
        false: Why it is not the model that it should be.
        gone: Why its file could not be compared.
    """

    place: str
    weights: Sha256
    request: RequestId | None = None
    certificates: frozenset[Sha256] = frozenset()
    false: str = ""
    gone: str = ""


def held_models(checkout: Checkout) -> list[Held]:
    """Return every model that the checkout holds, and those in use in its registry.

    The files in MLflow's artifact store are compared with what the registry says of them.
    """
    return [*_unlearned(checkout), *_generations(checkout), *_registered(checkout)]


def _unlearned(checkout: Checkout) -> Iterator[Held]:
    file = checkout.unlearned / WEIGHTS
    if not file.is_file():
        return
    request = None
    if checkout.deletion.is_file():
        request = read_record(checkout.deletion, DeletionRecord).request
    yield Held(UNLEARNED, found := file_digest(file), request, false=_card_differs(checkout.unlearned, found))


def _generations(checkout: Checkout) -> Iterator[Held]:
    """The folder's name is the start of the digest, so it tells whether both files were replaced."""
    for file in sorted((checkout.root / "models" / "generations").glob(f"*/{WEIGHTS}")):
        found, place = file_digest(file), f"models/generations/{file.parent.name}"
        false = f"{place} holds the weights {found}" if file.parent.name != short(found) else ""
        yield Held(place, found, false=false or _card_differs(file.parent, found))


def _card_differs(folder: Path, found: Sha256) -> str:
    try:
        named = read_checkpoint_card(folder).weights
    except LetheError as error:
        return str(error)
    return "" if named == found else f"the weights are {found}, the card beside them names {named}"


def _registered(checkout: Checkout) -> Iterator[Held]:
    if not has_store(checkout.root):
        return
    tracking, name = tracking_of(checkout), checkout.params.registry.model
    versions = {"champion": champion(tracking, name), "previous": previous(tracking, name)}
    for alias, version in versions.items():
        if version is not None:
            yield _compared(version, f"{alias} of {version}")


def _compared(version: ModelVersion, place: str) -> Held:
    false = gone = ""
    try:
        with fetched(version) as folder:
            refuse_replaced(version, folder)
    except SetupError as error:
        gone = str(error)
    except LetheError as error:
        false = str(error)
    certificates = (value for tag, value in version.tags.items() if _names_certificate(tag))
    return Held(
        place,
        version.tags.get(Tag.WEIGHTS, ""),
        version.tags.get(Tag.REQUEST),
        frozenset(certificates),
        false=false,
        gone=gone,
    )


def _names_certificate(tag: str) -> bool:
    return tag == Tag.CERTIFICATE or tag.startswith(f"{Tag.CERTIFICATE}.")
