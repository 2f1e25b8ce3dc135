"""One shard of an import: its images read, decoded once and written, or reused from a stopped import."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from tasks.checkout.files import file_digest, read_record, write_record
from tasks.data.datasets import ROWS_PER_SHARD, write_shard
from tasks.data.early_ends import refuse_early_end
from tasks.data.headers import reason_for
from tasks.data.incoming import Incoming
from tasks.data.likeness import difference_hash
from tasks.data.upright import turn_by_tag, turned
from unlearn_core.errors import LetheError, UsageError
from unlearn_core.fingerprints import fingerprint
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.importing import ImageKind, Problem, ShardCard
from unlearn_core.records.params import ImageSource

BYTES_PER_SHARD = 32 * 2**20
GREY = ("1", "L", "LA")


def cut(incoming: Incoming) -> Iterator[range]:
    """Yield the rows of each shard: 256, or fewer if those exceed 32 MiB."""
    start = size = 0
    for row, bytes_of_row in enumerate(incoming.sizes.tolist()):
        if row > start and (row - start == ROWS_PER_SHARD or size + bytes_of_row > BYTES_PER_SHARD):
            yield range(start, row)
            start, size = row, 0
        size += bytes_of_row
    if start < len(incoming):
        yield range(start, len(incoming))


def shard_paths(folder: Path, number: int) -> tuple[Path, Path]:
    """Return where a shard and its card are."""
    return folder / "dataset" / f"shard-{number:05d}.parquet", folder / f"{number:05d}.json"


def _stamp(rows: range, incoming: Incoming, params: ImageSource) -> Sha256:
    """Return the digest of all that a shard and its card are made from, except the images."""
    part = slice(rows.start, rows.stop)
    numbers = (incoming.labels, incoming.sizes, incoming.stamps)
    names = (incoming.sample_ids, incoming.splits.tolist(), incoming.subject_ids)
    of_rows = [*(one[part] for one in names), *(one[part].tolist() for one in numbers)]
    return sha256(canonical_json([*of_rows, params.channels, params.image_size, params.orientation]))


def take_over(
    folder: Path, number: int, rows: range, incoming: Incoming, params: ImageSource
) -> ShardCard | None:
    """Return the card of a shard finished earlier, if it is whole and has the same rows."""
    shard, path = shard_paths(folder, number)
    try:
        card = read_record(path, ShardCard)
    except LetheError:
        return None
    found = file_digest(shard) if shard.is_file() else None
    return card if (card.stamp, card.file) == (_stamp(rows, incoming, params), found) else None


def import_shard(
    folder: Path, number: int, rows: range, incoming: Incoming, params: ImageSource
) -> ShardCard:
    """Read and check a shard's images, write it, and then its card.

    Args:
        folder: The import's folder.
        number: The shard's number.
        rows: Its rows.
        incoming: All rows.
        params: How images are read.

    Returns:
        The card, with every image that could not be read.
    """
    shard, path = shard_paths(folder, number)
    seen = _Seen(params)
    images: dict[int, bytes] = {}
    problems: list[Problem] = []
    for row in rows:
        try:
            images[row] = seen.include(incoming.read(row), train=incoming.splits[row] == "train")
        except (OSError, UsageError) as error:
            problems.append(Problem(sample_id=incoming.sample_ids[row], reason=reason_for(error)))
    path.unlink(missing_ok=True)
    shard.unlink(missing_ok=True)
    if images:
        write_shard(shard, _table(incoming, images))
    card = seen.card(
        stamp=_stamp(rows, incoming, params),
        file=file_digest(shard) if images else None,
        problems=tuple(problems),
    )
    write_record(path, card)
    return card


def decode_whole(encoded: bytes) -> Image.Image:
    """Decode an image of which nothing is missing.

    Args:
        encoded: The file.

    Returns:
        The image; anything else raises a ``UsageError`` of a few words.
    """
    # torch, which a refusal does without
    from unlearn_core.data import open_image

    image = open_image(encoded)
    refuse_early_end(encoded, image)
    return image


def _table(incoming: Incoming, images: dict[int, bytes]) -> pa.Table:
    """Return the rows of a shard."""
    return pa.table(
        {
            "sample_id": [incoming.sample_ids[row] for row in images],
            "label": pa.array([int(incoming.labels[row]) for row in images], pa.int64()),
            "split": [str(incoming.splits[row]) for row in images],
            "subject_id": pa.array([incoming.subject_ids[row] for row in images], pa.string()),
            "sha256": [sha256(image) for image in images.values()],
            "image": pa.array(list(images.values()), pa.binary()),
        }
    )


class _Seen:
    """Statistics of a shard's images."""

    def __init__(self, params: ImageSource) -> None:
        self._channels = params.channels or 3
        self._size = None if params.image_size is None else (params.image_size, params.image_size)
        self._follow = params.orientation == "follow"
        self._colour = self._pixels = 0
        self._sizes: Counter[str] = Counter()
        self._kinds: Counter[ImageKind] = Counter()
        self._fingerprints: list[str] = []
        self._looks: list[str] = []
        self._shapes: list[str] = []
        self._sums, self._squares = np.zeros((2, self._channels), dtype=np.int64)

    def include(self, encoded: bytes, *, train: bool) -> bytes:
        """Decode an image as the pipeline will, count it, and return it as it is to be stored."""
        from unlearn_core.data import open_image, pixels_of

        image = decode_whole(encoded)
        turn = turn_by_tag(image)
        kinds = _kinds_of(image, turn)
        if turn is not None and self._follow:
            encoded = turned(image, turn)
            image = open_image(encoded)
        pixels = pixels_of(image, self._channels, self._size)
        self._kinds.update(kinds)
        self._fingerprints.append(fingerprint(image))
        self._looks.append(hashlib.sha256(pixels.tobytes()).hexdigest())
        self._shapes.append(difference_hash(pixels))
        self._colour += image.mode not in GREY
        self._sizes["x".join(map(str, pixels.shape[1:]))] += 1
        if train:
            self._pixels += pixels[0].size
            counts = _histograms(pixels)
            self._sums += counts @ np.arange(256)
            self._squares += counts @ np.arange(256) ** 2
        return encoded

    def card(self, *, stamp: Sha256, file: Sha256 | None, problems: tuple[Problem, ...]) -> ShardCard:
        """Return the shard's card."""
        return ShardCard(
            stamp=stamp,
            file=file,
            colour=self._colour,
            sizes=dict(sorted(self._sizes.items())),
            pixels=self._pixels,
            sums=tuple(self._sums.tolist()),
            squares=tuple(self._squares.tolist()),
            problems=problems,
            fingerprints=tuple(self._fingerprints),
            looks=tuple(self._looks),
            shapes=tuple(self._shapes),
            kinds=dict(sorted(self._kinds.items())),
        )


def _kinds_of(image: Image.Image, turn: Image.Transpose | None) -> list[ImageKind]:
    """Return which of the rules for conversion apply to a decoded image."""
    found: dict[ImageKind, bool] = {
        "orientation": turn is not None,
        "transparency": image.has_transparency_data,
        "cmyk": image.mode == "CMYK",
    }
    return [kind for kind, applies in found.items() if applies]


def _histograms(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the values of each channel; sums over them are exact, and need no copy in wider numbers."""
    return np.array([Image.fromarray(channel).histogram() for channel in pixels], dtype=np.int64)
