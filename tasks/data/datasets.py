"""Data sets on disk: Parquet shards whose rows have an identity that does not depend on the files."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.checkout.files import read_record, replaced_folder, write_record
from unlearn_core.errors import PipelineError
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.data import (
    CANARY_SPLIT,
    FORGOTTEN_SPLIT,
    SPLITS,
    DatasetCard,
    Normalisation,
    SplitCard,
)
from unlearn_core.records.earlier import EarlierRequest
from unlearn_core.records.provenance import Extension
from unlearn_core.selection import Manifest

ROWS_PER_SHARD = 256
ROWS_PER_DIGEST = 4096
_COLUMNS = ("sample_id", "label", "split", "subject_id", "sha256")


def write_dataset(folder: Path, table: pa.Table, card: DatasetCard) -> None:
    """Write shards of at most ``ROWS_PER_SHARD`` rows and the card; the folder appears whole."""
    with replaced_folder(folder) as fresh:
        for number, start in enumerate(range(0, len(table), ROWS_PER_SHARD)):
            write_shard(fresh / f"shard-{number:05d}.parquet", table.slice(start, ROWS_PER_SHARD))
        write_record(fresh / "card.json", card)


def write_retained(
    folder: Path,
    source: Path,
    keep: NDArray[np.bool_],
    card: DatasetCard,
    *,
    asked: NDArray[np.bool_] | None = None,
) -> None:
    """Write a data set without some of its rows; a shard in which nothing changes keeps its bytes.

    Args:
        folder: Where to write.
        source: The data set's folder.
        keep: ``[rows]`` mask over all rows, in order.
        card: The retained data set's card.
        asked: ``[rows]`` mask of other rows that are kept, in the split of forgotten classes.
    """
    start, apart = 0, np.zeros_like(keep) if asked is None else asked
    with replaced_folder(folder) as fresh:
        for path in _shards(source):
            shard = _read_shard(path)
            part = slice(start, start + len(shard))
            kept, moved = keep[part] | apart[part], apart[part]
            start += len(shard)
            if kept.all() and not moved.any():
                shutil.copyfile(path, fresh / path.name)
            elif kept.any():
                write_shard(fresh / path.name, _set_apart(shard, moved).filter(pa.array(kept)))
        write_record(fresh / "card.json", card)


def _set_apart(shard: pa.Table, rows: NDArray[np.bool_]) -> pa.Table:
    """Put some rows of a shard into the split of forgotten classes."""
    place = shard.column_names.index("split")
    splits = [
        FORGOTTEN_SPLIT if apart else one for one, apart in zip(shard["split"].to_pylist(), rows, strict=True)
    ]
    return shard.set_column(
        place, shard.schema.field(place), pa.array(splits, shard.schema.field(place).type)
    )


def write_shard(path: Path, rows: pa.Table) -> None:
    """Write one shard; the same rows give the same bytes."""
    pq.write_table(rows.combine_chunks(), path, compression="zstd")


def _read_shard(path: Path, *columns: str) -> pa.Table:
    """Read some columns of a shard, or all."""
    try:
        return pq.read_table(path, columns=list(columns) or None)
    except (pa.ArrowException, OSError) as error:
        raise PipelineError(f"{path} cannot be read ({error}); run `dvc checkout`") from error


def _shards(folder: Path) -> list[Path]:
    if not (shards := sorted(folder.glob("shard-*.parquet"))):
        raise PipelineError(f"{folder} holds no data set; run `dvc repro dataset`, or `dvc pull`")
    return shards


def read_card(folder: Path) -> DatasetCard:
    """Read a data set's card."""
    return read_record(folder / "card.json", DatasetCard)


def read_manifest(folder: Path) -> Manifest:
    """Read every column but the images."""
    return manifest_of(read_rows(folder), read_card(folder).classes)


def read_rows(folder: Path) -> pa.Table:
    """Read the table of a data set without its images."""
    return pa.concat_tables(_read_shard(path, *_COLUMNS) for path in _shards(folder))


def manifest_of(table: pa.Table, classes: tuple[str, ...]) -> Manifest:
    """Turn a table's columns into a manifest."""
    columns = {name: np.asarray(table[name].to_pylist()) for name in _COLUMNS}
    return Manifest(
        sample_ids=columns["sample_id"],
        labels=columns["label"].astype(np.int64),
        splits=columns["split"],
        subject_ids=columns["subject_id"],
        sha256=columns["sha256"],
        classes=classes,
    )


def each_image(folder: Path, rows: NDArray[np.bool_] | None = None) -> Iterator[bytes]:
    """Read encoded images one shard at a time.

    Args:
        folder: The data set's folder.
        rows: ``[rows]`` mask, or None for all of them.

    Yields:
        The images, in order.

    Raises:
        PipelineError: If an image does not match its row's digest.
    """
    start = 0
    for path in _shards(folder):
        shard = _read_shard(path, "image", "sha256")
        wanted = shard if rows is None else shard.filter(pa.array(rows[start : start + len(shard)]))
        start += len(shard)
        images = wanted["image"].to_pylist()
        altered = sum(
            sha256(image) != digest
            for image, digest in zip(images, wanted["sha256"].to_pylist(), strict=True)
        )
        if altered:
            raise PipelineError(f"{path}: {altered} image(s) differ from their digests; run `dvc checkout`")
        yield from images


def rows_digest(manifest: Manifest, rows: NDArray[np.bool_] | None = None) -> Sha256:
    """Return the digest of a data set's rows, in the order of their ids.

    Args:
        manifest: The rows.
        rows: A mask, or None for all of them.

    Returns:
        The identity of those rows, whichever files hold them.
    """
    indices = np.arange(len(manifest)) if rows is None else np.flatnonzero(rows)
    indices = indices[np.argsort(manifest.sample_ids[indices], kind="stable")]
    columns = [manifest.sample_ids, manifest.labels, manifest.splits, manifest.subject_ids, manifest.sha256]
    # The canonical JSON of one list of rows, never in memory as a whole.
    digest, comma = hashlib.sha256(b"["), b""
    for start in range(0, len(indices), ROWS_PER_DIGEST):
        part = indices[start : start + ROWS_PER_DIGEST]
        rows_of_part = list(zip(*(column[part].tolist() for column in columns), strict=True))
        digest.update(comma + canonical_json(rows_of_part)[1:-1])
        comma = b","
    digest.update(b"]")
    return "sha256:" + digest.hexdigest()


def describe_dataset(
    manifest: Manifest,
    *,
    name: str,
    input_shape: tuple[int, int, int],
    normalisation: Normalisation,
    lineage: tuple[Sha256, ...] = (),
    earlier: tuple[EarlierRequest, ...] = (),
    extension: Extension | None = None,
) -> DatasetCard:
    """Make the card of a data set from its rows."""
    others = (split for split in (CANARY_SPLIT, FORGOTTEN_SPLIT) if (manifest.splits == split).any())
    splits = tuple(_split_card(manifest, split) for split in (*SPLITS, *others))
    return DatasetCard(
        name=name,
        classes=manifest.classes,
        input_shape=input_shape,
        normalisation=normalisation,
        splits=splits,
        rows_digest=rows_digest(manifest),
        lineage=lineage,
        earlier=earlier,
        extension=extension,
    )


def _split_card(manifest: Manifest, split: str) -> SplitCard:
    rows = manifest.splits == split
    counts = np.bincount(manifest.labels[rows], minlength=len(manifest.classes))
    return SplitCard.model_validate(
        {
            "split": split,
            "rows": int(rows.sum()),
            "rows_per_class": tuple(int(count) for count in counts),
            "rows_digest": rows_digest(manifest, rows),
        }
    )
