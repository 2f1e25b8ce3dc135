"""What an adoption reads from ``params.yaml``, what it writes there, and what it registers."""

import math
import shutil
from pathlib import Path
from typing import Any

from tasks.checkout.checkout import Checkout
from tasks.checkout.params import read_values, set_values
from tasks.checkout.tags import Tag
from tasks.computing.checkpoints import CARD, WEIGHTS, read_checkpoint_card
from tasks.data.datasets import read_card
from tasks.data.images import Images
from tasks.data.own_images import images_section, relative
from tasks.lifecycle.choosing import images_of
from tasks.lifecycle.claims import Adoption
from tasks.tracking.registry import promote, register_model
from tasks.tracking.runs import adoption_run, end_run, log_dataset_input, open_tracking
from unlearn_core.catalogue import name_of
from unlearn_core.errors import ConfigurationError
from unlearn_core.factories import is_factory
from unlearn_core.intervals import Estimate
from unlearn_core.records.adoption import Adopted, Claims, Outlook
from unlearn_core.records.artifact import CheckpointCard
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.params import ImageSource


def settle_source(
    checkout: Checkout, asked: Adoption, claims: Claims
) -> tuple[ImageSource, Images[ImageSource]]:
    """Return the settings of the data set for an adopted model, and its source.

    Args:
        checkout: The checkout.
        asked: Names the data.
        claims: Say how the model sees it: classes, normalisation, channels, size.

    Returns:
        The settings, not written yet, and the source that they are for.

    Raises:
        ConfigurationError: If no data of the user's is named, or the settings are not valid.
    """
    if asked.data is None:
        section = read_values(checkout.root)["dataset"]
        section |= {"subjects": relative(checkout, asked.subjects)} if asked.subjects else {}
    else:
        section = images_section(checkout, asked.data, subjects=asked.subjects, name=asked.name)
    seen = {"classes", "normalisation", "channels", "image_size", "orientation"}
    section |= claims.model_dump(mode="json", include=seen, exclude_none=True)
    section |= {"on_bad_image": "skip"} if asked.skip else {}
    settings, source = images_of(section)
    if settings.canaries:
        raise ConfigurationError("a model from elsewhere has learned no canaries; set dataset.canaries to 0")
    return settings, source


def settle_params(
    checkout: Checkout, asked: Adoption, settings: ImageSource, card: CheckpointCard, found: Estimate
) -> Checkout:
    """Write an adopted model into ``params.yaml``.

    Without a recipe there is no retrained model to compare with: then ``policy.reference`` becomes
    ``none``; it becomes ``build`` when the same model is adopted again with its recipe. The policy's absolute
    floors for the accuracy on retained data are for another model, so they become this model's accuracy less
    what the band allows.

    Args:
        checkout: The checkout.
        asked: Names the registered model.
        settings: The data set's settings.
        card: The model's card.
        found: Its accuracy.

    Returns:
        The changed checkout.
    """
    written = settings.model_dump(mode="json", exclude_defaults=True)
    sections = {
        "dataset": {"source": name_of(type(settings), "source"), **written},
        "parent": {"source": "adopted", "weights": card.weights, **named_net(card)},
        "registry": {"model": asked.name},
    }
    policy = checkout.params.policy
    changes: dict[tuple[str | int, ...], Any] = {}
    setting = "otherwise" if policy.reference == "calibrated" else "reference"
    if card.recipe is None and policy.retrained != "none":
        changes["policy", setting] = "none"
    if card.recipe is not None and policy.retrained == "none" and _lacked_recipe(checkout, card):
        changes["policy", setting] = "build"
    for scope in ("classes", "samples"):
        for index, band in enumerate(getattr(policy, scope)):
            if band.measurement.startswith("accuracy.") and band.measurement.endswith(".retain"):
                floor = math.floor(100 * (found.value - band.below)) / 100
                changes["policy", scope, index, "lowest"] = max(floor, 0.0)
    checkout = checkout.changed(sections)
    set_values(checkout.root, changes)
    return Checkout(checkout.root)


def _lacked_recipe(checkout: Checkout, card: CheckpointCard) -> bool:
    """Tell whether the parent is this model, adopted without a recipe."""
    if not (checkout.parent / CARD).is_file():
        return False
    current = read_checkpoint_card(checkout.parent)
    return current.weights == card.weights and current.recipe is None


def discard_other_card(folder: Path, card: CheckpointCard) -> None:
    """Remove a checkpoint whose card is another one, so that it is made again.

    What makes it depends on the digest of the weights, which a recipe does not change.
    """
    if (folder / CARD).is_file() and read_checkpoint_card(folder) != card:
        shutil.rmtree(folder)


def named_net(card: CheckpointCard) -> dict[str, str]:
    """Return what ``params.yaml`` says of a parent's net: the name of a user's own, which may be run then."""
    net = card.architecture.name
    return {"architecture": net} if is_factory(net) else {}


def register_adopted(
    checkout: Checkout, name: str, claimed: float | None, found: Estimate, expected: Outlook
) -> Adopted:
    """Register the parent as the champion; the same model on the same data is registered once.

    Args:
        checkout: The checkout.
        name: The registered model's name.
        claimed: The claimed accuracy, or None.
        found: The measured accuracy.
        expected: What deletions on it can get.

    Returns:
        What the checkout holds now.
    """
    card, data = read_checkpoint_card(checkout.parent), read_card(checkout.dataset)
    key = sha256(canonical_json(["adopt", card.weights, data.rows_digest]))
    run = adoption_run(open_tracking(checkout.root, name), name=name, key=key)
    source = str(checkout.dataset.relative_to(checkout.root))
    log_dataset_input(run, name=data.name, digest=data.rows_digest, source=source, context="training")
    run.tracking.client.log_metric(run.id, "accuracy.held_out", found.value)
    version = register_model(
        run,
        name,
        weights=checkout.parent / WEIGHTS,
        card=checkout.parent / CARD,
        key=key,
        tags={Tag.METHOD: "adopt", Tag.TRAINED_ON: data.rows_digest},
        description=f"Adopted: trained elsewhere, {found.value:.2%} accurate on the held-out images",
    )
    promote(run.tracking, name, version.version)
    end_run(run, "FINISHED")
    return Adopted(
        weights=card.weights,
        data=data.rows_digest,
        architecture=card.architecture.name,
        accuracy=found.value,
        claimed=claimed,
        samples=found.samples,
        registered_model=name,
        registered_version=version.version,
        reference=checkout.params.policy.reference,
        outlook=expected,
    )
