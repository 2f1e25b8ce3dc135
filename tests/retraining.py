"""A request on digits, split by hand: what retraining starts from, without a pipeline or a tracking store."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from world import ROOT, pseudonym

from flows.stages.dataset import make_dataset
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.computing.checkpoints import save_checkpoint
from tasks.computing.training import UNWRITTEN
from tasks.data.datasets import describe_dataset, read_card, read_manifest, rows_digest, write_retained
from tasks.references.gathering import gather_references
from unlearn_core.models import build_seeded
from unlearn_core.records.artifact import Architecture, CheckpointCard, Recipe
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.params import RunParams
from unlearn_core.records.scope import ClassScope
from unlearn_core.selection import select

RUN = RunParams(threads=1)
BRIEF = Recipe(optimizer="adamw", learning_rate=0.01, schedule="one_cycle", epochs=1, batch_size=128)


def prepared(folder: Path, *, recipe: Recipe | None = BRIEF, forget: str = "3") -> Checkout:
    """Make the data set, a parent that nobody trained, and a request for one class."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "params.yaml", folder)
    checkout = Checkout(folder)
    make_dataset(Checkout(folder))
    _make_parent(checkout, recipe)
    request_class(checkout, forget)
    return checkout


def gate_reference(checkout: Checkout, run: RunParams, how: str) -> Path | None:
    """Return the one retrained model that the gate holds others against."""
    policy = checkout.params.policy
    return gather_references(checkout, run, policy.model_copy(update={"reference": how})).chosen


def request_class(checkout: Checkout, name: str) -> None:
    """Split the data anew: another class is to be forgotten."""
    card, manifest, scope = (
        read_card(checkout.dataset),
        read_manifest(checkout.dataset),
        ClassScope(classes=(name,)),
    )
    selection = select(scope, manifest, pseudonym)
    rows = np.flatnonzero(selection.forget)
    split = SplitRecord(
        request="r-1",
        scope_kind="classes",
        scope=scope.digest,
        data=card.rows_digest,
        retained=rows_digest(manifest, selection.keep),
        classes=selection.classes,
        forget_rows=tuple(int(row) for row in rows),
        forgotten=tuple(pseudonym(str(manifest.sample_ids[row])) for row in rows),
    )
    write_record(checkout.split / "split.json", split)


def go_on(checkout: Checkout, folder: Path, *, forget: str) -> Checkout:
    """Make a checkout whose data set is what the request of another retains, and forget one more class."""
    card, manifest = read_card(checkout.dataset), read_manifest(checkout.dataset)
    keep = select(ClassScope(classes=("3",)), manifest, pseudonym).keep
    columns = ("sample_ids", "labels", "splits", "subject_ids", "sha256")
    kept = replace(manifest, **{name: getattr(manifest, name)[keep] for name in columns})
    shape = {"name": card.name, "input_shape": card.input_shape, "normalisation": card.normalisation}
    shutil.copytree(checkout.parent, folder / "models" / "parent")
    shutil.copy(ROOT / "params.yaml", folder)
    write_retained(Checkout(folder).dataset, checkout.dataset, keep, describe_dataset(kept, **shape))
    request_class(Checkout(folder), forget)
    return Checkout(folder)


def _make_parent(checkout: Checkout, recipe: Recipe | None) -> None:
    data = read_card(checkout.dataset)
    net = Architecture(name="small_resnet", classes=data.classes, input_shape=data.input_shape)
    save_untrained(checkout.parent, net, recipe, checkout, seed=0)


def save_untrained(
    folder: Path, net: Architecture, recipe: Recipe | None, checkout: Checkout, *, seed: int
) -> None:
    """Save a net as it was born, which is a whole checkpoint."""
    data = read_card(checkout.dataset)
    card = CheckpointCard(
        architecture=net,
        normalisation=data.normalisation,
        weights=UNWRITTEN,
        data=data.rows_digest,
        seed=seed,
        threads=1,
        recipe=recipe,
    )
    save_checkpoint(folder, build_seeded(net, seed), card)
