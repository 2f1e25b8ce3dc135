"""What a source of data is: its settings, its rows, how it becomes ``data/dataset``, and its ancestry."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from tasks.checkout.checkout import Checkout
from tasks.data.incoming import Incoming
from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.params import DealtSource
from unlearn_core.selection import Manifest

S = TypeVar("S", bound=Record)
D = TypeVar("D", bound=DealtSource)


class Source(ABC, Generic[S]):
    """One kind of data set that ``params.yaml`` may name; ``tasks.data.sources`` lists Lethe's own.

    ``settings`` is its section there; the field ``source`` distinguishes it from the others.
    """

    settings: ClassVar[type[Record]]

    @abstractmethod
    def make(self, checkout: Checkout, params: S) -> DatasetCard:
        """Write ``data/dataset``, and return its card."""

    @abstractmethod
    def preview(self, checkout: Checkout, params: S) -> Manifest:
        """Return the rows of the data set, without writing anything."""

    @abstractmethod
    def ancestry(self, checkout: Checkout, params: S) -> tuple[Sha256, ...]:
        """Return the digest of the rows, and those of the data sets that they were retained from."""


class Dealt(Source[D]):
    """A source whose rows Lethe deals to the splits, so that canaries can be planted among them."""

    @abstractmethod
    def rows(self, root: Path, params: D) -> Incoming:
        """List the rows, canaries among them, without opening an image.

        Args:
            root: What paths in the settings are relative to.
            params: The settings.

        Returns:
            The rows; rows that do not fit the settings raise a ``ConfigurationError``.
        """
