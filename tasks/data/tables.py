"""Parquet files with encoded images as a source."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.data.columns import Opened, open_tables, read_columns
from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from unlearn_core.audit.incoming import cell_problem
from unlearn_core.errors import ConfigurationError, UsageError
from unlearn_core.names import one_form
from unlearn_core.records.params import ParquetSource

ROWS_AT_ONCE = 64
_BYTES_AT_ONCE = 32 * 2**20
_MOST_BYTES, _MOST_PACKED = 256 * 2**20, 200
"""A group of more bytes than one image may have, packed more densely than any images are, is a trap."""
_TRAIN = "train"
_FEWEST_IN_A_CLASS = 2

ColumnValues = list[str | int | None]
"""What a column holds."""


class ParquetFiles(Images[ParquetSource]):
    """Parquet files with encoded images."""

    settings = ParquetSource

    def listed(self, root: Path, params: ParquetSource) -> Incoming:
        """List the rows; see ``list_parquet``."""
        return list_parquet(root, params)

    def origin(self, params: ParquetSource) -> str:
        """Return the file or the folder."""
        return params.path


def list_parquet(root: Path, params: ParquetSource) -> Incoming:
    """List the rows of Parquet files, in the files' order; no image is read.

    Args:
        root: What the path in the settings is relative to.
        params: The files, and the names of their columns.

    Returns:
        The rows.

    Raises:
        ConfigurationError: If a column is missing or holds wrong values; every problem is listed.
    """
    tables = open_tables(root / params.path)
    values, columns = read_columns(tables, params), params.columns
    classes, labels, problems = _labels(values["label"], tables[0], params)
    count = len(labels)
    ids, wrong = _ids(values.get("sample_id"), columns.sample_id, count)
    subjects, unclear = _subjects(values.get("subject_id"), columns.subject_id, count)
    held_out, unsplit = _held_out(values.get("split"), columns.split, count)
    if problems := problems + wrong + unclear + unsplit:
        raise ConfigurationError("\n  ".join([f"{Path(params.path).name} cannot be imported:", *problems]))
    groups = _Groups(tables, columns.image)
    return Incoming(
        sample_ids=ids,
        labels=labels,
        splits=deal_splits(labels, held_out, params),
        subject_ids=subjects,
        sizes=groups.sizes(),
        stamps=groups.stamps(),
        classes=classes,
        read=groups.read,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _ids(values: ColumnValues | None, column: str | None, count: int) -> tuple[list[str], list[str]]:
    """Return each row's id, and what is wrong with the ids."""
    if values is None:
        return [f"row-{row:09d}" for row in range(count)], []
    ids = [_text(value) for value in values]
    problems = [f"{ids.count('')} row(s) have no {column}"] if "" in ids else []
    if twice := len(ids) - len(set(ids)):
        problems.append(f"{twice} row(s) have a {column} that another row has")
    return ids, problems


def _subjects(values: ColumnValues | None, column: str | None, count: int) -> tuple[list[str], list[str]]:
    """Return whom each row belongs to, and what is wrong with the subjects."""
    if values is None:
        return [""] * count, []
    subjects = [_text(value) for value in values]
    if unclear := sum(cell_problem(one) is not None for one in subjects):
        return subjects, [
            f"{unclear} row(s) have a {column} with white space or control characters; expected none"
        ]
    return subjects, []


def _held_out(
    values: ColumnValues | None, column: str | None, count: int
) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which rows are held out, and what is wrong with the splits."""
    if values is None:
        return np.zeros(count, dtype=bool), []
    held_out = np.array([value != _TRAIN for value in values], dtype=bool)
    problems = [f"{values.count(None)} row(s) have no {column}"] if None in values else []
    if count and held_out.all():
        problems.append(f"no row has the {column} {_TRAIN!r}, so nothing is left to train on")
    return held_out, problems


def _labels(
    values: ColumnValues, first: Opened, params: ParquetSource
) -> tuple[tuple[str, ...], NDArray[np.int64], list[str]]:
    """Return the classes, each row's index among them, and what is wrong with the labels."""
    ordered = params.classes
    if any(isinstance(value, int) for value in values):
        known = {value for value in values if isinstance(value, int) and value >= 0}
        named = ordered or _named(first, params.columns.label)
        if known and named is None and len(known) <= (largest := max(known)):
            return (), np.zeros(len(values), dtype=np.int64), [_gaps(largest, len(known))]
        classes = named or tuple(map(str, range(len(known))))
        index: dict[Any, int] = {number: number for number in range(len(classes))}
    else:
        classes = ordered or tuple(sorted({str(value) for value in values if value}))
        index = {one_form(name): number for number, name in enumerate(classes)}
        values = [one_form(value) if isinstance(value, str) else value for value in values]
    strange = sum(value not in index for value in values)
    # Unless the settings name the classes, they are what the column holds, and it may be the wrong one.
    expected = (
        f"not among {', '.join(ordered[:10])}" if ordered else f"that is none of {len(classes)} classes"
    )
    problems = [f"{strange} row(s) have a label {expected}"] if strange else []
    if len(classes) < 2:
        problems.append(f"{len(classes)} class(es); at least two are needed")
    if ordered is None and len(values) < _FEWEST_IN_A_CLASS * len(classes):
        problems.append(
            f"{len(classes)} classes in {len(values)} rows; is {params.columns.label} another column?"
        )
    return classes, np.array([index.get(value, 0) for value in values], dtype=np.int64), problems


def _gaps(largest: int, different: int) -> str:
    return (
        f"the labels are {different} different numbers up to {largest}; number the classes from 0 without "
        "gaps, or write their names"
    )


def _named(first: Opened, column: str) -> tuple[str, ...] | None:
    """Return the names of numbered classes, if a file's metadata gives them in the way that is known."""
    try:
        described = json.loads((first.file.schema_arrow.metadata or {})[b"huggingface"])
        names = described["info"]["features"][column]["names"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    are_names = isinstance(names, list) and names and all(isinstance(one, str) and one for one in names)
    return tuple(names) if are_names else None


class _Groups:
    """The images, read one row group at a time; fast in the rows' order."""

    def __init__(self, tables: list[Opened], column: str) -> None:
        self._column = column
        self._groups = [(table, group) for table in tables for group in range(table.file.num_row_groups)]
        self._rows = [rows for table in tables for rows in table.rows]
        self._starts = list(accumulate(self._rows, initial=0))[:-1]
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._held: list[Any] = []
        self._start = self._group = -1

    def sizes(self) -> NDArray[np.int64]:
        """Return each image's approximate size in bytes: its share of its group."""
        size = [self._size(group) for group in range(len(self._groups))]
        return np.repeat(np.array(size, dtype=np.int64), self._rows)

    def _size(self, group: int) -> int:
        table, number = self._groups[group]
        total = table.file.metadata.row_group(number).total_byte_size
        return max(total, 0) // max(self._rows[group], 1)

    def _largest(self, group: int) -> int:
        """Return how many bytes the largest image of a group may have: no less than all of its column's.

        Raises:
            UsageError: If the column takes much more memory than its file suggests.
        """
        table, number = self._groups[group]
        size = packed = 1
        row_group = table.file.metadata.row_group(number)
        for column in map(row_group.column, range(row_group.num_columns)):
            if column.path_in_schema.split(".")[0] == self._column:
                size += column.total_uncompressed_size
                packed += column.total_compressed_size
        if size > _MOST_BYTES and size > _MOST_PACKED * packed:
            raise UsageError(
                f"{size >> 20} MiB in a group of rows that takes {packed >> 10} KiB in its file; write the "
                "table again, in smaller groups"
            )
        return size

    def stamps(self) -> NDArray[np.int64]:
        """Return when each row's file was last changed."""
        times = [table.path.stat().st_mtime_ns for table, _ in self._groups]
        return np.repeat(np.array(times, dtype=np.int64), self._rows)

    def read(self, row: int) -> bytes:
        """Return a row's image."""
        try:
            found = self._found(row)
        except (pa.ArrowException, OSError, ValueError, StopIteration) as error:
            self._group = -1
            raise UsageError("damaged: its part of the table cannot be read") from error
        encoded = found.get("bytes") if isinstance(found, dict) else found
        if not isinstance(encoded, bytes):
            raise UsageError("not the bytes of an image")
        return encoded

    def _found(self, row: int) -> object:
        """Return what a row holds; a few rows are read at once."""
        group = bisect_right(self._starts, row) - 1
        if group != self._group or row < self._start:
            table, number = self._groups[group]
            rows = max(1, min(ROWS_AT_ONCE, _BYTES_AT_ONCE // self._largest(group)))
            self._batches = table.file.iter_batches(rows, row_groups=[number], columns=[self._column])
            self._group, self._start, self._held = group, self._starts[group], []
        while row >= self._start + len(self._held):
            self._start += len(self._held)
            self._held = next(self._batches)[self._column].to_pylist()
        return self._held[row - self._start]
