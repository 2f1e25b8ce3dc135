"""What an earlier deletion retained, as a source."""

from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder
from tasks.data.datasets import read_card, read_manifest, rows_digest
from tasks.data.fingerprints import with_fingerprints
from tasks.data.source import Source
from tasks.data.tombstones import refuse_forgotten
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.params import RetainedSource
from unlearn_core.selection import Manifest


class Retained(Source[RetainedSource]):
    """The retained data set of an earlier deletion; ``lethe next`` keeps it by its digest."""

    settings = RetainedSource

    def make(self, checkout: Checkout, params: RetainedSource) -> DatasetCard:
        """Copy the kept data set.

        Args:
            checkout: The checkout.
            params: The digest.

        Returns:
            The card.

        Raises:
            PipelineError: If it is missing, or has other rows.
        """
        source = self._folder(checkout, params)
        if not source.is_dir():
            raise PipelineError(f"{source} does not exist; fetch it with `dvc checkout` or `dvc pull`")
        if (found := rows_digest(read_manifest(source))) != params.rows_digest:
            raise PipelineError(f"{source} holds rows {found}, params.yaml names {params.rows_digest}")
        refuse_forgotten(checkout, lambda: with_fingerprints(checkout, source), alike=False)
        copy_folder(source, checkout.dataset)
        return read_card(checkout.dataset)

    def preview(self, checkout: Checkout, params: RetainedSource) -> Manifest:
        """Return the kept rows."""
        folder = self._folder(checkout, params)
        return with_fingerprints(checkout, folder)

    def ancestry(self, checkout: Checkout, params: RetainedSource) -> tuple[Sha256, ...]:
        """Return the digest of the kept rows, and of all that they were retained from."""
        card = read_card(self._folder(checkout, params))
        return (card.rows_digest, *card.lineage)

    @staticmethod
    def _folder(checkout: Checkout, params: RetainedSource) -> Path:
        return checkout.generation("data", params.rows_digest)
