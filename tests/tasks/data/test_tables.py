"""Parquet files as a source: columns, labels, ids, and images read a few at a time."""

import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pictures import CLASSES, encoded, picture

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import read_card, read_manifest
from tasks.data.tables import ParquetFiles, list_parquet
from unlearn_core.errors import ConfigurationError, PipelineError, SetupError, UsageError
from unlearn_core.records.params import Columns, ParquetSource

COUNT = 60
IMAGES = [encoded(picture(row % 3, row)) for row in range(COUNT)]


def table_of(**columns):
    named = {
        "image": pa.array(IMAGES, pa.binary()),
        "label": [CLASSES[row % 3] for row in range(COUNT)],
    }
    return pa.table({**named, **columns})


def written(folder, table, *, files=1, group=7, name="part"):
    (folder / "images").mkdir(exist_ok=True)
    step = -(-COUNT // files)
    for number in range(files):
        path = folder / "images" / f"{name}-{number}.parquet"
        pq.write_table(table.slice(number * step, step), path, row_group_size=group)
    return folder


def listed(root, **settings):
    return list_parquet(root, ParquetSource(path="images", **settings))


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("group", [1, 7, 100])
@pytest.mark.parametrize("order", [range(COUNT), [59, 0, 30, 29, 31, 31, 5]], ids=["in order", "anyhow"])
def test_each_row_reads_its_own_image(tmp_path, files, group, order):
    found = listed(written(tmp_path, table_of(), files=files, group=group))
    assert [found.read(row) for row in order] == [IMAGES[row] for row in order]


def test_an_image_may_be_a_structure_with_its_bytes(tmp_path):
    images = pa.array([{"bytes": image, "path": None} for image in IMAGES])
    found = listed(written(tmp_path, table_of(image=images)))
    assert [found.read(row) for row in range(COUNT)] == IMAGES


@pytest.mark.parametrize("image", [None, {"bytes": None, "path": "elsewhere.png"}])
def test_a_row_without_bytes_is_an_image_that_cannot_be_read(tmp_path, image):
    images = pa.array([image, *({"bytes": one, "path": None} for one in IMAGES[1:])])
    found = listed(written(tmp_path, table_of(image=images)))
    with pytest.raises(UsageError, match="not the bytes of an image"):
        found.read(0)


def test_classes_are_the_labels_in_alphabetical_order_or_the_given_one(tmp_path):
    written(tmp_path, table_of())
    assert listed(tmp_path).classes == CLASSES
    turned = listed(tmp_path, classes=CLASSES[::-1])
    assert turned.labels.tolist() == [2 - row % 3 for row in range(COUNT)]


def test_numbers_are_classes_by_their_own_name_or_the_given_one(tmp_path):
    written(tmp_path, table_of(label=[row % 3 for row in range(COUNT)]))
    assert listed(tmp_path).classes == ("0", "1", "2")
    assert listed(tmp_path, classes=CLASSES).classes == CLASSES
    assert listed(tmp_path, classes=CLASSES).labels.tolist() == [row % 3 for row in range(COUNT)]


def test_a_file_that_names_its_numbers_is_believed(tmp_path):
    features = {"label": {"names": list(CLASSES), "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    table = table_of(label=[row % 3 for row in range(COUNT)])
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    assert listed(written(tmp_path, table.replace_schema_metadata(described))).classes == CLASSES


def test_labels_that_are_no_class_are_counted(tmp_path):
    labels = [None, "zebra", *(CLASSES[row % 3] for row in range(2, COUNT))]
    written(tmp_path, table_of(label=labels))
    with pytest.raises(ConfigurationError, match=r"2 row\(s\) have a label not among ant, bee, cow"):
        listed(tmp_path, classes=CLASSES)


@pytest.mark.parametrize("label", [-1, 3, None])
def test_numbers_outside_of_the_classes_are_counted(tmp_path, label):
    written(tmp_path, table_of(label=pa.array([label, *(row % 3 for row in range(1, COUNT))], pa.int64())))
    with pytest.raises(ConfigurationError, match=r"1 row\(s\) have a label"):
        listed(tmp_path, classes=CLASSES)


def test_other_columns_are_read_under_the_names_they_have(tmp_path):
    more = {
        "part": ["train" if row < 45 else "test" for row in range(COUNT)],
        "who": [None if row % 2 else f"person {row}" for row in range(COUNT)],
        "key": [1000 + row for row in range(COUNT)],
    }
    written(tmp_path, table_of(**more).rename_columns(["picture", "kind", "part", "who", "key"]))
    columns = Columns(image="picture", label="kind", split="part", subject_id="who", sample_id="key")
    found = listed(tmp_path, columns=columns)
    assert found.read(3) == IMAGES[3]
    assert found.sample_ids[:2] == ["1000", "1001"]
    assert found.subject_ids[:2] == ["person 0", ""]
    assert (found.splits[:45] == "train").all()
    assert not (found.splits[45:] == "train").any()


def test_without_a_column_of_splits_all_rows_are_dealt(tmp_path):
    found = listed(written(tmp_path, table_of()), tuning=0.1, audit=0.2, test=0.3)
    assert Counter(found.splits) == {"train": 24, "tuning": 6, "audit": 12, "test": 18}


def test_ids_are_row_numbers_where_there_are_none(tmp_path):
    assert listed(written(tmp_path, table_of())).sample_ids[:2] == ["row-000000000", "row-000000001"]


def test_ids_that_are_missing_or_come_twice_are_counted_and_not_named(tmp_path):
    ids = [None, "secret", "secret", *map(str, range(3, COUNT))]
    written(tmp_path, table_of(key=ids))
    with pytest.raises(ConfigurationError) as caught:
        listed(tmp_path, columns=Columns(sample_id="key"))
    assert "1 row(s) have no key" in str(caught.value)
    assert "1 row(s) have a key that another row has" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    written(tmp_path, table_of())
    with pytest.raises(ConfigurationError, match=r"has no column kind; it has image, label"):
        listed(tmp_path, columns=Columns(label="kind"))


def test_columns_of_other_names_are_counted_and_not_named(tmp_path):
    table = table_of(who=["jane doe"] * COUNT).rename_columns(["image", "jane doe", "1970"])
    with pytest.raises(ConfigurationError) as caught:
        listed(written(tmp_path, table), columns=Columns(subject_id="who"))
    assert "has no column label, who; it has image, 2 of other names" in str(caught.value)
    assert "jane" not in str(caught.value)


def test_a_wrong_column_of_labels_is_not_repeated(tmp_path):
    table = table_of(who=[None, *["jane doe"] * (COUNT - 1)])
    with pytest.raises(ConfigurationError) as caught:
        listed(written(tmp_path, table), columns=Columns(label="who"))
    assert "1 row(s) have a label that is none of 1 classes" in str(caught.value)
    assert "jane" not in str(caught.value)


def test_a_column_that_is_there_twice_is_named(tmp_path):
    table = table_of(who=["ada"] * COUNT, other=["bob"] * COUNT).rename_columns(
        ["image", "label", "who", "who"]
    )
    with pytest.raises(ConfigurationError, match=r"has the column who more than once; rename or remove one"):
        listed(written(tmp_path, table), columns=Columns(subject_id="who"))


def test_subjects_that_may_be_mistaken_for_others_are_counted_and_not_named(tmp_path):
    table = table_of(who=[" ada", "ada ", "ada\0", "ada", None, *["bob"] * (COUNT - 5)])
    with pytest.raises(ConfigurationError) as caught:
        listed(written(tmp_path, table), columns=Columns(subject_id="who"))
    assert "3 row(s) have a who with white space or control characters" in str(caught.value)
    assert "ada" not in str(caught.value)


WORDS = ("the column label of part-0.parquet holds ", "; expected text or whole numbers")
KINDS = {
    "true and false": pa.array([row % 2 == 0 for row in range(COUNT)]),
    "numbers with a decimal point": pa.array([float(row % 3) for row in range(COUNT)]),
    "lists": pa.array([[row % 3] for row in range(COUNT)]),
    "structures": pa.array([{"label": row % 3} for row in range(COUNT)]),
    "something else": pa.array([[("label", row)] for row in range(COUNT)], pa.map_(pa.string(), pa.int64())),
    "bytes": pa.array([b"ant"] * COUNT),
    "dates or times": pa.array([row % 3 for row in range(COUNT)], pa.date32()),
    "nothing": pa.nulls(COUNT),
}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_another_kind_are_told_in_words(tmp_path, kind):
    with pytest.raises(ConfigurationError, match=kind.join(WORDS)):
        listed(written(tmp_path, table_of(label=KINDS[kind])))


IMAGES_OF_ANOTHER_KIND = {
    "text": ["a.png"] * COUNT,
    "structures": [{"path": "a"}] * COUNT,
    "lists": [[1]] * COUNT,
}


@pytest.mark.parametrize("kind", IMAGES_OF_ANOTHER_KIND)
def test_images_of_another_kind_are_told_before_any_is_read(tmp_path, kind):
    table = table_of(image=IMAGES_OF_ANOTHER_KIND[kind])
    with pytest.raises(
        ConfigurationError, match=f"the column image of part-0.parquet holds {kind}; expected"
    ):
        listed(written(tmp_path, table))


def test_all_columns_of_another_kind_come_together(tmp_path):
    table = table_of(image=["a.png"] * COUNT, label=[0.5] * COUNT, who=[0.5] * COUNT)
    with pytest.raises(ConfigurationError) as caught:
        listed(written(tmp_path, table), columns=Columns(subject_id="who"))
    assert str(caught.value).count("holds") == 3


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_text_may_be_stored_in_any_way(tmp_path, kind):
    labels = pa.array([CLASSES[row % 3] for row in range(COUNT)]).cast(kind)
    assert listed(written(tmp_path, table_of(label=labels))).classes == CLASSES


@pytest.mark.parametrize("label", [2**40, 7])
def test_numbers_with_gaps_are_told_and_no_class_is_made_for_them(tmp_path, label):
    written(tmp_path, table_of(label=pa.array([label, *(row % 3 for row in range(1, COUNT))], pa.int64())))
    with pytest.raises(ConfigurationError, match=f"the labels are 4 different numbers up to {label}; number"):
        listed(tmp_path)


def test_a_label_of_its_own_for_each_row_is_another_column(tmp_path):
    written(tmp_path, table_of(label=[f"row {row}" for row in range(COUNT)]))
    with pytest.raises(ConfigurationError, match=r"60 classes in 60 rows; is label another column"):
        listed(tmp_path)


METADATA = [
    "[1]",
    b"\xff{",
    "[" * 100_000,
    '{"info": {"features": {"label": {"names": 3}}}}',
    '{"info": null}',
]


@pytest.mark.parametrize("described", METADATA, ids=range(len(METADATA)))
def test_metadata_of_another_make_names_no_classes(tmp_path, described):
    table = table_of(label=[row % 3 for row in range(COUNT)])
    written(tmp_path, table.replace_schema_metadata({"huggingface": described}))
    assert listed(tmp_path).classes == ("0", "1", "2")


def test_names_are_those_of_the_column_of_labels(tmp_path):
    features = {"colour": {"names": ["red", "blue", "grey"]}, "label": {"names": list(CLASSES)}}
    table = table_of(label=[row % 3 for row in range(COUNT)])
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    assert listed(written(tmp_path, table.replace_schema_metadata(described))).classes == CLASSES


def test_files_of_two_kinds_of_labels_are_told(tmp_path):
    written(tmp_path, table_of())
    written(tmp_path, table_of(label=[row % 3 for row in range(COUNT)]), name="second")
    with pytest.raises(ConfigurationError, match="text in one file and whole numbers in another"):
        listed(tmp_path)


def test_a_small_file_cannot_ask_for_the_memory_of_many_rows(tmp_path):
    many = 2_000_000
    labels = pa.DictionaryArray.from_arrays(pa.array([0] * many, pa.int8()), ["ant"])
    (tmp_path / "images").mkdir()
    pq.write_table(
        pa.table({"image": pa.nulls(many, pa.binary()), "label": labels}), tmp_path / "images/a.parquet"
    )
    with pytest.raises(ConfigurationError, match=r"has 2000000 rows in \d+ bytes; images take more"):
        listed(tmp_path)


def test_a_small_file_cannot_ask_for_the_memory_of_long_names(tmp_path):
    table = table_of(who=["a" * 65 * 2**20, *["b"] * (COUNT - 1)])
    (tmp_path / "images").mkdir()
    pq.write_table(table, tmp_path / "images/a.parquet", compression="zstd")
    with pytest.raises(ConfigurationError, match="has 65 MiB of labels and names for 60 rows"):
        listed(tmp_path, columns=Columns(subject_id="who"))


def test_a_row_without_a_split_and_a_table_without_training_rows_are_told(tmp_path):
    written(tmp_path, table_of(part=[None, *["test"] * (COUNT - 1)]))
    with pytest.raises(ConfigurationError) as caught:
        listed(tmp_path, columns=Columns(split="part"))
    assert "1 row(s) have no part" in str(caught.value)
    assert "no row has the part 'train'" in str(caught.value)


def test_an_image_on_a_damaged_page_cannot_be_read_and_those_of_other_groups_can(tmp_path):
    path = written(tmp_path, table_of()) / "images/part-0.parquet"
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    raw = bytearray(path.read_bytes())
    start = column.dictionary_page_offset
    raw[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(raw)
    found = listed(tmp_path)
    for row in (7, 8, 13):
        with pytest.raises(UsageError, match="damaged"):
            found.read(row)
    assert [found.read(row) for row in (0, 14)] == [IMAGES[0], IMAGES[14]]


def test_text_that_is_not_utf_8_is_refused_by_file(tmp_path):
    names = pa.Array.from_buffers(pa.string(), COUNT, pa.array(["jorge"] * COUNT).buffers())
    latin = pa.Array.from_buffers(
        pa.string(), COUNT, [None, names.buffers()[1], pa.py_buffer(b"j\xf6rge" * COUNT)]
    )
    with pytest.raises(PipelineError, match=r"part-0\.parquet cannot be read: it is damaged, or holds text"):
        listed(written(tmp_path, table_of(who=latin)), columns=Columns(subject_id="who"))


def test_a_damaged_page_is_refused_by_file(tmp_path):
    path = written(tmp_path, table_of(who=["ada"] * COUNT)) / "images/part-0.parquet"
    column = pq.ParquetFile(path).metadata.row_group(0).column(2)
    raw = bytearray(path.read_bytes())
    start = column.dictionary_page_offset
    raw[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(raw)
    with pytest.raises(PipelineError, match=r"part-0\.parquet cannot be read: it is damaged"):
        listed(tmp_path, columns=Columns(subject_id="who"))


def test_a_broken_file_is_named(tmp_path):
    written(tmp_path, table_of())
    (tmp_path / "images/part-1.parquet").write_bytes(b"PAR1")
    with pytest.raises(PipelineError, match=r"part-1\.parquet is not a complete Parquet file"):
        listed(tmp_path)


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(SetupError, match="images is neither a Parquet file nor a folder of such files"):
        listed(tmp_path)


def test_a_table_becomes_a_data_set(tmp_path):
    folder = ParquetFiles().import_beside(
        Checkout(written(tmp_path, table_of(), files=2)), ParquetSource(path="images")
    )
    assert read_card(folder).input_shape == (1, 8, 8)
    assert len(read_manifest(folder)) == COUNT


def test_a_small_file_cannot_ask_for_the_memory_of_one_large_image_among_small_ones(tmp_path):
    images = pa.array([b"i"] * 99 + [bytes(300 * 2**20)], pa.large_binary())
    table = pa.table({"image": images, "label": ["a", "b"] * 50})
    pq.write_table(table, tmp_path / "one.parquet", compression="zstd")
    incoming = list_parquet(tmp_path, ParquetSource(path="one.parquet"))
    with pytest.raises(UsageError, match="smaller groups"):
        incoming.read(99)
