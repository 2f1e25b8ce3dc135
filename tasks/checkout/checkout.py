"""The working copy of a project, as one value: its lock, its parameters, and where things are in it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tasks.checkout.environment import require_checkout, sole_use
from tasks.checkout.own_modules import importable
from tasks.checkout.params import read_params, write_params
from unlearn_core.records.base import Sha256
from unlearn_core.records.params import Params


def short(digest: Sha256) -> str:
    """Return enough of a digest for a file name."""
    return digest.removeprefix("sha256:")[:16]


CERTIFICATE, RELEASED, PAGE = "certificate.dsse.json", "released.json", "report.html"
"""The files that a served request leaves as evidence."""


@dataclass(frozen=True)
class Checkout:
    """One checkout: opened once, then passed to everything that works in it.

    Paths that DVC pins come first, paths that it must not pin after them.

    Attributes:
        root: Its top folder.
    """

    root: Path

    @classmethod
    def at(cls, root: Path) -> Self:
        """Return the checkout with this top folder, relative to the working folder.

        Flow parameters are stored, and an absolute path may name a person.
        """
        return cls(Path(os.path.relpath(root)))

    @classmethod
    def find(cls, folder: Path) -> Self:
        """Return the checkout that a folder is in, without locking it.

        Args:
            folder: Any folder.

        Returns:
            The checkout, its root relative to the working folder.

        Raises:
            SetupError: If the folder is in no checkout.
        """
        return cls.at(require_checkout(folder))

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Self]:
        """Work alone in the checkout that a folder is in.

        Args:
            folder: Any folder.

        Yields:
            The checkout, as ``find`` returns it, with its parameters read.

        Raises:
            SetupError: If the folder is in no checkout, or another process holds its lock.
            ConfigurationError: If ``params.yaml`` is not valid.
        """
        found = cls.find(folder)
        with sole_use(found.root):
            _ = found.params
            yield found

    @cached_property
    def params(self) -> Params:
        """The contents of ``params.yaml``, read once; a user's own net that it names becomes importable."""
        params = read_params(self.root)
        importable(self.root, params.parent.architecture or "")
        return params

    def changed(self, sections: Mapping[str, Any]) -> Self:
        """Return the checkout after replacing whole sections of ``params.yaml``, by name."""
        write_params(self.root, sections)
        return type(self)(self.root)

    @property
    def code(self) -> Path:
        """The files of Lethe that each stage runs, with their digests."""
        return self.root / "reports" / "code"

    @property
    def dataset(self) -> Path:
        """The data set that the parent was trained on."""
        return self.root / "data" / "dataset"

    @property
    def split(self) -> Path:
        """The resolved request: what is forgotten, by pseudonym, and the digests of both sides."""
        return self.root / "data" / "split"

    @property
    def retained(self) -> Path:
        """The retained data set."""
        return self.root / "data" / "retained"

    @property
    def parent(self) -> Path:
        """The checkpoint to start from."""
        return self.root / "models" / "parent"

    @property
    def moments(self) -> Path:
        """The second moments at the parent's weights."""
        return self.root / "models" / "moments"

    @property
    def unlearned(self) -> Path:
        """The accepted checkpoint."""
        return self.root / "models" / "unlearned"

    @property
    def reports(self) -> Path:
        """Records, metrics and plots of the deletion."""
        return self.root / "reports"

    @property
    def deletion(self) -> Path:
        """The record of the ladder."""
        return self.reports / "deletion" / "deletion.json"

    @property
    def pictures(self) -> Path:
        """The outputs of the deletion's models on many samples, as counts."""
        return self.reports / "deletion" / "pictures.json"

    @property
    def outcome(self) -> Path:
        """The result of the deletion."""
        return self.reports / "outcome.json"

    @property
    def lethe(self) -> Path:
        """Lethe's cache: references and attempts, all of which can be rebuilt."""
        return self.root / ".lethe"

    def attempt(self, method: str) -> Path:
        """The last candidate of a method."""
        return self.lethe / "attempts" / method

    def cost(self, weights: Sha256) -> Path:
        """What it cost to make a model; not pinned, since it differs between runs."""
        return self.lethe / "costs" / f"{short(weights)}.json"

    def time_spent(self, request_id: str) -> Path:
        """Where the time of a request's deletion went; not pinned."""
        return self.lethe / "times" / f"{request_id}.json"

    def request(self, request_id: str) -> Path:
        """The deletion request with this id."""
        return self.root / "requests" / f"{request_id}.json"

    def tombstones(self, request_id: str) -> Path:
        """What keeps out the pictures that a request, or a group, had forgotten."""
        return self.root / "requests" / f"{request_id}.tombstones"

    @property
    def other_pictures(self) -> Path:
        """What a person decided: pictures that only look like forgotten ones."""
        return self.root / "requests" / "other.pictures"

    @property
    def ledger(self) -> Path:
        """The ledger of requests, where no server keeps it; it cannot be rebuilt."""
        return self.root / "requests" / "ledger.db"

    def evidence(self, request_id: str) -> Path:
        """Certificate, Data Docs, times and figures of a request; not pinned: they differ between runs."""
        return self.root / "evidence" / request_id

    def certificate(self, request_id: str) -> Path:
        """The signed certificate of a request."""
        return self.evidence(request_id) / CERTIFICATE

    def with_evidence(self) -> list[str]:
        """The ids of the requests that have a certificate or a release here, in order."""
        names = (CERTIFICATE, RELEASED)
        return sorted({path.parent.name for name in names for path in self.root.glob(f"evidence/*/{name}")})

    def judged(self, request_id: str, candidate: Sha256) -> Path:
        """The folder of what was found of a model that was handed in for a request."""
        return self.evidence(request_id) / "judged" / short(candidate)

    def with_judgements(self) -> list[Path]:
        """The certificates of models that were handed in, in order."""
        return sorted(self.root.glob(f"evidence/*/judged/*/{CERTIFICATE}"))

    def tuning(self, request_id: str, method: str) -> Path:
        """The record of a search for a method's hyper-parameters; its times differ between runs."""
        return self.evidence(request_id) / f"tuning_{method}.json"

    def data_docs(self, request_id: str) -> Path:
        """Great Expectations' reports on the data set and the split of a request."""
        return self.evidence(request_id) / "data_docs"

    def released(self, request_id: str) -> Path:
        """The release of a request; not signed."""
        return self.evidence(request_id) / RELEASED

    def report(self, request_id: str) -> Path:
        """The report: the page that explains a deletion to people."""
        return self.evidence(request_id) / PAGE

    def report_facts(self, request_id: str) -> Path:
        """What the report is made from, kept so that it can be rebuilt once the checkout has moved on."""
        return self.evidence(request_id) / "report.json"

    def failure(self, request_id: str) -> Path:
        """The record of a ladder on which no model was accepted; removed once one is."""
        return self.evidence(request_id) / "failure.json"

    def approval(self, request_id: str) -> Path:
        """A person's decision about the deletion of a request."""
        return self.evidence(request_id) / "approval.json"

    def purge_plan(self, request_id: str) -> Path:
        """What the purge of a request goes by, until its inventory stands; it cannot be made again."""
        return self.root / "requests" / f"{request_id}.purge"

    def purge_record(self, request_id: str) -> Path:
        """How far the purge of a request has come; not signed."""
        return self.evidence(request_id) / "purge.json"

    def inventory(self, request_id: str) -> Path:
        """The signed inventory of absence of a purged request."""
        return self.evidence(request_id) / "inventory.dsse.json"

    def carried(self, weights: Sha256) -> Path:
        """The second moments carried to a model of an earlier deletion."""
        return self.root / "models" / "generations" / f"{short(weights)}.moments"

    @property
    def references(self) -> Path:
        """Where retrained models and shadows are pinned."""
        return self.root / "models" / "references"

    def reference(self, name: str) -> Path:
        """A retrained model or a shadow, by its training's digest."""
        return self.references / name

    def generation(self, kind: str, digest: Sha256) -> Path:
        """A model or a data set of an earlier deletion, by digest."""
        return self.root / kind / "generations" / short(digest)
