"""Folders of images as a source: what is a class, what is a row, and what is wrong with a folder."""

import re
import unicodedata
from collections import Counter

import numpy as np
import pytest
from pictures import CLASSES, folder_of_pictures, picture, save

from tasks.data.folders import list_folder
from unlearn_core.errors import ConfigurationError, SetupError
from unlearn_core.records.params import ImageFolderSource


@pytest.fixture
def root(tmp_path):
    folder_of_pictures(tmp_path / "images")
    return tmp_path


def listed(root, **settings):
    return list_folder(root, ImageFolderSource(path="images", **settings))


def refusal(root, **settings):
    with pytest.raises(ConfigurationError) as caught:
        listed(root, **settings)
    return str(caught.value)


def test_ids_are_paths_in_order(root):
    found = listed(root)
    paths = [path.relative_to(root / "images") for path in (root / "images").rglob("*.png")]
    assert found.sample_ids == sorted(path.as_posix() for path in paths)


def test_classes_are_the_folders_in_alphabetical_order(root):
    found = listed(root)
    assert found.classes == CLASSES
    assert [CLASSES[label] for label in found.labels] == [name.split("/")[1] for name in found.sample_ids]


def test_classes_are_in_the_given_order(root):
    found = listed(root, classes=("cow", "ant", "bee"))
    names = [("cow", "ant", "bee")[label] for label in found.labels]
    assert names == [name.split("/")[1] for name in found.sample_ids]


def test_each_row_reads_its_own_file(root):
    found = listed(root)
    row = found.sample_ids.index("train/bee/0003.png")
    assert found.read(row) == (root / "images/train/bee/0003.png").read_bytes()


def test_all_that_is_not_held_out_is_trained_on(root):
    found = listed(root)
    train = [name.startswith("train/") for name in found.sample_ids]
    assert (found.splits == "train").tolist() == train


@pytest.mark.parametrize("name", ["test", "val"])
def test_held_out_rows_are_dealt_class_by_class_in_the_fractions_proportions(root, name):
    (root / "images/test").rename(root / "images" / name)
    found = listed(root, tuning=0.1, audit=0.2, test=0.3)
    for label in range(3):
        counts = Counter(found.splits[found.labels == label])
        assert counts == {"train": 20, "tuning": 2, "audit": 4, "test": 6}


def test_class_folders_alone_are_dealt_to_all_splits(root):
    found = list_folder(root, ImageFolderSource(path="images/train", tuning=0.1, audit=0.2, test=0.3))
    assert found.sample_ids[0] == "ant/0000.png"
    for label in range(3):
        assert Counter(found.splits[found.labels == label]) == {
            "train": 8,
            "tuning": 2,
            "audit": 4,
            "test": 6,
        }


def test_the_deal_is_the_seeds(root):
    deals = [listed(root, seed=seed).splits.tolist() for seed in (1, 1, 2)]
    assert deals[0] == deals[1]
    assert deals[0] != deals[2]


def test_a_class_may_be_called_train(tmp_path):
    for name in ("bus", "train"):
        save(tmp_path / "images" / name / "1.png", picture(0, 1))
    assert listed(tmp_path).classes == ("bus", "train")


def test_images_in_folders_below_a_class_belong_to_it(root):
    save(root / "images/train/bee/more/9.PNG", picture(1, 9))
    found = listed(root)
    assert found.labels[found.sample_ids.index("train/bee/more/9.PNG")] == 1


@pytest.mark.parametrize(
    "junk", [".DS_Store", "train/ant/.hidden.png", "train/ant/.cache/1.png", "notes.txt"]
)
def test_hidden_files_and_files_of_other_kinds_are_left_out(root, junk):
    before = listed(root).sample_ids
    (root / "images" / junk).parent.mkdir(exist_ok=True)
    (root / "images" / junk).write_text("junk")
    assert listed(root).sample_ids == before


def test_files_without_an_images_suffix_are_counted(root, capsys):
    (root / "images/train/ant/readme.txt").write_text("junk")
    listed(root)
    assert "1 file(s) in images without an image suffix are left out" in capsys.readouterr().err


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"dataset\.path: images is not a folder"):
        listed(tmp_path)


def test_every_problem_is_listed(root):
    (root / "images/train/dog").mkdir()
    (root / "images/test/eel").mkdir()
    (root / "images/extra").mkdir()
    said = refusal(root, classes=("ant", "bee", "cow", "fox"))
    assert "beside train and test there is extra" in said
    assert "train/ has the folder(s) dog, which are not classes" in said
    assert "test/ has the folder(s) eel, which are not classes" in said
    assert "train/ has no folder for the class(es) fox" in said


def test_an_empty_class_is_named(root):
    (root / "images/train/dog").mkdir()
    assert "class dog has no images in train/" in refusal(root)


def test_train_alone_is_refused_with_what_to_do(root):
    (root / "images/test").rename(root / "elsewhere")
    assert "train is without test or val" in refusal(root)


def test_one_class_is_too_few(tmp_path):
    save(tmp_path / "images/ant/1.png", picture(0, 1))
    assert "1 class folder(s) in it; at least two are needed" in refusal(tmp_path)


def test_names_that_are_no_text_are_counted(root):
    (root / "images/train/ant/0000.png").rename(root / "images/train/ant" / "\udcff.png")
    assert "1 file name(s) are not UTF-8" in refusal(root)


def subjects(root, *lines):
    (root / "subjects.csv").write_text("\n".join(["path,subject", *lines]))
    return {"subjects": "subjects.csv"}


def test_images_belong_to_the_subjects_of_the_table_and_all_others_to_nobody(root):
    found = listed(root, **subjects(root, "train/ant/0001.png,ada", "test/cow/1003.png,bob"))
    owned = {name: one for name, one in zip(found.sample_ids, found.subject_ids, strict=True) if one}
    assert owned == {"train/ant/0001.png": "ada", "test/cow/1003.png": "bob"}


def test_wrong_lines_are_named_by_number_and_no_sample_by_its_name(root):
    lines = ["train/ant/0001.png,ada", "train/ant/9999.png,bob", "train/ant/0001.png,eve"]
    said = refusal(root, **subjects(root, *lines))
    assert "line 3 of subjects.csv names no image" in said
    assert "line 4 of subjects.csv gives an image to a second person" in said
    assert not re.search(r"\d{4}\.png|ada|bob|eve", said)


def test_a_table_without_its_columns_is_refused(root):
    (root / "subjects.csv").write_text("image,person\n")
    assert "expected path and subject" in refusal(root, subjects="subjects.csv")


def test_a_table_that_is_not_there_is_named(root):
    assert "subjects: nowhere.csv is not a file" in refusal(root, subjects="nowhere.csv")


def test_sizes_and_stamps_are_the_files(root):
    found = listed(root)
    path = root / "images" / found.sample_ids[0]
    assert found.sizes[0] == path.stat().st_size
    before = found.stamps[0]
    path.write_bytes(path.read_bytes())
    assert listed(root).stamps[0] != before
    assert np.array_equal(listed(root).stamps[1:], found.stamps[1:])


def test_no_message_holds_a_whole_path(root):
    (root / "images/train/dog").mkdir()
    for path in (root / "images", root / "nothing"):
        with pytest.raises((ConfigurationError, SetupError)) as caught:
            list_folder(root, ImageFolderSource(path=str(path), subjects=str(root / "who.csv")))
        assert str(root) not in str(caught.value)


NFC, NFD = (unicodedata.normalize(form, "Äpfel") for form in ("NFC", "NFD"))


def test_names_are_stored_and_compared_in_one_form(root):
    for part in ("train", "test"):
        (root / "images" / part / "ant").rename(root / "images" / part / NFD)
    table = subjects(root, f"train/{NFC}/0001.png,ada", f"train/{NFD}/0002.png,ada")
    found = listed(root, classes=("cow", NFC, "bee"), **table)
    row = found.sample_ids.index(f"train/{NFC}/0001.png")
    assert (found.classes[found.labels[row]], found.subject_ids[row]) == (NFC, "ada")
    assert found.subject_ids[found.sample_ids.index(f"train/{NFC}/0002.png")] == "ada"
    assert found.read(row) == (root / "images/train" / NFD / "0001.png").read_bytes()


@pytest.mark.parametrize(
    ("one", "other", "said"), [(NFC, NFD, r"'\xc4pfel'"), ("cat", "Cat", "'Cat', 'cat'")]
)
def test_two_class_folders_that_are_one_are_refused(root, one, other, said):
    for part in ("train", "test"):
        for name in (one, other):
            save(root / "images" / part / name / "1.png", picture(0, 1))
    found = refusal(root)
    assert "train/ has folders of one name but for capitals or Unicode" in found
    assert said in found


def test_two_files_of_one_name_are_refused(root):
    for name in (NFC, NFD):
        save(root / f"images/train/ant/{name}.png", picture(0, 1))
    assert "1 file name(s) differ from another only in their Unicode form" in refusal(root)


def test_names_that_look_alike_can_be_told_apart_in_a_refusal(root):
    (root / "images/train/ant").rename(root / "images/train/ant ")
    assert "test/ has the folder(s) 'ant', which are not classes" in refusal(root)
    assert "no folder for the class(es) 'ant'" in refusal(root, classes=("ant", "bee", "cow"))


@pytest.mark.parametrize("where", ["", "train/", "train/ant/"])
@pytest.mark.parametrize(
    "name", ["@eaDir", "__MACOSX", "$RECYCLE.BIN", "#recycle", "lost+found", "thumbnails", ".thumbnails"]
)
def test_a_systems_folder_is_no_class_and_holds_no_rows(root, where, name):
    before = listed(root)
    save(root / "images" / where / name / "a.png", picture(0, 1))
    found = listed(root)
    assert (found.classes, found.sample_ids) == (before.classes, before.sample_ids)
    named = () if name[0] == "." else ((f"{where}{name}", "a system's folder"),)
    assert found.left_out == named


def test_what_is_left_out_is_named_once(tmp_path, capsys):
    folder_of_pictures(tmp_path / "images")
    save(tmp_path / "images/train/stray.png", picture(0, 1))
    (tmp_path / "images/train/ant/notes.txt").write_text("junk")
    (tmp_path / "images/train/ant/linked").symlink_to(tmp_path / "images/train/bee")
    found = list_folder(tmp_path, ImageFolderSource(path="images/train"))
    assert found.left_out == (
        ("ant/linked", "a link to a folder"),
        ("ant/notes.txt", "no image suffix"),
        ("stray.png", "beside the class folders"),
    )
    err = capsys.readouterr().err
    assert "1 image(s) in train beside the class folders are left out" in err
    assert "1 link(s) in train to folders are left out" in err
    assert "notes.txt" not in err


def test_a_class_that_is_a_link_to_elsewhere_is_refused(root):
    (root / "elsewhere").mkdir()
    save(root / "elsewhere/1.png", picture(0, 1))
    for part in ("train", "test"):
        (root / "images" / part / "dog").symlink_to(root / "elsewhere")
    assert "train/ has links to folders elsewhere: dog" in refusal(root)
