"""Stage ``moments``: the second moments of all training data, collected at the parent or carried over."""

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder
from tasks.computing.checkpoints import read_checkpoint_card
from tasks.computing.collecting import collect_moments
from tasks.computing.materials import load_parent_moments
from tasks.evidence.purged import purge_that_erased
from unlearn_core.errors import PipelineError
from unlearn_core.records.artifact import CheckpointCard, MomentsCard


def make_moments(checkout: Checkout) -> MomentsCard:
    """Write ``models/moments``, and return its card."""
    params = checkout.params.moments
    parent = read_checkpoint_card(checkout.parent)
    # Carried ones are subtracted from at the origin, which a purge may have erased.
    origin = None if params.source == "collect" else parent.trained
    if origin is not None and purge_that_erased(checkout, origin) is None:
        return _carry(checkout, parent)
    return collect_moments(checkout, checkout.moments)[0]


def _carry(checkout: Checkout, parent: CheckpointCard) -> MomentsCard:
    """Copy the second moments that the previous deletion left."""
    folder = checkout.carried(parent.weights)
    if not folder.is_dir():
        raise PipelineError(
            f"{folder} does not exist; fetch it with `dvc checkout` or `dvc pull`, or set "
            "`moments: {source: collect}`"
        )
    copy_folder(folder, checkout.moments)
    return load_parent_moments(checkout)[1]
