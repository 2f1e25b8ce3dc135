"""The cards of an import, or everything that is wrong with its rows."""

from collections import Counter
from pathlib import Path

from tasks.checkout.files import write_record
from tasks.data.datasets import describe_dataset
from tasks.data.headers import require_one_size
from unlearn_core.errors import ConfigurationError, PipelineError
from unlearn_core.names import told_apart
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.data import SPLITS, ImportCard, Normalisation
from unlearn_core.records.importing import ShardCard
from unlearn_core.records.params import ImageSource
from unlearn_core.records.provenance import Extension
from unlearn_core.selection import Manifest

IMPORT_CARD = "import.json"


def describe_import(
    folder: Path,
    manifest: Manifest,
    params: ImageSource,
    finished: list[ShardCard],
    *,
    extension: Extension | None,
    unread: list[str],
) -> None:
    """Write the cards of an imported data set and of its import.

    Args:
        folder: The data set's folder.
        manifest: Its rows.
        params: How the images were read.
        finished: The cards of its shards.
        extension: The source, if it is not Lethe's.
        unread: What to say of images that could not be read, if they are a reason to refuse it.

    Raises:
        PipelineError: If images could not be read; everything else that is wrong is listed too.
        ConfigurationError: If something else is wrong.
    """
    sizes = sum((Counter(card.sizes) for card in finished), Counter[str]())
    require_one_size(sizes, params)
    height, width = map(int, next(iter(sizes)).split("x"))
    channels = params.channels or (3 if any(card.colour for card in finished) else 1)
    given = params.normalisation
    wrong = [*unread, *_wrong_channels(given, channels), *_too_few(manifest)]
    if wrong:
        said = wrong[0] if len(wrong) == 1 else "\n  ".join(["the images cannot be imported:", *wrong])
        if unread:
            raise PipelineError(said)
        raise ConfigurationError(said)
    card = describe_dataset(
        manifest,
        name=params.name,
        input_shape=(channels, height, width),
        normalisation=given or _measured(finished, channels),
        extension=extension,
    )
    problems = [[one.sample_id, one.reason] for shard in finished for one in shard.problems]
    write_record(folder / "card.json", card)
    skipped = sha256(canonical_json(problems))
    write_record(
        folder / IMPORT_CARD,
        ImportCard(settings=params.digest, skipped=len(problems), skipped_digest=skipped),
    )


def _wrong_channels(given: Normalisation | None, channels: int) -> list[str]:
    """Say whether a given normalisation is for other channels than the images have."""
    if given is None or {len(given.mean), len(given.std)} == {channels}:
        return []
    return [
        f"dataset.normalisation has {len(given.mean)} means and {len(given.std)} standard deviations; "
        f"the images have {channels} channel(s)"
    ]


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


def _too_few(manifest: Manifest) -> list[str]:
    """Name the classes with nothing left to train on, and the splits without rows."""
    trained = set(manifest.labels[manifest.splits == "train"].tolist())
    empty = [name for label, name in enumerate(manifest.classes) if label not in trained]
    missing = [split for split in SPLITS if not (manifest.splits == split).any()]
    problems = [f"no training image is left of the class(es) {told_apart(empty)}"] if empty else []
    if missing:
        problems.append(
            f"there are too few images for the split(s) {', '.join(missing)}; add images, or raise "
            "dataset.tuning, dataset.audit and dataset.test"
        )
    return problems
