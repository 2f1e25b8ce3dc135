"""Canaries: two halves that nothing but chance tells apart, in every source that deals rows."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pictures import CLASSES, encoded, folder_of_pictures, picture
from world import ROOT, content, pseudonym

from flows.stages.dataset import make_dataset
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_record
from tasks.checkout.params import set_values
from tasks.computing.materials import views
from tasks.data.canaries import with_canaries
from tasks.data.datasets import read_card, read_manifest
from tasks.data.folders import Folders
from tasks.data.incoming import Incoming
from tasks.data.pool import Pool
from tasks.data.sources import source_of
from unlearn_core.canaries import CANARY_SUBJECT
from unlearn_core.errors import ConfigurationError
from unlearn_core.records.data import SPLITS
from unlearn_core.records.deletion import SplitRecord
from unlearn_core.records.params import ImageFolderSource, ImageSource, ParquetSource

ROWS = 60
ORIGINAL = np.arange(ROWS) % len(CLASSES)
SPLIT = np.where(np.arange(ROWS) % 4 == 0, "audit", "train").astype(object)


def incoming(*, subjects=None, splits=SPLIT):
    return Incoming(
        sample_ids=[f"row-{row:02d}" for row in range(ROWS)],
        labels=ORIGINAL,
        splits=splits,
        subject_ids=[""] * ROWS if subjects is None else subjects,
        sizes=np.zeros(ROWS, dtype=np.int64),
        stamps=np.zeros(ROWS, dtype=np.int64),
        classes=CLASSES,
        read=lambda row: bytes([row]),
    )


def test_without_canaries_the_rows_are_the_sources_own():
    rows = incoming()
    assert with_canaries(rows, ImageSource()) is rows


def test_the_sources_own_rows_are_left_alone():
    rows = incoming()
    with_canaries(rows, ImageSource(canaries=5))
    assert (rows.labels == np.arange(ROWS) % len(CLASSES)).all()
    assert "canary" not in rows.splits


def test_a_persons_row_is_never_a_canary():
    persons = ["ada" if row % 2 else "" for row in range(ROWS)]
    found = with_canaries(incoming(subjects=persons), ImageSource(canaries=7))
    assert [one for one in found.subject_ids if one == "ada"] == ["ada"] * 30
    of_persons = np.array(persons) == "ada"
    assert (found.labels[of_persons] == ORIGINAL[of_persons]).all()


def test_where_every_row_is_a_persons_there_is_nothing_to_plant_in():
    with pytest.raises(ConfigurationError, match="do not fit into 0 training rows"):
        with_canaries(incoming(subjects=["ada"] * ROWS), ImageSource(canaries=1))


@pytest.mark.parametrize("count", [0, 1])
def test_a_person_who_is_called_like_the_canaries_is_refused(count):
    with pytest.raises(ConfigurationError, match="the canaries' name; rename it"):
        with_canaries(incoming(subjects=[CANARY_SUBJECT] + [""] * (ROWS - 1)), ImageSource(canaries=count))


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_decides_who_is_planted(seed):
    first, same, other = (
        with_canaries(incoming(), ImageSource(canaries=8, seed=one)).subject_ids
        for one in (seed, seed, seed + 1)
    )
    assert first == same
    assert first != other


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Digits with five canaries, and nobody's model."""
    root = tmp_path_factory.mktemp("digits")
    shutil.copy(ROOT / "params.yaml", root)
    set_values(root, {("dataset", "canaries"): 5})
    make_dataset(Checkout(root))
    return Checkout(root)


def looked_at(checkout, forget, classes=()):
    """Return what is looked at where some rows are forgotten, as far as it is of canaries."""
    data, rows = read_card(checkout.dataset).rows_digest, np.flatnonzero(forget)
    split = SplitRecord(
        request="r-1",
        scope_kind="classes" if classes else "subjects",
        scope=content("scope"),
        data=data,
        retained=data,
        classes=classes,
        forget_rows=tuple(int(row) for row in rows),
        forgotten=tuple(pseudonym(str(row)) for row in rows),
    )
    write_record(checkout.split / "split.json", split)
    found = views(checkout, Pool(checkout, torch.device("cpu")))
    return [view for view in found if view[0] == "canary"], found


def test_held_out_canaries_are_looked_at_where_planted_ones_are_forgotten(digits):
    manifest = read_manifest(digits.dataset)
    (view,), found = looked_at(digits, manifest.subject_ids == CANARY_SUBJECT)
    assert view == ("canary", "retain")
    assert found[view].labels.tolist() == manifest.labels[manifest.splits == "canary"].tolist()
    assert len(found["train", "forget"]) == len(found[view]) == 5


@pytest.mark.parametrize("others", ["subject-0007", "everybody"])
def test_held_out_canaries_are_not_looked_at_where_anything_else_is_forgotten(digits, others):
    manifest = read_manifest(digits.dataset)
    names = [others] if others != "everybody" else [CANARY_SUBJECT, "subject-0007"]
    assert looked_at(digits, np.isin(manifest.subject_ids, names))[0] == []


def test_held_out_canaries_are_not_looked_at_where_a_class_is_forgotten(digits):
    manifest = read_manifest(digits.dataset)
    assert looked_at(digits, (manifest.labels == 3) & (manifest.splits == "train"), classes=(3,))[0] == []


def test_held_out_canaries_are_in_no_other_view(digits):
    manifest = read_manifest(digits.dataset)
    _, found = looked_at(digits, manifest.subject_ids == CANARY_SUBJECT)
    sizes = {part: int((manifest.splits == part).sum()) for part in ("train", "audit", "test")}
    assert len(found["train", "forget"]) + len(found["train", "retain"]) == sizes["train"]
    assert len(found["audit", "retain"]) == sizes["audit"]
    assert len(found["test", "retain"]) == sizes["test"]


def folder(root):
    folder_of_pictures(root / "images")
    return ImageFolderSource(path="images", canaries=6)


def tables(root):
    (root / "images").mkdir()
    table = pa.table(
        {
            "image": pa.array([encoded(picture(row % 3, row)) for row in range(90)], pa.binary()),
            "label": [CLASSES[row % 3] for row in range(90)],
        }
    )
    pq.write_table(table, root / "images/all.parquet")
    return ParquetSource(path="images", canaries=6)


@pytest.mark.parametrize("make", [folder, tables], ids=lambda make: make.__name__)
def test_a_source_of_images_plants_what_it_is_asked_for(tmp_path, make):
    params = make(tmp_path)
    made = source_of(params).import_beside(Checkout(tmp_path), params)
    manifest, card = read_manifest(made), read_card(made)
    plain = source_of(params).rows(tmp_path, type(params)(path="images"))
    wrong = manifest.labels != plain.labels
    assert (wrong == ((manifest.subject_ids == CANARY_SUBJECT) | (manifest.splits == "canary"))).all()
    assert (manifest.subject_ids == CANARY_SUBJECT).sum() == 6
    assert [split.split for split in card.splits] == [*SPLITS, "canary"]
    assert card.splits[-1].rows == 6


def test_a_card_without_canaries_has_no_such_split(tmp_path):
    folder_of_pictures(tmp_path / "images")
    made = Folders().import_beside(Checkout(tmp_path), ImageFolderSource(path="images"))
    assert [split.split for split in read_card(made).splits] == list(SPLITS)
