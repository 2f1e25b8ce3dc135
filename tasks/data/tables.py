"""Parquet files with encoded images as a source."""

import json
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.data.images import Images
from tasks.data.incoming import Incoming, deal_splits
from unlearn_core.audit.incoming import cell_problem
from unlearn_core.errors import ConfigurationError, PipelineError, SetupError, UsageError
from unlearn_core.names import one_form
from unlearn_core.records.params import Columns, ParquetSource

ROWS_AT_ONCE = 64


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
    files = [_opened(path) for path in parquet_files(root / params.path)]
    table = _columns(files, params)
    count = len(table)
    classes, labels, problems = _labels(table[params.columns.label], files[0], params.classes)
    ids, wrong = _ids(table, params.columns.sample_id)
    subjects, unclear = _subjects(table, params.columns.subject_id)
    if problems := problems + wrong + unclear:
        raise ConfigurationError("\n  ".join([f"{Path(params.path).name} cannot be imported:", *problems]))
    parts = [] if params.columns.split is None else table[params.columns.split].to_pylist()
    held_out = np.array([part != "train" for part in parts] or [False] * count, dtype=bool)
    groups = _Groups(files, params.columns.image)
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


def parquet_files(path: Path) -> list[Path]:
    """Return a Parquet file, or those of a folder, ordered by name.

    Args:
        path: The file or the folder.

    Returns:
        At least one file.

    Raises:
        SetupError: If there is none.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    if not files:
        raise SetupError(f"dataset.path: {path.name} is neither a Parquet file nor a folder of such files")
    return files


def _opened(path: Path) -> tuple[Path, pq.ParquetFile]:
    try:
        return path, pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        said = str(error).replace(str(path), path.name)
        raise PipelineError(f"{path.name} is not a complete Parquet file ({said})") from error


def _columns(files: list[tuple[Path, pq.ParquetFile]], params: ParquetSource) -> pa.Table:
    """Read every column but the images."""
    named = params.columns.model_dump(exclude_none=True)
    for path, file in files:
        there = file.schema_arrow.names
        if missing := {*named.values()} - {*there}:
            raise ConfigurationError(
                f"{path.name} has no column {', '.join(sorted(missing))}; it has {_listed(there, params)}. "
                "Name them in dataset.columns"
            )
        if twice := {name for name in named.values() if there.count(name) > 1}:
            raise ConfigurationError(
                f"{path.name} has the column {', '.join(sorted(twice))} more than once; rename or remove one"
            )
    wanted = sorted({name for use, name in named.items() if use != "image"})
    return pa.concat_tables(_read(path, file, wanted) for path, file in files)


def _listed(there: list[str], params: ParquetSource) -> str:
    """List the columns that there are by the names in the settings; others may be a row of persons' data."""
    usual = {*Columns.model_fields, *params.columns.model_dump(exclude_none=True).values()}
    names = [name for name in there if name in usual]
    more = len(there) - len(names)
    return ", ".join([*names, *([f"{more} of other names"] if more else [])]) or "none"


def _read(path: Path, file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Read some columns, without what else their file says of them."""
    try:
        table = file.read(columns=columns).replace_schema_metadata()
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise PipelineError(
            f"{path.name} cannot be read: it is damaged, or holds text that is not UTF-8; write it again"
        ) from error
    return table


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _ids(table: pa.Table, column: str | None) -> tuple[list[str], list[str]]:
    """Return each row's id, and what is wrong with the ids."""
    if column is None:
        return [f"row-{row:09d}" for row in range(len(table))], []
    ids = [_text(value) for value in table[column].to_pylist()]
    problems = [f"{ids.count('')} row(s) have no {column}"] if "" in ids else []
    if twice := len(ids) - len(set(ids)):
        problems.append(f"{twice} row(s) have a {column} that another row has")
    return ids, problems


def _subjects(table: pa.Table, column: str | None) -> tuple[list[str], list[str]]:
    """Return whom each row belongs to, and what is wrong with the subjects."""
    if column is None:
        return [""] * len(table), []
    subjects = [_text(value) for value in table[column].to_pylist()]
    if unclear := sum(cell_problem(one) is not None for one in subjects):
        return subjects, [
            f"{unclear} row(s) have a {column} with white space or control characters; expected none"
        ]
    return subjects, []


def _labels(
    column: pa.ChunkedArray, first: tuple[Path, pq.ParquetFile], ordered: tuple[str, ...] | None
) -> tuple[tuple[str, ...], NDArray[np.int64], list[str]]:
    """Return the classes, each row's index among them, and what is wrong with the labels."""
    values = column.to_pylist()
    if pa.types.is_integer(column.type):
        known = [value for value in values if value is not None and value >= 0]
        classes = (
            ordered or _named(first) or tuple(str(number) for number in range(max(known, default=0) + 1))
        )
        index: dict[Any, int] = {number: number for number in range(len(classes))}
    else:
        classes = ordered or tuple(sorted({str(value) for value in values if value is not None}))
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
    return classes, np.array([index.get(value, 0) for value in values], dtype=np.int64), problems


def _named(first: tuple[Path, pq.ParquetFile]) -> tuple[str, ...]:
    """Return the names of numbered classes, if a file's metadata gives them."""
    described = json.loads((first[1].schema_arrow.metadata or {}).get(b"huggingface", b"{}"))
    features = described.get("info", {}).get("features", {})
    names = (feature.get("names") for feature in features.values() if isinstance(feature, dict))
    return tuple(next((one for one in names if one), ()))


class _Groups:
    """The images, read one row group at a time; fast in the rows' order."""

    def __init__(self, files: list[tuple[Path, pq.ParquetFile]], column: str) -> None:
        self._column = column
        self._groups = [(path, file, group) for path, file in files for group in range(file.num_row_groups)]
        self._rows = [file.metadata.row_group(group).num_rows for _, file, group in self._groups]
        self._starts = list(accumulate(self._rows, initial=0))[:-1]
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._held: list[Any] = []
        self._start = self._group = -1

    def sizes(self) -> NDArray[np.int64]:
        """Return each image's approximate size in bytes: its share of its group."""
        size = [
            file.metadata.row_group(group).total_byte_size // max(rows, 1)
            for (_, file, group), rows in zip(self._groups, self._rows, strict=True)
        ]
        return np.repeat(np.array(size, dtype=np.int64), self._rows)

    def stamps(self) -> NDArray[np.int64]:
        """Return when each row's file was last changed."""
        times = [path.stat().st_mtime_ns for path, _, _ in self._groups]
        return np.repeat(np.array(times, dtype=np.int64), self._rows)

    def read(self, row: int) -> bytes:
        """Return a row's image."""
        group = bisect_right(self._starts, row) - 1
        if group != self._group or row < self._start:
            _, file, number = self._groups[group]
            self._batches = file.iter_batches(ROWS_AT_ONCE, row_groups=[number], columns=[self._column])
            self._group, self._start, self._held = group, self._starts[group], []
        while row >= self._start + len(self._held):
            self._start += len(self._held)
            self._held = next(self._batches)[self._column].to_pylist()
        found = self._held[row - self._start]
        encoded = found.get("bytes") if isinstance(found, dict) else found
        if not isinstance(encoded, bytes):
            raise UsageError("not the bytes of an image")
        return encoded
