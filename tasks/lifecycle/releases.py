"""Deletions that were served already, and making one the start of the next."""

from collections.abc import Mapping
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import copy_folder, read_record
from tasks.checkout.params import read_section, write_params
from tasks.computing.carrying import keep_carried
from tasks.computing.checkpoints import load_checkpoint
from tasks.computing.materials import find_model
from tasks.data.datasets import read_card, read_manifest, rows_digest
from tasks.data.importing import require_imported
from tasks.requests.request_file import preview_manifest, read_request
from tasks.storage.versioning import is_pinned, track
from tasks.tracking.registry import champion, find_version
from tasks.tracking.runs import connect
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.base import Sha256
from unlearn_core.records.deletion import Released
from unlearn_core.records.params import (
    DatasetParams,
    DigitsSource,
    MomentsParams,
    RegistryParams,
    RetainedSource,
)
from unlearn_core.records.request import DeletionRequest


def read_release(checkout: Checkout, request_id: str) -> Released:
    """Read what was released for a request."""
    return read_record(checkout.released(request_id), Released)


def find_release(checkout: Checkout, request_id: str) -> Released | None:
    """Find a request that was served before, with the same scope, on this data or what it came from.

    Without its certificate it was not: serving it again writes one.

    Args:
        checkout: The checkout.
        request_id: The request's id; it may have been served in a group.

    Returns:
        What was released then, or None.
    """
    if not checkout.released(request_id).is_file():
        return None
    released, request = read_release(checkout, request_id), read_request(checkout, request_id)
    if not (checkout.root / released.certificate).is_file():
        return None
    served = released.group or request.summary
    if released.group is not None and request.summary.digest not in released.group.members:
        return None
    tags = {"lethe.request": served.id, "lethe.scope": served.scope}
    version = find_version(connect(checkout.root), released.registered_model, tags)
    if version is None or version.tags["lethe.data"] not in ancestry(checkout):
        return None
    return released


def find_served(checkout: Checkout, request_id: str) -> tuple[Released, ...] | None:
    """Find what was released for a request or for every member of a group, if that was done to its end.

    Args:
        checkout: The checkout.
        request_id: The id of a request or of a group.

    Returns:
        One release, or one for each member in their order; None if there is anything left to do.
    """
    if not checkout.request(request_id).is_file():
        return None
    singles = read_request(checkout, request_id).singles
    found = [find_release(checkout, single.id) for single in singles]
    settled = tuple(one for one in found if one is not None and _is_settled(checkout, one))
    return settled if len(settled) == len(singles) else None


def find_unfinished(checkout: Checkout) -> DeletionRequest | None:
    """Find the request whose model was promoted by a run that was then cut short.

    Nothing else can be served before it is finished: the champion has forgotten it, and the parent has not.

    Args:
        checkout: The checkout.

    Returns:
        The request that ``params.yaml`` names, maybe a group; None if nothing of it is left to do, or its
        model is not the champion.
    """
    named = read_section(checkout.root, "request", str)
    if not checkout.request(named).is_file() or find_served(checkout, named) is not None:
        return None
    promoted = champion(connect(checkout.root), read_section(checkout.root, "registry", RegistryParams).model)
    request = read_request(checkout, named)
    own = {"lethe.request": request.id, "lethe.scope": request.scope_digest}
    if promoted is None or not own.items() <= promoted.tags.items():
        return None
    return request if promoted.tags["lethe.data"] in ancestry(checkout) else None


def _is_settled(checkout: Checkout, released: Released) -> bool:
    """Tell whether the last stage was pinned; an earlier request's was, or nothing would have followed."""
    served = released.outcome.request if released.group is None else released.group.id
    return read_section(checkout.root, "request", str) != served or is_pinned(checkout.root, checkout.outcome)


def ancestry(checkout: Checkout) -> tuple[Sha256, ...]:
    """Return the digest of the data that ``params.yaml`` names, and of what it was retained from."""
    params = read_section(checkout.root, "dataset", DatasetParams)
    if isinstance(params, DigitsSource):
        return (rows_digest(preview_manifest(checkout)),)
    retained = isinstance(params, RetainedSource)
    folder = (
        checkout.generation("data", params.rows_digest) if retained else require_imported(checkout, params)
    )
    card = read_card(folder)
    return (card.rows_digest, *card.lineage)


def continue_from_champion(checkout: Checkout) -> tuple[Path, Path]:
    """Make the promoted model and its retained data the parent and the data set of the next request.

    Both are kept by digest and put under DVC, and ``params.yaml`` names them. So is the model that was last
    trained in full, which drift is measured from; and, where ``params.yaml`` says that second moments are
    carried, those.

    Args:
        checkout: The checkout.

    Returns:
        The folders of the model and of the data set, relative to the checkout.

    Raises:
        SetupError: If nothing was deleted here yet.
        PipelineError: If the checkout's last deletion is not the champion, or model and retained data are
            of two deletions; nothing was changed.
    """
    if not checkout.unlearned.is_dir():
        raise SetupError("no deletion was accepted in this checkout yet; serve one with `lethe delete`")
    _, card = load_checkpoint(checkout.unlearned)
    name = read_section(checkout.root, "registry", RegistryParams).model
    promoted = champion(connect(checkout.root), name)
    if promoted is None or promoted.tags.get("lethe.weights") != card.weights:
        came = "none" if promoted is None else promoted.tags.get("lethe.weights")
        raise PipelineError(
            f"models/unlearned is {card.weights}, the champion of {name!r} is {came}; finish it first"
        )
    digest = rows_digest(read_manifest(checkout.retained))
    if digest != card.data:
        raise PipelineError(
            f"data/retained holds rows {digest}, the champion was accepted on {card.data}; a later request "
            "wrote them and was not accepted. Name the accepted one in params.yaml and run `dvc repro split`"
        )
    model, data = checkout.generation("models", card.weights), checkout.generation("data", digest)
    kept = {model: checkout.unlearned, data: checkout.retained}
    if card.trained is not None:
        kept[checkout.generation("models", card.trained)] = find_model(checkout, card.trained)
        if read_section(checkout.root, "moments", MomentsParams).source == "carry":
            keep_carried(checkout, card)
            kept[checkout.carried(card.weights)] = checkout.carried(card.weights)
    keep(checkout, kept)
    write_params(
        checkout.root,
        {
            "dataset": {"source": "retained", "rows_digest": digest},
            "parent": {"source": "champion", "weights": card.weights},
        },
    )
    return model.relative_to(checkout.root), data.relative_to(checkout.root)


def keep(checkout: Checkout, sources: Mapping[Path, Path]) -> None:
    """Copy folders to where they are found by digest, under DVC.

    Args:
        checkout: The checkout.
        sources: By the folder that is kept, what it is a copy of.
    """
    for folder, source in sources.items():
        if not folder.is_dir():
            copy_folder(source, folder)
    track(checkout.root, *sources)
