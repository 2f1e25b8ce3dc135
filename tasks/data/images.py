"""Sources of images: each lists its rows, and they are imported here."""

from abc import abstractmethod
from pathlib import Path
from typing import TypeVar

from tasks.checkout.checkout import Checkout, short
from tasks.data.canaries import with_canaries
from tasks.data.datasets import read_card
from tasks.data.fingerprints import with_fingerprints
from tasks.data.importing import discard_import, import_images, place_import, require_imported
from tasks.data.incoming import Incoming, in_one_form
from tasks.data.source import Dealt
from tasks.data.tombstones import refuse_forgotten
from tasks.extensions.discovery import extension_of
from unlearn_core.catalogue import name_of
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.params import ImageSource
from unlearn_core.selection import Manifest

I = TypeVar("I", bound=ImageSource)  # noqa: E741


class Images(Dealt[I]):
    """A source of images: it lists the rows, and everything else is common to all such sources.

    A new source defines ``settings``, derived from ``ImageSource``, and ``listed``.
    """

    @abstractmethod
    def listed(self, root: Path, params: I) -> Incoming:
        """List the source's rows, without opening an image.

        Args:
            root: What paths in the settings are relative to.
            params: The settings.

        Returns:
            The rows, always in the same order.
        """

    def origin(self, params: I) -> str:
        """Return where the images come from: a stopped import resumes if that is the same."""
        return params.digest

    def rows(self, root: Path, params: I) -> Incoming:
        """List the rows, canaries among them, with names in one form; see ``Dealt.rows``."""
        return with_canaries(in_one_form(self.listed(root, params)), params)

    def import_beside(self, checkout: Checkout, params: I) -> Path:
        """Import the images beside the checkout's data set, which stays as it is.

        Shards that an earlier, stopped import finished are reused if their rows are still the same.
        Memory holds one shard's images, at most 32 MiB or one image, and some hundred bytes per row.

        Args:
            checkout: The checkout.
            params: The settings.

        Returns:
            The folder of the imported data set.
        """
        rows, own = self.rows(checkout.root, params), extension_of("source", type(self))
        folder = import_images(checkout, self._folder(checkout, params), rows, params, extension=own)
        refuse_forgotten(checkout, lambda: with_fingerprints(checkout, folder))
        return folder

    def place(self, checkout: Checkout, params: I) -> DatasetCard:
        """Replace ``data/dataset`` by what was imported, and discard the state of the import."""
        place_import(checkout, self._folder(checkout, params))
        return read_card(checkout.dataset)

    def discard(self, checkout: Checkout, params: I) -> None:
        """Remove an imported data set that was not placed."""
        discard_import(self._folder(checkout, params))

    def make(self, checkout: Checkout, params: I) -> DatasetCard:
        """Import the images and place them; see ``Source.make``."""
        self.import_beside(checkout, params)
        return self.place(checkout, params)

    def preview(self, checkout: Checkout, params: I) -> Manifest:
        """Return the imported rows; see ``Source.preview``."""
        folder = require_imported(checkout, params)
        return with_fingerprints(checkout, folder)

    def ancestry(self, checkout: Checkout, params: I) -> tuple[Sha256, ...]:
        """Return the digest of what was imported; see ``Source.ancestry``."""
        card = read_card(require_imported(checkout, params))
        return (card.rows_digest, *card.lineage)

    def _folder(self, checkout: Checkout, params: I) -> Path:
        """Return where a source is imported, whatever its other settings: shards are identified by stamps."""
        own = extension_of("source", type(self))
        key = [name_of(self.settings, "source"), self.origin(params), *([own.code] if own else [])]
        return checkout.lethe / "imports" / short(sha256(canonical_json(key)))
