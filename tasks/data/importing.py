"""Import a user's images as a data set, shard by shard, so that a stopped import can resume.

Every image is decoded once on import. What cannot be read is collected, and listed at the end.
"""

import csv
import io
import shutil
import warnings
from collections import Counter
from pathlib import Path

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record, write_atomically, write_record
from tasks.checkout.log import tell
from tasks.checkout.progress import progress
from tasks.data.datasets import describe_dataset, manifest_of, read_card, read_rows
from tasks.data.incoming import Incoming
from tasks.data.shards import cut, import_shard, shard_paths, take_over
from unlearn_core.errors import ConfigurationError, PipelineError, SetupError
from unlearn_core.progress import Step
from unlearn_core.records.base import Sha256, canonical_json, sha256
from unlearn_core.records.data import DatasetCard, ImportCard, Normalisation
from unlearn_core.records.importing import Problem, ShardCard
from unlearn_core.records.params import ImageSource
from unlearn_core.records.provenance import Extension

IMPORT_CARD = "import.json"


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
    finished: list[ShardCard] = []
    with progress("import images") as on_step, warnings.catch_warnings():
        # Pillow warns of odd metadata and large images; only unreadable images matter here.
        warnings.simplefilter("ignore")
        for number, rows in enumerate(cut(incoming)):
            before = take_over(folder, number, rows, incoming, params)
            finished.append(before or import_shard(folder, number, rows, incoming, params))
            on_step(Step("images", rows.stop, len(incoming)))
    _clear(folder, len(finished))
    problems = tuple(problem for card in finished for problem in card.problems)
    _list_problems(checkout, params, problems, len(incoming))
    _describe(folder / "dataset", incoming, params, finished, extension)
    return folder / "dataset"


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


def _list_problems(checkout: Checkout, params: ImageSource, problems: tuple[Problem, ...], rows: int) -> None:
    """Write the images that could not be read into a table, and refuse or skip them."""
    path = checkout.lethe / "import-problems.csv"
    path.unlink(missing_ok=True)
    if not problems:
        return
    table = io.StringIO()
    csv.writer(table).writerows([("sample_id", "reason"), *((p.sample_id, p.reason) for p in problems)])
    write_atomically(path, table.getvalue().encode())
    # Names of images may be personal, and error messages are stored: so only the table holds names.
    said = f"{len(problems)} of {rows} images cannot be read; .lethe/{path.name} lists each with the reason"
    if params.on_bad_image == "refuse" or len(problems) == rows:
        raise PipelineError(f"{said}. Repair or remove them, or set dataset.on_bad_image to skip")
    tell(f"  {said}; they are skipped")


def _describe(
    folder: Path,
    incoming: Incoming,
    params: ImageSource,
    finished: list[ShardCard],
    extension: Extension | None,
) -> DatasetCard:
    """Write the cards of the data set and of its import."""
    sizes = sum((Counter(card.sizes) for card in finished), Counter[str]())
    if len(sizes) > 1:
        counts = ", ".join(f"{count} of {size}" for size, count in sizes.most_common(5))
        raise ConfigurationError(f"the images differ in size ({counts}); set dataset.image_size")
    height, width = map(int, next(iter(sizes)).split("x"))
    channels = params.channels or (3 if any(card.colour for card in finished) else 1)
    given = params.normalisation
    if given is not None and {len(given.mean), len(given.std)} != {channels}:
        raise ConfigurationError(
            f"dataset.normalisation has {len(given.mean)} means and {len(given.std)} standard deviations; "
            f"the images have {channels} channel(s)"
        )
    card = describe_dataset(
        manifest_of(read_rows(folder), incoming.classes),
        name=params.name,
        input_shape=(channels, height, width),
        normalisation=given or _measured(finished, channels),
        extension=extension,
    )
    _refuse_empty(card)
    problems = [[one.sample_id, one.reason] for shard in finished for one in shard.problems]
    write_record(folder / "card.json", card)
    skipped = sha256(canonical_json(problems))
    write_record(
        folder / IMPORT_CARD,
        ImportCard(settings=params.digest, skipped=len(problems), skipped_digest=skipped),
    )
    return card


def _measured(finished: list[ShardCard], channels: int) -> Normalisation:
    """Return the mean and standard deviation of the training rows' pixels, channel by channel."""
    pixels = sum(card.pixels for card in finished)
    sums = [sum(card.sums[channel] for card in finished) for channel in range(channels)]
    squares = [sum(card.squares[channel] for card in finished) for channel in range(channels)]
    mean = [total / pixels / 255 for total in sums]
    variance = [square / pixels / 255**2 - m**2 for square, m in zip(squares, mean, strict=True)]
    std = [round(max(v, 0.0) ** 0.5, 4) for v in variance]
    if min(std) == 0:
        raise ConfigurationError("a channel is the same in every pixel; give dataset.normalisation")
    return Normalisation(mean=tuple(round(m, 4) for m in mean), std=tuple(std))


def _refuse_empty(card: DatasetCard) -> None:
    """Refuse classes with nothing left to train on, and splits without rows."""
    train = next(split for split in card.splits if split.split == "train")
    empty = [name for name, rows in zip(card.classes, train.rows_per_class, strict=True) if not rows]
    if empty:
        raise ConfigurationError(f"no training image is left of the class(es) {', '.join(empty)}")
    if missing := [split.split for split in card.splits if not split.rows]:
        raise ConfigurationError(
            f"there are too few images for the split(s) {', '.join(missing)}; add images, or raise "
            "dataset.tuning, dataset.audit and dataset.test"
        )
