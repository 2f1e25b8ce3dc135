"""Data sets at rest: the identity of rows, whatever files they lie in."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import content, files_of

from tasks.data.datasets import (
    ROWS_PER_SHARD,
    describe_dataset,
    each_image,
    manifest_of,
    read_card,
    read_manifest,
    read_rows,
    rows_digest,
    write_dataset,
    write_retained,
)
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import sha256
from unlearn_core.records.data import FORGOTTEN_SPLIT, SPLITS, Normalisation
from unlearn_core.records.earlier import EarlierRequest

CLASSES = ("a", "b", "c")
ROWS = 2 * ROWS_PER_SHARD + 40


def table_of(count=ROWS):
    """Return rows of three classes, split in turns; each image is a few bytes of its own."""
    return pa.table(
        {
            "sample_id": [f"row-{row:04d}" for row in range(count)],
            "label": [row % 3 for row in range(count)],
            "split": [SPLITS[row % 4] for row in range(count)],
            "subject_id": [f"subject-{row // 8}" if row % 4 == 0 else "" for row in range(count)],
            "sha256": [sha256(f"image {row}".encode()) for row in range(count)],
            "image": pa.array([f"image {row}".encode() for row in range(count)], pa.binary()),
        }
    )


def card_of(table, **changes):
    settings = {"name": "made", "input_shape": (1, 8, 8), "normalisation": Normalisation(mean=(0,), std=(1,))}
    return describe_dataset(manifest_of(table, CLASSES), **{**settings, **changes})


@pytest.fixture
def folder(tmp_path):
    table = table_of()
    write_dataset(tmp_path / "dataset", table, card_of(table))
    return tmp_path / "dataset"


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"no Parquet at all"])
def test_a_broken_shard_is_named_with_what_to_do(folder, raw):
    (folder / "shard-00001.parquet").write_bytes(raw)
    with pytest.raises(PipelineError, match=r"shard-00001\.parquet cannot be read .*dvc checkout"):
        read_manifest(folder)


def shards(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def test_a_data_set_reads_back(folder):
    assert read_card(folder) == card_of(table_of())
    assert rows_digest(read_manifest(folder)) == read_card(folder).rows_digest


def test_images_are_read_by_mask_in_order(folder):
    mask = np.zeros(ROWS, dtype=bool)
    mask[[0, 300, ROWS - 1]] = True
    assert list(each_image(folder, mask)) == [b"image 0", b"image 300", f"image {ROWS - 1}".encode()]


def test_an_altered_image_is_refused(folder):
    path = sorted(folder.glob("*.parquet"))[1]
    shard = pq.read_table(path)
    images = [b"another", *shard["image"].to_pylist()[1:]]
    pq.write_table(shard.set_column(shard.column_names.index("image"), "image", pa.array(images)), path)
    with pytest.raises(PipelineError, match="1 image"):
        list(each_image(folder, np.ones(ROWS, dtype=bool)))


def test_shards_hold_so_many_rows(folder):
    counts = [pq.read_metadata(path).num_rows for path in sorted(folder.glob("*.parquet"))]
    assert counts == [ROWS_PER_SHARD, ROWS_PER_SHARD, 40]


def test_two_writes_give_the_same_bytes(folder, tmp_path):
    table = table_of()
    write_dataset(tmp_path / "again", table, card_of(table))
    assert shards(folder) == shards(tmp_path / "again")


def test_writing_again_leaves_no_shard_of_before(folder):
    table = table_of(10)
    write_dataset(folder, table, card_of(table))
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "shard-00000.parquet"]


def test_an_empty_folder_holds_no_data_set(tmp_path):
    with pytest.raises(PipelineError, match="holds no data set"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_rows_digest_does_not_know_how_files_are_cut_or_packed(folder, compression):
    whole = pa.concat_tables(pq.read_table(path) for path in sorted(folder.glob("*.parquet")))
    before = rows_digest(read_manifest(folder))
    for path in folder.glob("*.parquet"):
        path.unlink()
    for number, start in enumerate(range(0, ROWS, 100)):
        pq.write_table(
            whole.slice(start, 100), folder / f"shard-{number:05d}.parquet", compression=compression
        )
    assert rows_digest(read_manifest(folder)) == before


@given(st.permutations(range(12)))
def test_the_rows_digest_does_not_know_the_order_of_rows(order):
    table = table_of(12)
    assert rows_digest(manifest_of(table.take(list(order)), CLASSES)) == rows_digest(
        manifest_of(table, CLASSES)
    )


@given(
    st.sampled_from(["sample_id", "label", "split", "subject_id", "sha256"]),
    st.integers(0, 11),
)
def test_any_other_cell_gives_another_rows_digest(column, row):
    table = table_of(12)
    values = table[column].to_pylist()
    others = {"label": 7, "split": "other", "sha256": content("other")}
    values[row] = others.get(column, "someone else")
    changed = table.set_column(table.schema.get_field_index(column), column, pa.array(values))
    assert rows_digest(manifest_of(changed, CLASSES)) != rows_digest(manifest_of(table, CLASSES))


def test_cells_do_not_run_into_one_another():
    table = table_of(2)
    joined = table.set_column(0, "sample_id", pa.array(["row-00", "row-01"]))
    assert rows_digest(manifest_of(joined, CLASSES)) != rows_digest(manifest_of(table, CLASSES))


def test_a_digest_of_some_rows_is_the_digest_of_a_data_set_of_them():
    found = manifest_of(table_of(12), CLASSES)
    mask = np.arange(12) < 5
    assert rows_digest(found, mask) == rows_digest(manifest_of(table_of(5), CLASSES))


def test_a_card_counts_every_split_and_class():
    card = card_of(table_of(24))
    assert [split.split for split in card.splits] == list(SPLITS)
    assert [split.rows for split in card.splits] == [6, 6, 6, 6]
    assert all(split.rows_per_class == (2, 2, 2) for split in card.splits)


def retained(folder, gone):
    keep = np.ones(ROWS, dtype=bool)
    keep[gone] = False
    target = folder.with_name("retained")
    write_retained(target, folder, keep, read_card(folder))
    return target


def test_the_retained_data_are_all_other_rows(folder):
    found = read_manifest(retained(folder, [3, 260, 261]))
    expected = [f"row-{row:04d}" for row in range(ROWS) if row not in {3, 260, 261}]
    assert found.sample_ids.tolist() == expected


def test_images_stay_with_their_rows(folder):
    target = retained(folder, [3, 260])
    everything = np.ones(ROWS - 2, dtype=bool)
    assert list(each_image(target, everything)) == [
        f"image {row}".encode() for row in range(ROWS) if row not in {3, 260}
    ]


def test_only_a_shard_that_loses_a_row_is_written_anew(folder):
    before, after = shards(folder), shards(retained(folder, [260]))
    assert [name for name in before if after[name] != before[name]] == ["shard-00001.parquet"]


def test_a_shard_that_somebody_else_wrote_stays_as_it_is_too(folder):
    path = folder / "shard-00000.parquet"
    pq.write_table(pq.read_table(path), path, compression="gzip", row_group_size=7)
    before = path.read_bytes()
    assert shards(retained(folder, [260]))["shard-00000.parquet"] == before


def test_a_shard_that_loses_all_rows_is_gone(folder):
    assert "shard-00002.parquet" not in shards(retained(folder, range(2 * ROWS_PER_SHARD, ROWS)))


def test_rows_kept_apart_change_their_split_and_nothing_else(folder):
    keep, asked = np.ones(ROWS, dtype=bool), np.zeros(ROWS, dtype=bool)
    keep[[3, 4]], asked[4] = False, True
    target = folder.with_name("retained")
    write_retained(target, folder, keep, read_card(folder), asked=asked)
    before, after = read_rows(folder), read_rows(target)
    assert after["split"].to_pylist()[3] == FORGOTTEN_SPLIT
    left = [row for row in range(ROWS) if row != 3]
    assert after.drop_columns("split") == before.drop_columns("split").take(left)
    assert shards(folder)["shard-00001.parquet"] == shards(target)["shard-00001.parquet"]


def test_a_card_lists_what_is_kept_apart_as_a_split_of_its_own():
    found = manifest_of(table_of(24), CLASSES)
    apart = replace(found, splits=np.where(found.splits == "test", FORGOTTEN_SPLIT, found.splits))
    shape = card_of(table_of(24))
    settings = {name: getattr(shape, name) for name in ("name", "input_shape", "normalisation")}
    earlier = (EarlierRequest(request="c-1", kind="classes", classes=(1,)),)
    card = describe_dataset(apart, **settings, earlier=earlier)
    assert card.splits[-1].split == FORGOTTEN_SPLIT
    assert (card.splits[-1].rows, card.earlier) == (6, earlier)
    assert b"earlier" not in shape.canonical()


def test_no_byte_of_a_forgotten_image_is_left(folder):
    path = folder / "shard-00000.parquet"
    pq.write_table(pq.read_table(path), path, compression="none")
    assert b"image 17" in path.read_bytes()
    rows = pa.concat_tables(pq.read_table(p) for p in sorted(retained(folder, [17]).glob("*.parquet")))
    assert b"image 17" not in rows["image"].to_pylist()


def test_a_failed_write_leaves_the_old_data_set(folder):
    before = files_of(folder)
    with pytest.raises(AttributeError):
        write_dataset(folder, table_of(10), "no card")
    assert files_of(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["dataset"]
