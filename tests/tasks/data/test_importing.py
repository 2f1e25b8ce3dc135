"""Importing images: identity, what is measured, what cannot be read, and going on after a kill."""

import csv
import io
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import CLASSES, encoded, folder_of_pictures, picture, pixels, save
from PIL import Image
from world import ROOT, files_of

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import read_record
from tasks.data import shards
from tasks.data.datasets import each_image, read_card, read_manifest, rows_digest
from tasks.data.folders import Folders
from tasks.data.importing import IMPORT_CARD, require_imported
from unlearn_core.data import open_image
from unlearn_core.errors import ConfigurationError, PipelineError, SetupError
from unlearn_core.records.data import ImportCard, Normalisation
from unlearn_core.records.params import ImageFolderSource

SOURCE = ImageFolderSource(path="images")


@pytest.fixture
def checkout(tmp_path):
    folder_of_pictures(tmp_path / "images")
    return Checkout(tmp_path)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 10)


def imported(checkout, **settings):
    return Folders().import_beside(checkout, ImageFolderSource(path="images", **settings))


def images_of(folder):
    return list(each_image(folder))


def test_rows_are_the_files_bytes_under_their_paths(checkout):
    folder = imported(checkout)
    names = read_manifest(folder).sample_ids
    assert images_of(folder) == [(checkout.root / "images" / name).read_bytes() for name in names]


def test_the_card_says_what_was_imported(checkout):
    card = read_card(imported(checkout, name="insects"))
    assert (card.name, card.classes, card.input_shape) == ("insects", CLASSES, (1, 8, 8))
    assert [split.rows for split in card.splits] == [60, 9, 12, 15]


def test_the_same_images_give_the_same_bytes(checkout, small_shards):
    first = files_of(imported(checkout))
    Folders().place(checkout, SOURCE)
    assert {Path(p).name: raw for p, raw in files_of(checkout.dataset).items()} == {
        Path(p).name: raw for p, raw in first.items()
    }
    assert files_of(imported(checkout)) == first


def test_the_rows_digest_does_not_know_how_shards_are_cut(checkout, monkeypatch):
    whole = read_card(imported(checkout)).rows_digest
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 7)
    monkeypatch.setattr(shards, "BYTES_PER_SHARD", 400)
    assert rows_digest(read_manifest(imported(checkout, name="again"))) == whole


def test_a_shard_is_closed_before_it_has_too_many_bytes(checkout, monkeypatch):
    largest = max(path.stat().st_size for path in (checkout.root / "images").rglob("*.png"))
    monkeypatch.setattr(shards, "BYTES_PER_SHARD", 2 * largest)
    folder = imported(checkout)
    assert len(list(folder.glob("shard-*.parquet"))) >= 48


def test_the_normalisation_is_measured_on_the_training_rows(checkout):
    stacked = np.stack([pixels(Image.open(path)) for path in (checkout.root / "images/train").rglob("*.png")])
    found = read_card(imported(checkout)).normalisation
    assert found.mean == (round(float((stacked / 255).mean()), 4),)
    assert found.std == (round(float((stacked / 255).std()), 4),)


def test_a_given_normalisation_is_taken(checkout):
    given = Normalisation(mean=(0.5,), std=(0.25,))
    assert read_card(imported(checkout, normalisation=given)).normalisation == given


def test_a_normalisation_for_other_channels_is_refused(checkout):
    given = Normalisation(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    with pytest.raises(ConfigurationError, match=r"has 3 means .* the images have 1 channel"):
        imported(checkout, normalisation=given)


def test_images_of_one_flat_colour_cannot_be_normalised(tmp_path):
    for part in ("train", "test"):
        for name in "ab":
            for number in range(6):
                save(tmp_path / "images" / part / name / f"{number}.png", Image.new("L", (4, 4), 7))
    with pytest.raises(ConfigurationError, match="the same in every pixel"):
        imported(Checkout(tmp_path))


def test_one_image_in_colour_makes_all_of_them_colour(checkout):
    save(checkout.root / "images/train/bee/0003.png", picture(1, 3, grey=False))
    assert read_card(imported(checkout)).input_shape == (3, 8, 8)


def test_colour_is_dropped_where_the_model_sees_grey(checkout):
    save(checkout.root / "images/train/bee/0003.png", picture(1, 3, grey=False))
    assert read_card(imported(checkout, channels=1)).input_shape == (1, 8, 8)


def test_images_of_several_sizes_are_refused_with_counts_and_what_to_do(checkout):
    save(checkout.root / "images/train/bee/0003.png", picture(1, 3, size=(9, 12)))
    with pytest.raises(ConfigurationError, match=r"95 of 8x8, 1 of 9x12\); set dataset\.image_size"):
        imported(checkout)


def test_images_of_several_sizes_are_scaled_where_a_size_is_given(checkout):
    save(checkout.root / "images/train/bee/0003.png", picture(1, 3, size=(9, 12)))
    assert read_card(imported(checkout, image_size=6)).input_shape == (1, 6, 6)


def spoil(checkout):
    """Put files in the place of images that cannot be read; return their ids."""
    folder = checkout.root / "images"
    whole = encoded(picture(0, 0, size=(64, 64)), "JPEG")
    spoilt = {
        "train/ant/0001.png": whole[: len(whole) // 2],
        "train/bee/0002.png": b"no image",
        "test/cow/1001.png": b"",
        "train/cow/0004.png": encoded(Image.new("I;16", (8, 8))),
    }
    for name, raw in spoilt.items():
        (folder / name).write_bytes(raw)
    return spoilt


def listed(checkout):
    rows = csv.reader(io.StringIO((checkout.lethe / "import-problems.csv").read_text()))
    return dict(list(rows)[1:])


def test_images_that_cannot_be_read_are_all_listed_and_no_message_names_one(checkout, small_shards):
    spoilt = spoil(checkout)
    with pytest.raises(PipelineError, match=r"4 of 96 images cannot be read; .lethe/import-prob") as caught:
        imported(checkout)
    reasons = listed(checkout)
    assert reasons.keys() == spoilt.keys()
    assert reasons["train/ant/0001.png"].startswith("damaged: image file is truncated")
    assert reasons["train/bee/0002.png"] == "not an image"
    assert reasons["test/cow/1001.png"] == "an empty file"
    assert reasons["train/cow/0004.png"] == "16 bits a channel; expected at most 8"
    assert not any(name in str(caught.value) for name in spoilt)


def test_a_file_that_vanished_is_listed(checkout, monkeypatch):
    found = Folders().rows(checkout.root, SOURCE)
    (checkout.root / "images" / found.sample_ids[5]).unlink()
    monkeypatch.setattr(Folders, "rows", lambda *_: found)
    with pytest.raises(PipelineError):
        imported(checkout)
    assert listed(checkout) == {found.sample_ids[5]: "No such file or directory"}


def test_images_that_cannot_be_read_are_skipped_if_asked_and_counted(checkout):
    spoilt = spoil(checkout)
    folder = imported(checkout, on_bad_image="skip")
    assert len(read_manifest(folder)) == 92
    assert not spoilt.keys() & set(read_manifest(folder).sample_ids)
    card = read_record(folder / IMPORT_CARD, ImportCard)
    assert card.skipped == 4


def test_another_skipped_image_gives_another_digest(checkout):
    digests = []
    for name in ("0001", "0002"):
        (checkout.root / f"images/train/ant/{name}.png").write_bytes(b"")
        digests.append(read_record(imported(checkout, on_bad_image="skip") / IMPORT_CARD, ImportCard))
    assert digests[0].skipped_digest != digests[1].skipped_digest


def test_a_class_of_which_nothing_is_left_is_named(checkout):
    for path in (checkout.root / "images/train/bee").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"no training image is left of the class\(es\) bee"):
        imported(checkout, on_bad_image="skip")


def test_too_few_images_for_a_split_are_refused_with_what_to_do(tmp_path):
    folder_of_pictures(tmp_path / "images", test=1)
    with pytest.raises(ConfigurationError, match="too few images for the split"):
        imported(Checkout(tmp_path))


def test_repaired_images_are_no_problem_any_more(checkout, small_shards):
    names = spoil(checkout)
    with pytest.raises(PipelineError):
        imported(checkout)
    for name in names:
        save(checkout.root / "images" / name, picture(2, 77 + len(name)))
    assert len(read_manifest(imported(checkout))) == 96
    assert not (checkout.lethe / "import-problems.csv").exists()


def test_a_finished_shard_is_not_read_again(checkout, small_shards, monkeypatch):
    before = files_of(imported(checkout))
    monkeypatch.setattr("unlearn_core.data.open_image", None)
    assert files_of(imported(checkout)) == before


def test_other_settings_read_no_finished_shard_again_where_it_would_be_the_same(
    checkout, small_shards, monkeypatch
):
    spoil(checkout)
    with pytest.raises(PipelineError):
        imported(checkout)
    monkeypatch.setattr("unlearn_core.data.open_image", None)
    given = Normalisation(mean=(0.5,), std=(0.25,))
    assert (
        len(read_manifest(imported(checkout, on_bad_image="skip", normalisation=given, name="other"))) == 92
    )


@pytest.mark.parametrize("settings", [{"channels": 3}, {"image_size": 4}, {"seed": 1}])
def test_settings_that_a_shard_depends_on_are_not_mixed_up(checkout, small_shards, settings):
    imported(checkout)
    changed = imported(checkout, **settings)
    again = Checkout(checkout.root / "again")
    again.root.mkdir()
    (again.root / "images").symlink_to(checkout.root / "images")
    assert read_card(changed) == read_card(imported(again, **settings))


def test_only_the_shard_of_a_changed_image_is_read_again(checkout, small_shards, monkeypatch):
    imported(checkout)
    save(checkout.root / "images/train/bee/0003.png", picture(1, 500))
    opened = []
    monkeypatch.setattr("unlearn_core.data.open_image", lambda raw: opened.append(raw) or open_image(raw))
    folder = imported(checkout)
    assert len(opened) == 10
    assert encoded(picture(1, 500)) in images_of(folder)


def test_a_broken_shard_is_imported_again(checkout, small_shards):
    folder = imported(checkout)
    before = files_of(folder)
    (folder / "shard-00003.parquet").write_bytes(b"half")
    assert files_of(imported(checkout)) == before


def test_shards_that_are_too_many_are_removed(checkout, small_shards):
    imported(checkout)
    for path in (checkout.root / "images/train/cow").iterdir():
        if path.name > "0004":
            path.unlink()
    assert len(read_manifest(imported(checkout))) == 80


SLOW_IMPORT = """
import sys, time
from pathlib import Path
from tasks.data import importing
from tasks.data import shards
from tasks.data.folders import Folders
from tasks.checkout.checkout import Checkout
from unlearn_core.records.params import ImageFolderSource

def slow(*arguments, real=importing.import_shard):
    time.sleep(0.05)
    print("shard", flush=True)
    return real(*arguments)

shards.ROWS_PER_SHARD, importing.import_shard = 50, slow
Folders().import_beside(Checkout(Path(sys.argv[1])), ImageFolderSource(path="images"))
"""


def test_a_kill_costs_the_shard_at_work_and_nothing_else(checkout):
    folder_of_pictures(checkout.root / "images", train=400)
    command = [sys.executable, "-c", SLOW_IMPORT, str(checkout.root)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(8):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    (work,) = (checkout.lethe / "imports").iterdir()
    finished = {path: path.stat().st_mtime_ns for path in work.glob("*.json")}
    assert len(finished) >= 7
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("shard") == 25 - len(finished)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert read_card(work / "dataset") == read_card(imported(checkout))


def test_placing_leaves_nothing_of_the_import(checkout):
    imported(checkout)
    Folders().place(checkout, SOURCE)
    assert list((checkout.lethe / "imports").iterdir()) == []
    assert len(read_manifest(checkout.dataset)) == 96


def test_a_placed_import_is_found_by_its_settings(checkout):
    imported(checkout)
    Folders().place(checkout, SOURCE)
    assert require_imported(checkout, SOURCE) == checkout.dataset
    with pytest.raises(SetupError, match="run `lethe train`"):
        require_imported(checkout, ImageFolderSource(path="images", seed=1))


def test_before_an_import_there_is_nothing_to_find(checkout):
    with pytest.raises(SetupError, match="not imported yet"):
        require_imported(checkout, SOURCE)
