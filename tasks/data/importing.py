"""Import a user's images as a data set, shard by shard, so that a stopped import can resume.

All headers are read first; then every image is decoded once. What cannot be read is collected, and listed at
the end, with all else that is wrong.
"""

import shutil
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.csv_tables import as_csv
from tasks.checkout.files import read_record, write_atomically
from tasks.checkout.log import tell
from tasks.checkout.progress import progress
from tasks.data.datasets import manifest_of, read_card, read_rows
from tasks.data.describing import IMPORT_CARD, describe_import
from tasks.data.fingerprints import fingerprinted, keep_fingerprints
from tasks.data.headers import read_headers, reason_for, require_one_size
from tasks.data.incoming import Incoming
from tasks.data.remarks import remarks_on
from tasks.data.shards import cut, decode_whole, import_shard, shard_paths, take_over
from unlearn_core.errors import PipelineError, SetupError, UsageError
from unlearn_core.progress import Step
from unlearn_core.records.base import Sha256
from unlearn_core.records.data import ImportCard
from unlearn_core.records.importing import ImageKind, Problem, ShardCard
from unlearn_core.records.params import ImageSource
from unlearn_core.records.provenance import Extension
from unlearn_core.selection import Manifest

PROBLEMS, REMARKS = "import-problems.csv", "import-remarks.csv"


def import_images(
    checkout: Checkout,
    folder: Path,
    incoming: Incoming,
    params: ImageSource,
    *,
    extension: Extension | None = None,
) -> Path:
    """Import the images of a source into a separate folder.

    Args:
        checkout: The checkout, where a table of unreadable images is written.
        folder: Where an earlier, stopped import may have left finished shards.
        incoming: The rows.
        params: How images are read.
        extension: The source, if it is not Lethe's.

    Returns:
        The folder of the imported data set.
    """
    (folder / "dataset").mkdir(parents=True, exist_ok=True)
    shards = list(cut(incoming))
    kept = [take_over(folder, number, rows, incoming, params) for number, rows in enumerate(shards)]
    fresh = [row for rows, card in zip(shards, kept, strict=True) if card is None for row in rows]
    finished: list[ShardCard] = []
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and large images; only unreadable images matter here.
        warnings.simplefilter("ignore")
        incoming = _checked(checkout, incoming, params, fresh, [card for card in kept if card])
        with progress("import images") as on_step:
            for number, (rows, card) in enumerate(zip(shards, kept, strict=True)):
                finished.append(card or import_shard(folder, number, rows, incoming, params))
                on_step(Step("images", rows.stop, len(incoming)))
    _clear(folder, len(finished))
    problems = tuple(problem for card in finished for problem in card.problems)
    unread = _list_problems(checkout, params, problems, len(incoming))
    manifest = manifest_of(read_rows(folder / "dataset"), incoming.classes)
    found = [one for card in finished for one in card.fingerprints]
    manifest = fingerprinted(manifest, found)
    _remark(checkout, params, incoming, manifest, finished)
    describe_import(folder / "dataset", manifest, params, finished, extension=extension, unread=unread)
    keep_fingerprints(checkout, dict(zip(manifest.sha256.tolist(), found, strict=True)))
    return folder / "dataset"


def count_turned(folder: Path) -> int:
    """Count the images of an import, not placed yet, that carry an orientation tag.

    Args:
        folder: The folder of the imported data set.

    Returns:
        How many.
    """
    cards = (read_record(path, ShardCard) for path in sorted(folder.parent.glob("*.json")))
    return sum(card.kinds.get("orientation", 0) for card in cards)


def place_import(checkout: Checkout, folder: Path) -> None:
    """Replace ``data/dataset`` by an imported data set, and discard the state of the import."""
    checkout.dataset.parent.mkdir(parents=True, exist_ok=True)
    if checkout.dataset.exists():
        shutil.rmtree(checkout.dataset)
    (folder / "dataset").replace(checkout.dataset)
    shutil.rmtree(folder)


def discard_other_data(checkout: Checkout, rows_digest: Sha256) -> None:
    """Remove ``data/dataset`` if it holds other rows, so that its stage is due; it can be imported again."""
    if checkout.dataset.is_dir() and read_card(checkout.dataset).rows_digest != rows_digest:
        shutil.rmtree(checkout.dataset)


def discard_import(folder: Path) -> None:
    """Remove an imported data set that was not placed."""
    shutil.rmtree(folder, ignore_errors=True)


def require_imported(checkout: Checkout, params: ImageSource) -> Path:
    """Return ``data/dataset`` if it was imported with exactly these settings.

    Args:
        checkout: The checkout.
        params: The source.

    Returns:
        Its folder.

    Raises:
        SetupError: If it was not.
    """
    path = checkout.dataset / IMPORT_CARD
    if not path.is_file() or read_record(path, ImportCard).settings != params.digest:
        raise SetupError("the data set that params.yaml names is not imported yet; run `lethe train`")
    return checkout.dataset


def _clear(folder: Path, shards: int) -> None:
    """Remove the surplus shards of an earlier, larger import."""
    number = shards
    while any(path.exists() for path in shard_paths(folder, number)):
        for path in shard_paths(folder, number):
            path.unlink(missing_ok=True)
        number += 1


def _checked(
    checkout: Checkout, incoming: Incoming, params: ImageSource, fresh: list[int], kept: list[ShardCard]
) -> Incoming:
    """Read the headers of fresh rows; those that need not be decoded are refused when they are read."""
    with progress("read headers") as on_step:
        refused, sizes = read_headers(incoming, fresh, params, on_step)
    try:
        _settle_size(incoming, params, refused, sizes, sum((Counter(card.sizes) for card in kept), Counter()))
    finally:
        listed = [(one.sample_id, one.reason) for card in kept for one in card.problems]
        listed += [(incoming.sample_ids[row], why) for row, why in sorted(refused.items())]
        _write_table(checkout.lethe / PROBLEMS, listed)

    def read(row: int) -> bytes:
        if row in refused:
            raise UsageError(refused[row])
        return incoming.read(row)

    return replace(incoming, read=read)


def _settle_size(
    incoming: Incoming,
    params: ImageSource,
    refused: dict[int, str],
    sizes: Mapping[int, str],
    others: Counter[str],
) -> None:
    """Refuse images of several sizes before the work, unless the odd ones are damaged."""
    found = others + Counter(sizes.values())
    common = dict(found.most_common(1))
    for row in [row for row, size in sizes.items() if params.image_size is None and size not in common]:
        try:
            decode_whole(incoming.read(row))
        except (OSError, UsageError) as error:
            refused[row] = reason_for(error)
            found -= Counter([sizes[row]])
        else:
            # One that is whole settles it.
            break
    require_one_size(found, params)


def _write_table(path: Path, rows: Iterable[tuple[str, str]], *, column: str = "sample_id") -> None:
    """Write names, each with a reason, as CSV; no table where there are none."""
    path.unlink(missing_ok=True)
    if listed := list(rows):
        write_atomically(path, as_csv((column, "reason"), listed).encode())


def _list_problems(
    checkout: Checkout, params: ImageSource, problems: tuple[Problem, ...], rows: int
) -> list[str]:
    """List the images that could not be read; return what to refuse, or say that they are skipped."""
    _write_table(checkout.lethe / PROBLEMS, ((one.sample_id, one.reason) for one in problems))
    if not problems:
        return []
    # Names of images may be personal, and error messages are stored: so only the table holds names.
    said = f"{len(problems)} of {rows} images cannot be read; .lethe/{PROBLEMS} lists each with the reason"
    refusal = f"{said}. Repair or remove them, or set dataset.on_bad_image to skip"
    if len(problems) == rows:
        raise PipelineError(refusal)
    if params.on_bad_image == "refuse":
        return [refusal]
    tell(f"  {said}; they are skipped")
    return []


def _remark(
    checkout: Checkout,
    params: ImageSource,
    incoming: Incoming,
    manifest: Manifest,
    finished: list[ShardCard],
) -> None:
    """Say what is odd about the rows, and write a table that names them."""
    looks = [look for card in finished for look in card.looks]
    kinds = sum((Counter(card.kinds) for card in finished), Counter[ImageKind]())
    shapes = [shape for card in finished for shape in card.shapes]
    lines, rows = remarks_on(manifest, looks, shapes, kinds, orientation=params.orientation)
    for line in lines:
        tell(f"  {line}")
    _write_table(checkout.lethe / REMARKS, [*incoming.left_out, *rows], column="name")
    if rows or incoming.left_out:
        tell(f"  .lethe/{REMARKS} names them")
