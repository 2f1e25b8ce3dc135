"""The sections of ``params.yaml`` that need no torch to be read."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from unlearn_core.records.artifact import Recipe
from unlearn_core.records.base import Record, RegistryName, Sha256
from unlearn_core.records.data import Normalisation
from unlearn_core.records.policy import Policy
from unlearn_core.records.request import RequestId


class DealtSource(Record):
    """A source whose rows are dealt to the splits, class by class: these fractions, the rest to train on.

    If a source has its own held-out rows, they are dealt to the three in the same proportions, and all its
    other rows are trained on.

    ``canaries`` training rows are planted: they get a wrong label, which a net memorises, and one extra
    subject. As many others get a wrong label too and are never trained on, so that forgetting the planted
    ones can be measured.
    """

    seed: int = 0
    tuning: float = Field(default=0.10, gt=0, lt=1)
    audit: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.20, gt=0, lt=1)
    # Left out at 0: settings without canaries keep the digest that they had before there were any.
    canaries: int = Field(default=0, ge=0, exclude_if=lambda count: count == 0)

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if (held_out := self.tuning + self.audit + self.test) > 0.95:
            raise ValueError(f"tuning, audit and test take {held_out:g} of all rows; leave 0.05 to train on")
        return self


class DigitsSource(DealtSource):
    """Scikit-learn's 1,797 scanned digits, split by fractions of each class."""

    source: Literal["digits"] = "digits"
    rows_per_subject: int = Field(default=10, ge=1)


class ImageSource(DealtSource):
    """A user's own images.

    ``classes`` puts the classes in the model's order; without it they are in alphabetical order. ``channels``
    is 1 for grey and 3 for colour; without it, grey if every image is. ``image_size`` scales the shorter side
    to that many pixels and keeps the centre; without it all images must be of one size. ``normalisation`` is
    measured on the training rows where it is not given. An image that cannot be read stops the import, or is
    skipped. ``orientation`` says whether images are turned as the tag of their camera says.
    """

    name: RegistryName = "images"
    classes: tuple[str, ...] | None = Field(default=None, min_length=2)
    channels: Literal[1, 3] | None = None
    image_size: int | None = Field(default=None, ge=1)
    normalisation: Normalisation | None = None
    on_bad_image: Literal["refuse", "skip"] = "refuse"
    # Left out by default: settings keep the digest that they had before there was a choice.
    orientation: Literal["follow", "ignore"] = Field(default="ignore", exclude_if=lambda way: way == "ignore")


class ImageFolderSource(ImageSource):
    """Folders of images: ``train/CLASS`` beside ``test/CLASS`` or ``val/CLASS``, or ``CLASS`` alone.

    A sample's id is its path below ``path``. ``subjects`` is a CSV file with the columns ``path`` and
    ``subject``; images that it does not name belong to nobody.
    """

    source: Literal["imagefolder"] = "imagefolder"
    path: str
    subjects: str | None = None


class RetainedSource(Record):
    """The retained data set of an earlier deletion, by its rows' digest."""

    source: Literal["retained"] = "retained"
    rows_digest: Sha256


class TorchvisionSource(ImageSource):
    """A classification data set of torchvision, by its class's ``name``; downloaded to ``root`` if needed.

    Its training part is trained on, its test part is dealt to the held-out splits. The pixels are stored
    as PNG, and a sample's id is its part and its number there.
    """

    source: Literal["torchvision"] = "torchvision"
    dataset: str
    root: str = "~/.cache/lethe/torchvision"


class Columns(Record):
    """The names of a table's columns; the last three are optional."""

    image: str = "image"
    label: str = "label"
    split: str | None = None
    subject_id: str | None = None
    sample_id: str | None = None


class ParquetSource(ImageSource):
    """Parquet files with encoded images: one file, or all of a folder in the order of their names.

    An image is a column of bytes, or of structures with ``bytes``. A label is a class's name, or its number
    in ``classes``. A row whose ``split`` is not ``train`` is held out. Without a column of ids, a sample's
    id is its row's number.
    """

    source: Literal["parquet"] = "parquet"
    path: str
    columns: Columns = Columns()


OwnSettings = DigitsSource | ImageFolderSource | TorchvisionSource | ParquetSource | RetainedSource

DatasetParams = Annotated[OwnSettings, Field(discriminator="source")]
"""Settings of Lethe's own data sources; ``params_with`` adds others."""


class TrainedParent(Record):
    """A parent that the pipeline trains itself.

    ``keep`` are shares of the training, such as 0.5, after which weights and the optimiser's memory are kept
    beside the model, for the method ``rewind``.
    """

    source: Literal["train"] = "train"
    architecture: str = "small_resnet"
    recipe: Recipe = Recipe()
    # Left out if nothing is kept: settings keep the digest that they had before there was a choice.
    keep: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(), exclude_if=lambda kept: not kept
    )


class ChampionParent(Record):
    """The accepted model of an earlier deletion, by its weights' digest.

    ``architecture`` names the net if it is one of the user's own: a card alone may not name code to run.
    """

    source: Literal["champion"] = "champion"
    weights: Sha256
    architecture: str | None = Field(default=None, exclude_if=lambda net: net is None)


class AdoptedParent(Record):
    """A model that was trained elsewhere, by its weights' digest; ``lethe adopt`` imports it.

    ``architecture`` is as for a champion.
    """

    source: Literal["adopted"] = "adopted"
    weights: Sha256
    architecture: str | None = Field(default=None, exclude_if=lambda net: net is None)


ParentParams = Annotated[TrainedParent | ChampionParent | AdoptedParent, Field(discriminator="source")]


class RunParams(Record):
    """What every computing stage shares: the base seed and the number of threads.

    ``memory_mib`` is how much decoded images may take in memory; a larger data set is read from disk batch
    by batch. It changes no bit of a result.
    """

    seed: int = 0
    threads: int = Field(default=2, ge=1)
    memory_mib: int = Field(default=1024, ge=1)


class MomentsParams(Record):
    """How the second moments are obtained; the batch size bounds the memory.

    ``collect`` takes them at the parent's weights. ``carry`` does that only for a parent that was trained in
    full; for any other it continues with those of the deletion before, minus what that forgot.
    """

    source: Literal["collect", "carry"] = "collect"
    batch_size: int = Field(default=256, ge=1)


class RegistryParams(Record):
    """The name under which accepted models are registered."""

    model: RegistryName = "digits"


class Params(Record):
    """All of ``params.yaml``, section by section.

    What is under ``methods`` is validated with the methods themselves, which need torch.
    """

    request: RequestId
    run: RunParams
    dataset: DatasetParams
    parent: ParentParams
    moments: MomentsParams
    policy: Policy
    methods: dict[str, Any]
    registry: RegistryParams


def params_with(*others: type[ImageSource]) -> type[Params]:
    """Return ``Params`` whose data set may also come from sources other than Lethe's own.

    Args:
        others: Their settings, each with its own ``source``.

    Returns:
        A class that validates the section ``dataset`` by the settings that its ``source`` names.
    """
    if not others:
        return Params
    settings: Any = OwnSettings
    for other in others:
        settings |= other
    fields: Any = {"dataset": (Annotated[settings, Field(discriminator="source")], ...)}
    return create_model("Params", __base__=Params, **fields)
