"""Stage ``split``: resolve the request on this data, and write the retained data set."""

from pathlib import Path

import numpy as np

from flows.stages.timing import keeping_time
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import replaced_folder, write_record
from tasks.data.datasets import describe_dataset, read_card, read_manifest, rows_digest, write_retained
from tasks.data.fingerprints import with_fingerprints
from tasks.data.validation import validate_dataset, validate_split
from tasks.keys.signing import load_pseudonym_key, pseudonymise
from tasks.requests.due import search_tags
from tasks.requests.request_file import pseudonymiser, read_request
from tasks.tracking.cut_short import close_killed_runs
from tasks.tracking.runs import deletion_run, log_dataset_input, log_documents, tracking_of
from tasks.tracking.undoing import refuse_undoing
from unlearn_core.names import one_form
from unlearn_core.records.data import DatasetCard
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.earlier import EarlierRequest
from unlearn_core.records.request import DeletionRequest
from unlearn_core.records.scope import classes_in
from unlearn_core.records.validation import ValidationRecord
from unlearn_core.selection import Manifest, Selection, require_classes, retained_rows, select


@keeping_time("split")
def split_data(checkout: Checkout) -> SplitRecord:
    """Write ``data/split`` and ``data/retained``, if Great Expectations passes; return the split's record."""
    request, card, manifest, selection = _select(checkout)
    close_killed_runs(checkout)
    tracking = tracking_of(checkout)
    name = checkout.params.registry.model
    lineage = (card.rows_digest, *card.lineage)
    refuse_undoing(tracking, name, request_id=request.id, ancestry=lineage)
    retained = _write_retained(checkout, card, manifest, selection, request)
    split = _resolve(request, card, retained, manifest, selection)
    tags = search_tags(checkout.root, split, request.singles)
    run = deletion_run(tracking, request_id=request.id, key=split.deletion_key, tags=tags)
    inputs = {"training": (card, checkout.dataset), "retained": (retained, checkout.retained)}
    for context, (written, folder) in inputs.items():
        source = str(folder.relative_to(checkout.root))
        log_dataset_input(run, name=card.name, digest=written.rows_digest, source=source, context=context)
    docs = checkout.data_docs(request.id)
    docs.mkdir(parents=True, exist_ok=True)
    try:
        validation = _validate(checkout, card, manifest, selection, docs)
    finally:
        log_documents(run, docs, artifact_path="data_docs")
    _write_split(checkout, split, validation)
    return split


def split_untracked(checkout: Checkout) -> SplitRecord:
    """Do the same, and leave no trace of it in MLflow: nothing is going to be released."""
    request, card, manifest, selection = _select(checkout)
    retained = _write_retained(checkout, card, manifest, selection, request)
    split = _resolve(request, card, retained, manifest, selection)
    docs = checkout.data_docs(request.id)
    docs.mkdir(parents=True, exist_ok=True)
    _write_split(checkout, split, _validate(checkout, card, manifest, selection, docs))
    return split


def _select(checkout: Checkout) -> tuple[DeletionRequest, DatasetCard, Manifest, Selection]:
    """Read the request and the data, and find what the request means on them."""
    request = read_request(checkout, checkout.params.request)
    card = read_card(checkout.dataset)
    manifest = with_fingerprints(checkout, checkout.dataset)
    require_classes(classes_in(request.scope), manifest.classes, quotes=False)
    return request, card, manifest, select(request.scope, manifest, pseudonymiser(request.scope))


def _write_split(checkout: Checkout, split: SplitRecord, validation: dict[str, ValidationRecord]) -> None:
    """Write the resolved request and what was validated; the folder appears whole."""
    with replaced_folder(checkout.split) as fresh:
        write_record(fresh / "split.json", split)
        for name, record in validation.items():
            write_record(fresh / f"validation_{name}.json", record)


def _write_retained(
    checkout: Checkout,
    card: DatasetCard,
    manifest: Manifest,
    selection: Selection,
    request: DeletionRequest,
) -> DatasetCard:
    retained = describe_dataset(
        retained_rows(manifest, selection),
        name=card.name,
        input_shape=card.input_shape,
        normalisation=card.normalisation,
        lineage=(card.rows_digest, *card.lineage),
        earlier=(*card.earlier, *(_served(one, manifest.classes) for one in request.singles)),
        extension=card.extension,
    )
    write_retained(checkout.retained, checkout.dataset, selection.keep, retained, asked=selection.asked)
    return retained


def _served(request: DeletionRequest, classes: tuple[str, ...]) -> EarlierRequest:
    """Return a request as later ones on the retained data see it."""
    forms = [one_form(name) for name in classes]
    return EarlierRequest(
        request=request.id,
        kind=request.scope.kind,
        classes=tuple(sorted(forms.index(one_form(name)) for name in classes_in(request.scope))),
    )


def _resolve(
    request: DeletionRequest,
    card: DatasetCard,
    retained: DatasetCard,
    manifest: Manifest,
    selection: Selection,
) -> SplitRecord:
    key = load_pseudonym_key()
    rows = np.flatnonzero(selection.forget)
    return SplitRecord(
        request=request.id,
        scope_kind=request.scope.kind,
        scope=request.scope_digest,
        data=card.rows_digest,
        retained=retained.rows_digest,
        classes=selection.classes,
        forget_rows=tuple(int(row) for row in rows),
        forgotten=tuple(pseudonymise(key, "sample", str(manifest.sample_ids[row])) for row in rows),
    )


def _validate(
    checkout: Checkout, card: DatasetCard, manifest: Manifest, selection: Selection, docs: Path
) -> dict[str, ValidationRecord]:
    digests = {split.split: rows_digest(manifest, manifest.splits == split.split) for split in card.splits}
    dataset = validate_dataset(manifest, card, digests=digests, rows_digest=rows_digest(manifest), docs=docs)
    retained = read_manifest(checkout.retained)
    return {
        "dataset": dataset,
        "split": validate_split(manifest, selection, retained, card=card, docs=docs),
    }
