"""``lethe adopt``: start deletions from a model that was trained elsewhere."""

import tempfile
from pathlib import Path

import torch

from flows.train import train
from tasks.checkout.checkout import Checkout
from tasks.checkout.log import tell
from tasks.checkout.progress import announced
from tasks.computing.checkpoints import save_checkpoint
from tasks.computing.own_nets import allow_net
from tasks.data.datasets import read_card
from tasks.data.importing import count_turned, discard_other_data
from tasks.data.pool import Pool
from tasks.lifecycle.adopting import discard_other_card, register_adopted, settle_params, settle_source
from tasks.lifecycle.claims import Adoption, all_claims
from tasks.lifecycle.fitting import fit_weights, read_weights
from tasks.lifecycle.outlook import outlook, outlook_lines
from tasks.lifecycle.releases import keep
from tasks.lifecycle.trained_elsewhere import (
    adopted_card,
    measure_accuracy,
    refuse_false_claim,
)
from tasks.tracking.fetching import fetch_weights
from tasks.tracking.registry import SCHEME
from tasks.tracking.runs import open_tracking
from tasks.tracking.undoing import refuse_undoing
from unlearn_core.records.adoption import Adopted, Claims
from unlearn_core.records.artifact import Architecture


def adopt(checkout: Checkout, asked: Adoption) -> Adopted:
    """Check a trained checkpoint against its data and claims, and make it the parent and the champion.

    Args:
        checkout: The checkout; the caller holds its lock.
        asked: What to adopt.

    Returns:
        What was found and registered. Adopting the same model on the same data again changes nothing.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return _adopt(checkout, asked, Path(scratch))


def _adopt(checkout: Checkout, asked: Adoption, scratch: Path) -> Adopted:
    """Adopt through a temporary folder; until everything is checked, only caches are written."""
    tracking = open_tracking(checkout.root, asked.name)
    weights, claims = _fetch(asked, scratch)
    assert claims.architecture is not None
    allow_net(claims.architecture, checkout.root, asked.given.architecture)
    tensors = read_weights(weights)
    expected = outlook(checkout, claims.architecture, claims.recipe)
    for line in outlook_lines(expected, claims.recipe):
        tell(line)
    settings, source = settle_source(checkout, asked, claims)
    with announced("import"):
        folder = source.import_beside(checkout, settings)
    data = read_card(folder)
    architecture = Architecture(name=claims.architecture, classes=data.classes, input_shape=data.input_shape)
    model = fit_weights(architecture, tensors, part=claims.part)
    with announced("measure"):
        pool = Pool(checkout, torch.device("cpu"), folder)
        found = measure_accuracy(model, pool, threads=checkout.params.run.threads)
    refuse_false_claim(found, claims.accuracy, len(data.classes), turned=count_turned(folder))
    refuse_undoing(tracking, asked.name, request_id="", ancestry=(data.rows_digest,))
    card = adopted_card(architecture, data, claims.recipe)
    card = save_checkpoint(scratch / "checkpoint", model.cpu(), card)
    discard_other_card(kept := checkout.generation("models", card.weights), card)
    keep(checkout, {kept: scratch / "checkpoint"})
    checkout = settle_params(checkout, asked, settings, card, found)
    discard_other_card(checkout.parent, card)
    discard_other_data(checkout, data.rows_digest)
    train(checkout)
    source.discard(checkout, settings)
    return register_adopted(checkout, asked.name, claims.accuracy, found, expected)


def _fetch(asked: Adoption, scratch: Path) -> tuple[Path, Claims]:
    """Return the weights' file and everything that is claimed about them."""
    if asked.weights.startswith(SCHEME):
        path, claims = fetch_weights(asked.weights, scratch)
    else:
        path, claims = Path(asked.weights), Claims()
    return path, all_claims(asked, path, claims)
