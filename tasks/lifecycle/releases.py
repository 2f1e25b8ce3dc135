"""Deletions already served, and making one the start of the next."""

from collections.abc import Mapping
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder, read_record
from tasks.checkout.params import write_params
from tasks.checkout.tags import Tag
from tasks.computing.carrying import keep_carried
from tasks.computing.checkpoints import load_checkpoint
from tasks.computing.materials import find_model
from tasks.data.datasets import read_manifest, rows_digest
from tasks.data.fingerprints import with_fingerprints
from tasks.data.sources import source_of
from tasks.data.tombstones import refuse_forgotten
from tasks.evidence.purged import purge_that_erased
from tasks.lifecycle.adopting import named_net
from tasks.lifecycle.refusals import require_accepted
from tasks.storage.versioning import track
from tasks.tracking.registry import champion
from tasks.tracking.runs import tracking_of
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256
from unlearn_core.records.deletion import Released


def read_release(checkout: Checkout, request_id: str) -> Released:
    """Read the release of a request."""
    return read_record(checkout.released(request_id), Released)


def ancestry(checkout: Checkout) -> tuple[Sha256, ...]:
    """Return the digest of the data that ``params.yaml`` names, and those of what it was retained from."""
    params = checkout.params.dataset
    return source_of(params).ancestry(checkout, params)


def continue_from_champion(checkout: Checkout) -> tuple[Path, Path]:
    """Make the promoted model and its retained data the parent and the data set of the next request.

    Both are kept by digest and put under DVC, and ``params.yaml`` names them. So is the model that was last
    trained in full, which drift is measured from; and second moments, if ``params.yaml`` says that they are
    carried.

    Args:
        checkout: The checkout.

    Returns:
        The folders of the model and of the data set, relative to the checkout.

    Raises:
        PipelineError: If the checkout's last deletion is not the champion, or model and retained data are
            from different deletions; nothing was changed.
    """
    require_accepted(checkout)
    _, card = load_checkpoint(checkout.unlearned)
    name = checkout.params.registry.model
    promoted = champion(tracking_of(checkout), name)
    if promoted is None or promoted.tags.get(Tag.WEIGHTS) != card.weights:
        came = "none" if promoted is None else promoted.tags.get(Tag.WEIGHTS)
        raise PipelineError(
            f"models/unlearned is {card.weights}, but the champion of {name!r} is {came}; finish it first"
        )
    digest = rows_digest(read_manifest(checkout.retained))
    if digest != card.data:
        raise PipelineError(
            f"data/retained holds rows {digest}, but the champion was accepted on {card.data}: a later "
            "request wrote them and was not accepted. Name the accepted one in params.yaml and run "
            "`dvc repro split`"
        )
    refuse_forgotten(
        checkout,
        lambda: with_fingerprints(checkout, checkout.retained),
        alike=False,
    )
    model, data = checkout.generation("models", card.weights), checkout.generation("data", digest)
    kept = {model: checkout.unlearned, data: checkout.retained}
    # A purge may have erased it: it had learned what was forgotten since.
    if card.trained is not None and purge_that_erased(checkout, card.trained) is None:
        kept[checkout.generation("models", card.trained)] = find_model(checkout, card.trained)
        if checkout.params.moments.source == "carry":
            keep_carried(checkout, card)
            kept[checkout.carried(card.weights)] = checkout.carried(card.weights)
    keep(checkout, kept)
    write_params(
        checkout.root,
        {
            "dataset": {"source": "retained", "rows_digest": digest},
            "parent": {"source": "champion", "weights": card.weights, **named_net(card)},
        },
    )
    return model.relative_to(checkout.root), data.relative_to(checkout.root)


def keep(checkout: Checkout, sources: Mapping[Path, Path]) -> None:
    """Copy folders to their places by digest, under DVC.

    Args:
        checkout: The checkout.
        sources: For each folder to keep, the folder to copy.
    """
    for folder, source in sources.items():
        if not folder.is_dir():
            copy_folder(source, folder)
    track(checkout.root, *sources)
