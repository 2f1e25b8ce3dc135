"""The sections of ``params.yaml``: what they take, and what they refuse by name."""

import pytest
from pydantic import TypeAdapter, ValidationError

from unlearn_core.records.artifact import Recipe
from unlearn_core.records.params import (
    ChampionParent,
    DatasetParams,
    DigitsSource,
    ImageFolderSource,
    ParentParams,
    ParquetSource,
    RegistryParams,
    RetainedSource,
    RunParams,
    TorchvisionSource,
    TrainedParent,
)

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("union", "value", "kind"),
    [
        (DatasetParams, {"source": "digits"}, DigitsSource),
        (DatasetParams, {"source": "retained", "rows_digest": DIGEST}, RetainedSource),
        (ParentParams, {"source": "train"}, TrainedParent),
        (ParentParams, {"source": "champion", "weights": DIGEST}, ChampionParent),
    ],
)
def test_a_source_is_told_by_its_name(union, value, kind):
    assert isinstance(TypeAdapter(union).validate_python(value), kind)


@pytest.mark.parametrize(
    ("union", "value"),
    [
        (DatasetParams, {"source": "mnist"}),
        (DatasetParams, {"source": "retained"}),
        (DatasetParams, {"source": "digits", "rows_digest": DIGEST}),
        (ParentParams, {"source": "champion", "weights": DIGEST, "recipe": {}}),
    ],
)
def test_a_source_takes_its_own_settings_only(union, value):
    with pytest.raises(ValidationError):
        TypeAdapter(union).validate_python(value)


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"momentum": 1.0},
        {"weight_decay": -0.1},
        {"optimizer": "adam"},
        {"schedule": "cosin"},
        {"augmentation": "rotate"},
        {"max_shift": -1},
        {"learning_rte": 0.1},
    ],
)
def test_a_recipe_that_could_not_train_is_refused_by_name(settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        Recipe(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"tuning": 0.0},
        {"test": 1.0},
        {"rows_per_subject": 0},
        {"canaries": -1},
        {"tuning": 0.4, "audit": 0.3, "test": 0.3},
    ],
)
def test_digits_that_leave_nothing_to_train_on_are_refused(settings):
    with pytest.raises(ValidationError, match=next(iter(settings))):
        DigitsSource(**settings)


@pytest.mark.parametrize("count", [0, 7])
def test_every_source_that_deals_rows_can_ask_for_canaries(count):
    sources = [
        DigitsSource(canaries=count),
        ImageFolderSource(path="images", canaries=count),
        ParquetSource(path="images", canaries=count),
        TorchvisionSource(dataset="MNIST", canaries=count),
    ]
    for source in sources:
        assert type(source).parse(source.canonical()) == source
        assert source.canaries == count


def test_settings_without_canaries_keep_the_digest_that_they_had_before_there_were_any():
    assert ImageFolderSource(path="images").digest == (
        "sha256:f6ebe81dadf2b6b116d50a55fbf231ddc019c62a8621be9f7e61c283332197b5"
    )


def test_no_run_has_less_than_one_thread():
    with pytest.raises(ValidationError, match="threads"):
        RunParams(threads=0)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "a'"])
def test_a_registered_models_name_is_safe_in_addresses(name):
    with pytest.raises(ValidationError, match="model"):
        RegistryParams(model=name)
