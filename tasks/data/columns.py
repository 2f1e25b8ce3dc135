"""The columns of Parquet files: which there are, of what kind, and the values of those that hold no images.

Whatever a file holds, nothing here takes more memory than a table of images can need.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unlearn_core.errors import ConfigurationError, PipelineError, SetupError
from unlearn_core.records.params import Columns, ParquetSource

_FEWEST_BYTES = 8
"""An image takes more than this: a file of fewer bytes a row holds something else."""

_MOST_BYTES = 1024
_LESS_COUNTS = 64 * 2**20
_TEXT = ("text", "nothing")
_NAMES = (*_TEXT, "whole numbers")
_KINDS = {
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "whole numbers": (pa.types.is_integer,),
    "bytes": (
        *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
        pa.types.is_fixed_size_binary,
    ),
    "nothing": (pa.types.is_null,),
    "true and false": (pa.types.is_boolean,),
    "numbers with a decimal point": (pa.types.is_floating, pa.types.is_decimal),
    "dates or times": (pa.types.is_temporal,),
    "structures": (pa.types.is_struct,),
    "lists": (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view),
}
"""What a column may hold, in words."""

_EXPECTED = {"label": _NAMES[::2], "split": _TEXT[:1], "subject_id": _NAMES, "sample_id": _NAMES[::2]}


@dataclass(frozen=True)
class Opened:
    """A Parquet file, of which only the end has been read."""

    path: Path
    file: pq.ParquetFile

    @property
    def rows(self) -> list[int]:
        """How many rows each of its groups has."""
        groups = range(self.file.num_row_groups)
        return [self.file.metadata.row_group(group).num_rows for group in groups]


def open_tables(path: Path) -> list[Opened]:
    """Open a Parquet file, or those of a folder, ordered by name.

    Args:
        path: The file or the folder.

    Returns:
        At least one file.

    Raises:
        SetupError: If there is none.
        PipelineError: If one is damaged.
    """
    files = [path] if path.is_file() else sorted(path.glob("[!.]*.parquet"))
    if not files:
        raise SetupError(f"dataset.path: {path.name} is neither a Parquet file nor a folder of such files")
    return [_opened(file) for file in files]


def _opened(path: Path) -> Opened:
    try:
        if not path.is_file():
            raise OSError("it is no file")
        opened = Opened(path, pq.ParquetFile(path))
        _ = opened.file.schema_arrow
        if min(opened.rows, default=0) < 0 or sum(opened.rows) != opened.file.metadata.num_rows:
            raise OSError("its numbers of rows disagree")
    except (pa.ArrowException, OSError, ValueError) as error:
        said = str(error).replace(str(path), path.name)
        raise PipelineError(f"{path.name} is not a complete Parquet file ({said})") from error
    return opened


def read_columns(tables: Sequence[Opened], params: ParquetSource) -> dict[str, list[str | int | None]]:
    """Read every column but the images.

    Args:
        tables: The files.
        params: Names the columns.

    Returns:
        The values of each named column by what it is for, ``label`` among them.

    Raises:
        ConfigurationError: If columns are missing or of the wrong kind; every problem is listed.
        PipelineError: If a file is damaged.
    """
    named = params.columns.model_dump(exclude_none=True)
    problems = [problem for table in tables for problem in _problems(table, params, named)]
    if not problems and len({_kind(_types(table)[named["label"]]) for table in tables}) > 1:
        problems = [f"the column {named['label']} holds text in one file and whole numbers in another"]
    if problems:
        raise ConfigurationError("\n  ".join([f"{Path(params.path).name} cannot be imported:", *problems]))
    wanted = {use: name for use, name in named.items() if use != "image"}
    values: dict[str, list[str | int | None]] = {use: [] for use in wanted}
    for table in tables:
        read = _read(table, sorted({*wanted.values()}))
        for use, name in wanted.items():
            values[use] += [value for chunk in read[name].chunks for value in _plain(chunk)]
    return values


def _types(table: Opened) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in table.file.schema_arrow}


def _problems(table: Opened, params: ParquetSource, named: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with a file before its rows are read."""
    name, there = table.path.name, table.file.schema_arrow.names
    missing = {*named.values()} - {*there}
    if missing:
        yield (
            f"{name} has no column {', '.join(sorted(missing))}; it has {_listed(there, params)}. "
            "Name them in dataset.columns"
        )
    if twice := {one for one in named.values() if there.count(one) > 1}:
        yield f"{name} has the column {', '.join(sorted(twice))} more than once; rename or remove one"
    types = _types(table)
    for use, column in named.items():
        if column not in missing and (problem := _wrong_kind(use, types[column])):
            yield f"the column {column} of {name} holds {problem}"
    size, rows = table.path.stat().st_size, table.file.metadata.num_rows
    if size < _FEWEST_BYTES * rows:
        yield f"{name} has {rows} rows in {size} bytes; images take more"
    elif (bytes_of_texts := _unpacked(table, {*named.values()} - {named["image"]})) > (
        _MOST_BYTES * rows + _LESS_COUNTS
    ):
        yield (
            f"{name} has {bytes_of_texts >> 20} MiB of labels and names for {rows} rows; expected at most "
            f"{_MOST_BYTES} bytes a row: is it another column?"
        )


def _listed(there: list[str], params: ParquetSource) -> str:
    """List the columns that there are by the names in the settings; others may be a row of persons' data."""
    usual = {*Columns.model_fields, *params.columns.model_dump(exclude_none=True).values()}
    names = [name for name in there if name in usual]
    more = len(there) - len(names)
    return ", ".join([*names, *([f"{more} of other names"] if more else [])]) or "none"


def _wrong_kind(use: str, found: pa.DataType) -> str | None:
    """Say what a column holds that it should not."""
    kind = _kind(found)
    if use != "image":
        expected = _EXPECTED[use]
        wrong = kind not in expected
        return (
            f"{kind}; expected {' or '.join(one for one in expected if one != 'nothing')}" if wrong else None
        )
    fields = {field.name: field.type for field in found} if kind == "structures" else {}
    if kind == "bytes" or _kind(fields.get("bytes", pa.bool_())) == "bytes":
        return None
    return f"{kind}; expected the bytes of image files, or structures with the field `bytes`"


def _kind(found: pa.DataType) -> str:
    """Return what a column holds, in words."""
    values = found.value_type if pa.types.is_dictionary(found) else found
    kinds = (kind for kind, tests in _KINDS.items() if any(test(values) for test in tests))
    return next(kinds, "something else")


def _unpacked(table: Opened, columns: set[str]) -> int:
    """Return how many bytes columns take in memory."""
    groups = (table.file.metadata.row_group(group) for group in range(table.file.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in columns)


def _read(table: Opened, columns: list[str]) -> pa.Table:
    """Read some columns, without what else their file says of them."""
    # Text is read as a dictionary, in which what is repeated takes memory once.
    types = _types(table)
    texts = [name for name in columns if _kind(types[name]) == "text"]
    try:
        file = pq.ParquetFile(table.path, metadata=table.file.metadata, read_dictionary=texts)
        read = file.read(columns=columns).replace_schema_metadata()
        read.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PipelineError(
            f"{table.path.name} cannot be read: it is damaged, or holds text that is not UTF-8; write it "
            "again"
        ) from error
    return read


def _plain(chunk: pa.Array) -> list[str | int | None]:
    """Return the values of a part of a column."""
    if not isinstance(chunk, pa.DictionaryArray):
        return chunk.to_pylist()
    values = chunk.dictionary.to_pylist()
    return [None if place is None else values[place] for place in chunk.indices.to_pylist()]
