"""The ``.dvc`` files that a deletion reads beside the lock: earlier models and data, and retrained models.

git holds them, and DVC believes them. A certificate carries the digest of each, so that a replay compares
with the models that the deletion was compared with.
"""

from tasks.checkout.checkout import Checkout, short
from tasks.checkout.files import file_digest, read_record
from tasks.computing.checkpoints import CARD, read_checkpoint_card
from tasks.computing.materials import read_split
from tasks.references.retrained import describe_training
from unlearn_core.errors import PipelineError
from unlearn_core.records.artifact import MomentsCard
from unlearn_core.records.base import Sha256
from unlearn_core.records.certificate import DeletionCertificate
from unlearn_core.records.params import AdoptedParent, ChampionParent, RetainedSource
from unlearn_core.records.policy import MOST_REFERENCES

_FOLDERS = ("data/generations", "models/generations", "models/references")


def pins_read(checkout: Checkout) -> dict[str, Sha256]:
    """Return the digests of the ``.dvc`` files that the checkout's deletion reads, by their paths.

    Args:
        checkout: The checkout.

    Returns:
        Those that there are; the request's is left out: a certificate has the digest of what it asks for.
    """
    split = read_split(checkout)
    names = _starts(checkout) | ancestors(checkout) | references(checkout, split.retained, split.data)
    files = (path for folder in _FOLDERS for path in (checkout.root / folder).glob("*.dvc"))
    return {
        path.relative_to(checkout.root).as_posix(): file_digest(path)
        for path in sorted(files)
        if path.name.partition(".")[0] in names
    }


def refuse_other_pins(tree: Checkout, certified: DeletionCertificate) -> None:
    """Refuse a commit with other ``.dvc`` files than those that its deletion was certified with.

    Args:
        tree: The commit.
        certified: The deletion; the first certificates name no such files.

    Raises:
        PipelineError: If one is missing or differs; each is named.
    """
    pins = certified.pins or {}
    paths = {name: tree.root / name for name in pins}
    if other := [
        name for name, path in paths.items() if not path.is_file() or file_digest(path) != pins[name]
    ]:
        raise PipelineError(
            f"{', '.join(other)} of the commit is not what the deletion was certified with; somebody changed "
            "it, and the replay would compare with another model. Nothing was run"
        )


def ancestors(checkout: Checkout) -> set[str]:
    """Return the folder names of the earlier models that a deletion refers to."""
    origin = read_checkpoint_card(checkout.parent).trained
    moments = read_record(checkout.moments / CARD, MomentsCard)
    return {short(weights) for weights in (origin, moments.model) if weights is not None}


def references(checkout: Checkout, *data: Sha256) -> set[str]:
    """Return the folder names that models retrained on some data would have, and the calibration's."""
    parent, run = read_checkpoint_card(checkout.parent), checkout.params.run
    calibration = checkout.params.policy.calibration
    found = set[str]() if calibration is None else {short(calibration)}
    if (recipe := parent.recipe) is None:
        return found
    return found | {
        short(describe_training(parent, recipe, run, data_digest=digest, index=index).digest)
        for digest in data
        for index in range(MOST_REFERENCES)
    }


def _starts(checkout: Checkout) -> set[str]:
    """Return the folder names of the parent and the data set that ``params.yaml`` names by digest."""
    parent, data = checkout.params.parent, checkout.params.dataset
    found = {short(parent.weights)} if isinstance(parent, ChampionParent | AdoptedParent) else set[str]()
    return found | ({short(data.rows_digest)} if isinstance(data, RetainedSource) else set())
