"""Who and what is in a data set: counted, and found by id, by person, by file or by digest."""

import io

import numpy as np
import pyarrow as pa
import pytest
from kinds_of_images import every_kind
from PIL import Image
from world import content, manifest

from tasks.data.datasets import write_shard
from tasks.data.fingerprints import _decode
from tasks.data.searching import contents_of, find_rows, persons_in
from tasks.data.showing import in_blocks, save_picture
from unlearn_core.data import open_image
from unlearn_core.errors import RequestError, SetupError, UsageError
from unlearn_core.records.base import sha256
from unlearn_core.records.earlier import EarlierRequest

ROWS = manifest("aabbcc", "rtrurr", subjects="x-xx-y", contents=[0, 1, 2, 3, 4, 0])


def ids(*given, **only):
    return [one.sample for one in find_rows(ROWS, *given, **only)]


def test_what_is_in_a_data_set_is_counted_by_class_split_and_person():
    found = contents_of(ROWS, [EarlierRequest(request="r-1", kind="classes", classes=(1,))])
    assert [one.splits["train"] for one in found.classes] == [1, 1, 2]
    assert [one.forgotten_by for one in found.classes] == [(), ("r-1",), ()]
    assert (found.rows, found.persons, found.rows_of_persons) == (6, 2, 4)
    assert found.without_held_out == ("b", "c")
    assert {one.person: sum(one.splits.values()) for one in persons_in(ROWS)} == {"x": 3, "y": 1}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("row-003", ["row-003"]),
        ("y", ["row-005"]),
        (content(0), ["row-000", "row-005"]),
        (content(1)[7:20].upper(), ["row-001"]),
        ("-004", ["row-004"]),
    ],
)
def test_rows_are_found_by_id_person_digest_or_a_part_of_an_id(wanted, found):
    assert ids(wanted) == found


def test_rows_are_found_by_a_file_with_the_same_bytes(tmp_path):
    (tmp_path / "other name.png").write_bytes(b"2")
    assert ids(str(tmp_path / "other name.png")) == ["row-002"]


def test_rows_of_a_class_and_a_split_are_listed():
    assert ids(None, label="c", split="train") == ["row-004", "row-005"]
    assert ids("x", label="b") == ["row-002", "row-003"]


def test_who_finds_nothing_is_told_the_nearest_id_which_no_kept_log_gets(monkeypatch):
    with pytest.raises(RequestError, match=r"row-0001; did you mean row-001\?"):
        ids("row-0001")
    monkeypatch.setenv("LETHE_LOG", "json")
    with pytest.raises(RequestError, match="what was looked for; expected"):
        ids("row-0001")


def test_a_picture_is_saved_into_a_new_file_alone(tmp_path):
    save_picture(tmp_path / "a.png", b"picture")
    assert (tmp_path / "a.png").read_bytes() == b"picture"
    with pytest.raises(SetupError, match=r"a\.png exists"):
        save_picture(tmp_path / "a.png", b"other")
    assert (tmp_path / "a.png").read_bytes() == b"picture"


def test_a_picture_is_shown_as_two_pixels_a_letter():
    pixels, encoded = np.zeros((4, 3), dtype=np.uint8), io.BytesIO()
    pixels[1, 2] = 200
    Image.fromarray(pixels).save(encoded, format="PNG")
    shown = in_blocks(encoded.getvalue())
    assert shown.plain.split() == ["\u2580" * 3] * 2
    assert str(shown.spans[2].style) == "rgb(0,0,0) on rgb(200,200,200)"


def test_no_decoder_of_another_format_shows_compares_or_trains_on_a_picture(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: started.append(1))
    raw, _ = every_kind()["postscript.png"]
    write_shard(tmp_path / "shard-00000.parquet", pa.table({"image": [raw], "sha256": [sha256(raw)]}))
    with pytest.raises(UsageError, match="format EPS"):
        in_blocks(raw)
    with pytest.raises(UsageError, match="format EPS"):
        open_image(raw)
    with pytest.raises(UsageError, match="format EPS"):
        _decode(tmp_path, manifest("a", "r"), np.array([True]))
    assert started == []
