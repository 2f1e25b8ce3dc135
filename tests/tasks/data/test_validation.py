from dataclasses import replace

import numpy as np
import pytest

from tasks.data.validation import validate_dataset, validate_split
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import sha256
from unlearn_core.records.data import SPLITS, DatasetCard, Normalisation, SplitCard
from unlearn_core.selection import Manifest, Selection

CLASSES = ("cat", "dog", "emu")
DIGESTS = {split: sha256(split.encode()) for split in SPLITS}
ROWS_DIGEST = sha256(b"all rows")


def manifest_of(rows_per_split=6):
    rows = rows_per_split * len(SPLITS)
    return Manifest(
        sample_ids=np.array([f"person-{row:03d}" for row in range(rows)]),
        labels=np.arange(rows) % len(CLASSES),
        splits=np.repeat(np.array(SPLITS), rows_per_split),
        subject_ids=np.array([""] * rows),
        sha256=np.array([sha256(str(row).encode()) for row in range(rows)]),
        classes=CLASSES,
    )


def card_of(rows_per_split=6):
    per_class = (rows_per_split // len(CLASSES),) * len(CLASSES)
    return DatasetCard(
        name="toy",
        classes=CLASSES,
        input_shape=(1, 2, 2),
        normalisation=Normalisation(mean=(0.5,), std=(0.5,)),
        splits=tuple(
            SplitCard(split=split, rows=rows_per_split, rows_per_class=per_class, rows_digest=DIGESTS[split])
            for split in SPLITS
        ),
        rows_digest=ROWS_DIGEST,
    )


def changed(manifest, column, row, value):
    values = getattr(manifest, column).copy().astype(object)
    values[row] = value
    kind = getattr(manifest, column).dtype.kind
    return replace(manifest, **{column: values.astype(kind if kind == "i" else str)})


def kept(manifest, mask):
    columns = ("sample_ids", "labels", "splits", "subject_ids", "sha256")
    return replace(manifest, **{column: getattr(manifest, column)[mask] for column in columns})


def first_class_forgotten(manifest):
    train, mine = manifest.splits == "train", manifest.labels == 0
    return Selection(
        forget=train & mine, retain=train & ~mine, keep=~mine, asked=train & ~train, classes=(0,)
    )


def validated_dataset(docs, manifest=None, digests=None, rows_digest=ROWS_DIGEST):
    manifest = manifest_of() if manifest is None else manifest
    return validate_dataset(
        manifest, card_of(), digests=digests or DIGESTS, rows_digest=rows_digest, docs=docs
    )


def validated_split(docs, selection=None, retained=None):
    manifest = manifest_of()
    selection = selection or first_class_forgotten(manifest)
    retained = kept(manifest, selection.keep) if retained is None else retained
    return validate_split(manifest, selection, retained, card=card_of(), docs=docs)


def test_a_sound_data_set_passes_and_says_what_was_looked_at(tmp_path):
    record = validated_dataset(tmp_path)
    assert record.failed == ()
    assert record.succeeded == record.evaluated == 17
    assert record.data == ROWS_DIGEST


def test_equal_data_give_an_equal_record(tmp_path):
    assert validated_dataset(tmp_path / "a") == validated_dataset(tmp_path / "b")


BROKEN_DATA = {
    "every row has a sample id": {"manifest": changed(manifest_of(), "sample_ids", 3, "")},
    "sample ids are unique": {"manifest": changed(manifest_of(), "sample_ids", 3, "person-004")},
    "labels are classes of the card": {"manifest": changed(manifest_of(), "labels", 3, 3)},
    "splits are splits of the card": {"manifest": changed(manifest_of(), "splits", 3, "holdout")},
    "the splits are the card's": {"manifest": kept(manifest_of(), manifest_of().splits != "audit")},
    "contents are named by a SHA-256": {"manifest": changed(manifest_of(), "sha256", 3, "sha256:ABC")},
    "there are as many rows as the card says": {"manifest": kept(manifest_of(), np.arange(24) != 3)},
    "each class has as many train rows as the card says": {
        "manifest": changed(manifest_of(), "labels", 3, 1)
    },
    "each class has as many test rows as the card says": {
        "manifest": changed(manifest_of(), "labels", 23, 1)
    },
    "the classes are the card's": {"manifest": replace(manifest_of(), classes=("cat", "dog", "rat"))},
    "the digest of all rows is the card's": {"rows_digest": sha256(b"other rows")},
    "the digest of the audit rows is the card's": {"digests": DIGESTS | {"audit": sha256(b"other rows")}},
    "the digest of the tuning rows is the card's": {
        "digests": {s: DIGESTS[s] for s in SPLITS if s != "tuning"}
    },
}


@pytest.mark.parametrize("rule", BROKEN_DATA)
def test_a_broken_rule_of_the_data_set_is_named(rule, tmp_path):
    with pytest.raises(PipelineError, match=f"not true: {rule}\n"):
        validated_dataset(tmp_path, **BROKEN_DATA[rule])


def with_held_out_canaries():
    """The last three rows are canaries that were held out."""
    manifest, card = manifest_of(), card_of()
    splits = manifest.splits.copy()
    splits[-3:] = "canary"
    *others, test = card.splits
    half = {"rows": 3, "rows_per_class": (1, 1, 1)}
    canary = SplitCard.model_validate({**dict(test), **half, "split": "canary", "rows_digest": ROWS_DIGEST})
    splits_of_card = (*others, SplitCard.model_validate({**dict(test), **half}), canary)
    return replace(manifest, splits=splits), card.model_copy(update={"splits": splits_of_card})


def validated_canaries(docs, manifest, card):
    return validate_dataset(
        manifest, card, digests=DIGESTS | {"canary": ROWS_DIGEST}, rows_digest=ROWS_DIGEST, docs=docs
    )


def test_held_out_canaries_are_looked_at_where_there_are_any(tmp_path):
    record = validated_canaries(tmp_path, *with_held_out_canaries())
    assert record.failed == ()
    assert record.evaluated == 17 + 4


@pytest.mark.parametrize(
    ("rule", "column", "value"),
    [
        ("held-out canaries belong to nobody", "subject_ids", "somebody"),
        ("no held-out canary is a training row", "sample_ids", "person-000"),
    ],
)
def test_a_broken_rule_of_held_out_canaries_is_named(rule, column, value, tmp_path):
    manifest, card = with_held_out_canaries()
    with pytest.raises(PipelineError, match=f"not true: {rule}\n"):
        validated_canaries(tmp_path, changed(manifest, column, -1, value), card)


def test_all_broken_rules_are_named_at_once(tmp_path):
    manifest = changed(changed(manifest_of(), "labels", 3, 7), "sha256", 3, "")
    with pytest.raises(PipelineError, match="fails 3 of 17 expectations"):
        validated_dataset(tmp_path, manifest)


def test_a_sound_split_passes(tmp_path):
    record = validated_split(tmp_path)
    assert (record.subject, record.evaluated, record.failed) == ("split", 11, ())


def flipped(name, row, value):
    selection = first_class_forgotten(manifest_of())
    mask = getattr(selection, name).copy()
    mask[row] = value
    return replace(selection, **{name: mask})


NOTHING = np.zeros(24, dtype=bool)
RETAINED = kept(manifest_of(), first_class_forgotten(manifest_of()).keep)
BROKEN_SPLITS = {
    "something is forgotten": {"selection": replace(first_class_forgotten(manifest_of()), forget=NOTHING)},
    "something is retained": {"selection": replace(first_class_forgotten(manifest_of()), retain=NOTHING)},
    "no row is both forgotten and retained": {"selection": flipped("retain", 0, True)},
    "every training row is forgotten or retained": {"selection": flipped("forget", 0, False)},
    "only training rows are forgotten or retained": {"selection": flipped("forget", 23, True)},
    "no training row of a forgotten class is retained": {"selection": flipped("retain", 0, True)},
    "no forgotten row is in the retained data set": {"retained": manifest_of()},
    "no copy of a forgotten image is in the retained data set": {
        "retained": changed(RETAINED, "sha256", 5, sha256(b"0"))
    },
    "every row to keep is in the retained data set": {"retained": kept(RETAINED, np.arange(16) != 5)},
    "every row of the retained data set was to be kept": {
        "retained": changed(RETAINED, "sample_ids", 5, "person-999")
    },
    "what is left of a forgotten class is in no split that is learned or measured": {
        "retained": changed(RETAINED, "labels", 5, 0)
    },
}


@pytest.mark.parametrize("rule", BROKEN_SPLITS)
def test_a_broken_rule_of_the_split_is_named(rule, tmp_path):
    with pytest.raises(PipelineError, match=f"not true: {rule}\n"):
        validated_split(tmp_path, **BROKEN_SPLITS[rule])


def test_an_exact_copy_in_a_held_out_split_is_found(tmp_path):
    copy = np.flatnonzero(RETAINED.splits == "test")[0]
    with pytest.raises(
        PipelineError, match="1 of 11 expectations:\n  not true: no copy of a forgotten image"
    ):
        validated_split(tmp_path, retained=changed(RETAINED, "sha256", copy, sha256(b"0")))


@pytest.fixture
def failed_pages(tmp_path):
    manifest = changed(changed(manifest_of(), "labels", 3, 7), "sample_ids", 5, "person-004")
    with pytest.raises(PipelineError):
        validated_dataset(tmp_path, manifest)
    with pytest.raises(PipelineError):
        validated_split(tmp_path, retained=manifest_of())
    return {page.name: page.read_text() for page in tmp_path.iterdir()}


def test_the_report_is_written_even_when_an_expectation_fails(failed_pages):
    assert sorted(failed_pages) == ["dataset-rows.html", "dataset-rules.html", "split-rules.html"]
    assert "labels are classes of the card" in failed_pages["dataset-rows.html"]
    assert "Failed" in failed_pages["split-rules.html"]


def test_the_report_holds_no_sample_id_and_no_content_digest(failed_pages):
    for page in failed_pages.values():
        assert "person-" not in page
        assert sha256(b"0") not in page


def test_the_report_reaches_for_no_network(failed_pages):
    for page in failed_pages.values():
        assert "http" not in page
        assert "<script" not in page
        assert "../" not in page
