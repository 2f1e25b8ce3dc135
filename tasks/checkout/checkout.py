"""Where things lie in a checkout."""

from dataclasses import dataclass
from pathlib import Path

from unlearn_core.records.base import Sha256


def short(digest: Sha256) -> str:
    """Return enough of a digest for the name of a file."""
    return digest.removeprefix("sha256:")[:16]


CERTIFICATE, RELEASED = "certificate.dsse.json", "released.json"
"""What a served request leaves among its evidence."""


@dataclass(frozen=True)
class Checkout:
    """The paths of one checkout. What DVC pins stands first, what it must not pin after it."""

    root: Path

    @property
    def code(self) -> Path:
        """For each stage the files of Lethe that it runs, with their digests."""
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
        """What the models of the deletion say of many samples, counted."""
        return self.reports / "deletion" / "pictures.json"

    @property
    def outcome(self) -> Path:
        """What came of the deletion."""
        return self.reports / "outcome.json"

    @property
    def lethe(self) -> Path:
        """Lethe's own cache: references and attempts, which can be made again."""
        return self.root / ".lethe"

    def attempt(self, method: str) -> Path:
        """The last candidate of a method."""
        return self.lethe / "attempts" / method

    def cost(self, weights: Sha256) -> Path:
        """What it cost to make a model: not pinned, since runs differ in it."""
        return self.lethe / "costs" / f"{short(weights)}.json"

    def request(self, request_id: str) -> Path:
        """The deletion request of an id."""
        return self.root / "requests" / f"{request_id}.json"

    @property
    def ledger(self) -> Path:
        """The ledger of requests, where no server keeps it; it cannot be made again."""
        return self.root / "requests" / "ledger.db"

    def evidence(self, request_id: str) -> Path:
        """Certificate, Data Docs, times and figures of a request: not pinned, since runs differ in them."""
        return self.root / "evidence" / request_id

    def certificate(self, request_id: str) -> Path:
        """The signed certificate of a request."""
        return self.evidence(request_id) / CERTIFICATE

    def tuning(self, request_id: str, method: str) -> Path:
        """The record of a search for a method's hyper-parameters; the times in it differ from run to run."""
        return self.evidence(request_id) / f"tuning_{method}.json"

    def data_docs(self, request_id: str) -> Path:
        """Great Expectations' reports on the data set and the split of a request."""
        return self.evidence(request_id) / "data_docs"

    def released(self, request_id: str) -> Path:
        """What was released for a request; not signed."""
        return self.evidence(request_id) / RELEASED

    def report(self, request_id: str) -> Path:
        """The page that tells a deletion to people."""
        return self.evidence(request_id) / "report.html"

    def report_facts(self, request_id: str) -> Path:
        """What that page is made from, kept so that it can be made again when the checkout has moved on."""
        return self.evidence(request_id) / "report.json"

    def failure(self, request_id: str) -> Path:
        """The record of a ladder on which no model was accepted; gone once one is."""
        return self.evidence(request_id) / "failure.json"

    def approval(self, request_id: str) -> Path:
        """What a person decided about the deletion of a request."""
        return self.evidence(request_id) / "approval.json"

    def carried(self, weights: Sha256) -> Path:
        """The second moments that were carried to a model of an earlier deletion."""
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
