"""A row is found wherever a copy of it was hidden, and another one that was hidden beside it is not."""

import base64
import gzip
import hashlib
import io
import json
import sqlite3
import subprocess
import zipfile

import numpy as np
import pytest
from world import NOISE, make_checkout

from tasks.checkout.checkout import Checkout
from tasks.data.datasets import each_image, read_manifest
from tasks.data.digits import Digits
from tasks.keys.signing import load_pseudonym_key, pseudonymise
from tasks.storage.versioning import track
from tasks.traces.following import Question, trace
from tasks.traces.stores import not_searched, stores_of
from unlearn_core.data import open_image
from unlearn_core.errors import RequestError
from unlearn_core.progress import ignore_step
from unlearn_core.records.params import DigitsSource

pytestmark = NOISE

SOUGHT, CONTROL = "digit-0003", "digit-0007"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A project with a data set, which DVC keeps too."""
    found = Checkout(make_checkout(tmp_path_factory.mktemp("traces") / "project"))
    Digits().make(found, DigitsSource())
    (found.root / "data" / "generations").mkdir()
    found.dataset.rename(found.root / "data" / "generations" / "kept")
    track(found.root, found.root / "data" / "generations" / "kept")
    return found


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """Nothing of this machine's own is read."""
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def image_of(checkout, sample):
    manifest = read_manifest(checkout.root / "data" / "generations" / "kept")
    (image,) = each_image(checkout.root / "data" / "generations" / "kept", manifest.sample_ids == sample)
    return image


def follow(checkout, kind="sample", name=SOUGHT):
    return trace(stores_of(checkout), Question(kind, name), beyond=not_searched(), on_step=ignore_step)


def places(lineage):
    return {(one.store, one.address): one.kinds for one in lineage.traces}


def zipped(content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside/file", content)
    return stream.getvalue()


def saved(array):
    stream = io.BytesIO()
    np.savez_compressed(stream, images=np.stack([np.zeros_like(array), array]))
    return stream.getvalue()


def pixels(image):
    return np.asarray(open_image(image))


def as_bitmap(image):
    stream = io.BytesIO()
    open_image(image).save(stream, "BMP")
    return stream.getvalue()


def database(tmp_path, value):
    path = tmp_path / "made.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE things (number INTEGER, value BLOB, other TEXT)")
        made.execute("INSERT INTO things VALUES (5, ?, 'other')", (value,))
    made.close()
    content = path.read_bytes()
    path.unlink()
    return content


def keyed(sample):
    return pseudonymise(load_pseudonym_key(), "sample", sample).encode()


HIDDEN = {
    "the file itself": (lambda image, _name, _: image, "image"),
    "a file with something before it": (lambda image, _name, _: b"\1\2\3" + image + b"\4", "image"),
    "a page, in Base64": (
        lambda image, _name, _: b'<img src="data:;base64,' + base64.b64encode(image) + b'">',
        "image",
    ),
    "JSON, in Base64 after two bytes": (
        lambda image, _name, _: json.dumps({"i": base64.b64encode(b"ab" + image).decode()}).encode(),
        "image",
    ),
    "a text, in Base64 for addresses": (
        lambda image, _name, _: base64.urlsafe_b64encode(b"a" + image),
        "image",
    ),
    "JSON, with escaped slashes": (
        lambda image, _name, _: base64.b64encode(b"a" + image).replace(b"/", b"\\/"),
        "image",
    ),
    "mail": (lambda image, _name, _: base64.encodebytes(b"ab" + image), "image"),
    "a zip archive": (lambda image, _name, _: zipped(image), "image"),
    "a zip archive in a zip archive": (lambda image, _name, _: zipped(zipped(image)), "image"),
    "gzip": (lambda image, _name, _: gzip.compress(image), "image"),
    "another format": (lambda image, _name, _: as_bitmap(image), "pixels"),
    "NumPy's archive, as bytes": (lambda image, _name, _: saved(pixels(image)), "pixels"),
    "NumPy's archive, as numbers": (
        lambda image, _name, _: saved(pixels(image).astype(np.float32) / np.float32(255)),
        "pixels",
    ),
    "a database, as a value": (lambda image, _name, folder: database(folder, image), "image"),
    "a database, as a name": (lambda _image, name, folder: database(folder, name), "id"),
    "a log": (lambda _image, name, _: b"12:00 read " + name.encode() + b".\n", "id"),
    "a list of digests": (lambda image, _name, _: b"\1\2" + hashlib.sha256(image).digest(), "digest"),
    "a tag": (lambda _image, name, _: keyed(name), "pseudonym"),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_a_hidden_copy_is_found_and_the_control_is_not(checkout, tmp_path, place):
    hide, kind = HIDDEN[place]
    planted = {name: checkout.root / "mlruns" / "artifacts" / name[-1] for name in (SOUGHT, CONTROL)}
    for name, path in planted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(hide(image_of(checkout, name), name, tmp_path))
    found = places(follow(checkout))
    for path in planted.values():
        path.unlink()
    assert kind in found["mlruns", "artifacts/3"]
    assert ("mlruns", "artifacts/7") not in found


def test_the_data_set_is_found_in_the_project_and_in_dvcs_cache(checkout):
    lineage = follow(checkout)
    assert lineage.rows == 1
    assert [card.name for card in lineage.data] == ["digits"]
    holding = {store for (store, _), kinds in places(lineage).items() if "image" in kinds}
    assert holding >= {"project", "dvc cache"}


def test_a_data_set_that_only_dvcs_cache_still_has_is_known_by_its_card(checkout, tmp_path):
    kept, away = checkout.root / "data" / "generations" / "kept", tmp_path / "away"
    kept.rename(away)
    try:
        lineage = follow(checkout)
    finally:
        away.rename(kept)
    assert lineage.rows == 1
    assert len(lineage.data) == 1
    assert {store for store, _ in places(lineage)} == {"dvc cache"}


def test_what_no_branch_of_git_leads_to_is_found(checkout):
    command = ["git", "-C", str(checkout.root), "hash-object", "-w", "--stdin"]
    image = image_of(checkout, SOUGHT)
    digest = subprocess.run(command, input=image, capture_output=True, check=True).stdout.decode().strip()
    assert "image" in places(follow(checkout))["git", f"blob {digest}"]


def test_a_file_below_git_that_is_no_object_is_searched(checkout):
    image = image_of(checkout, SOUGHT)
    strays = [
        ".git/lfs/objects/aa/bb/copy",
        ".git/objects/copy",
        ".git/objects/pack/tmp_pack",
        f".git/objects/{'0' * 38}",
    ]
    for stray in strays:
        (checkout.root / stray).parent.mkdir(parents=True, exist_ok=True)
        (checkout.root / stray).write_bytes(image)
    found = places(follow(checkout))
    for stray in strays:
        (checkout.root / stray).unlink()
    assert all("image" in found["project", stray] for stray in strays)
    assert not any(
        ".git/objects" in address for _, address in found.keys() - {("project", one) for one in strays}
    )


def test_an_id_in_the_name_of_a_file_is_found(checkout):
    planted = [checkout.root / "mlruns" / f"{name}.txt" for name in (SOUGHT, CONTROL, f"{SOUGHT}0")]
    for path in planted:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    found = places(follow(checkout))
    for path in planted:
        path.unlink()
    assert found["mlruns", f"{SOUGHT}.txt"] == ("id",)
    assert not found.keys() & {("mlruns", path.name) for path in planted[1:]}


@pytest.mark.parametrize(
    "written",
    [
        lambda name: json.dumps(f"id\n{name}\n").encode(),
        lambda name: f"7%20{name}".encode(),
        lambda name: f"7 {name}".encode("utf-16"),
    ],
    ids=["JSON", "an address", "UTF-16"],
)
def test_an_id_is_found_however_a_program_writes_it(checkout, written):
    path = checkout.root / "mlruns" / "log"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(written(SOUGHT))
    found = places(follow(checkout))
    path.write_bytes(written(CONTROL) + written(f"{SOUGHT}0"))
    other = places(follow(checkout))
    path.unlink()
    assert found["mlruns", "log"] == ("id",)
    assert ("mlruns", "log") not in other


def test_a_link_out_of_the_project_is_named_as_not_searched(checkout, tmp_path):
    link = checkout.root / "linked"
    link.symlink_to(tmp_path)
    lineage = follow(checkout)
    link.unlink()
    assert any(one.startswith("project: linked: a link") for one in lineage.beyond)


def test_a_clone_of_a_worker_and_a_replay_that_was_cut_short_are_searched(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("LETHE_WORK", str(tmp_path / "work"))
    for folder in ("work/clone/data", "lethe-replay-1/checkout"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "copy").write_bytes(image_of(checkout, SOUGHT))
    found = places(follow(checkout))
    assert "image" in found["workers", "clone/data/copy"]
    assert "image" in found["lethe-replay-1", "checkout/copy"]


def test_every_version_in_a_bucket_is_searched_also_of_what_was_deleted(checkout, s3, bucket, monkeypatch):
    monkeypatch.setenv("LETHE_S3_BUCKET", bucket)
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = s3.client.put_object(Bucket=bucket, Key="a/b", Body=image_of(checkout, SOUGHT))
    s3.client.put_object(Bucket=bucket, Key="a/b", Body=b"something else")
    s3.client.delete_object(Bucket=bucket, Key="a/b")
    found = places(follow(checkout))
    assert "image" in found["bucket", f"a/b (version {put['VersionId']})"]
    assert ("bucket", "a/b") not in found


def test_a_person_is_followed_by_all_their_rows(checkout):
    manifest = read_manifest(checkout.root / "data" / "generations" / "kept")
    person = manifest.subject_ids[manifest.sample_ids == SOUGHT][0]
    lineage = follow(checkout, "subject", person)
    assert lineage.rows == (manifest.subject_ids == person).sum()
    assert lineage.asked.name == pseudonymise(load_pseudonym_key(), "subject", person)
    assert person not in lineage.model_dump_json()


def test_an_id_that_no_data_set_has_is_an_answer_and_a_class_is_not(checkout):
    assert follow(checkout, "sample", "digit-9999").rows == 0
    with pytest.raises(RequestError, match="unknown class"):
        follow(checkout, "class", "banana")


@pytest.mark.parametrize("start", [b"PAR1", b"PK\3\4", b"\x1f\x8b", b"SQLite format 3\0", b"\x89PNG", b"BM"])
def test_what_only_begins_like_a_kind_is_searched_as_it_is(checkout, start):
    path = checkout.root / "mlruns" / "artifacts" / "odd"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(start + b"\n" * 20 + image_of(checkout, SOUGHT))
    assert "image" in places(follow(checkout))["mlruns", "artifacts/odd"]
    path.unlink()


def test_what_is_packed_too_deep_or_too_large_is_named_and_not_left_out(checkout, monkeypatch):
    deep = SOUGHT.encode()
    for _ in range(1200):
        deep = gzip.compress(deep, 1)
    large = gzip.compress(bytes(2**16))
    monkeypatch.setattr("tasks.traces.unpacking.MOST_BYTES", 2**16 - 1)
    planted = {"deep": deep, "large": large, "zip": zipped(bytes(2**16)), "fits": gzip.compress(bytes(2**15))}
    folder = checkout.root / "mlruns"
    folder.mkdir(exist_ok=True)
    for name, content in planted.items():
        (folder / name).write_bytes(content)
    beyond = "".join(follow(checkout).beyond)
    for name in planted:
        (folder / name).unlink()
    assert [name for name in planted if f"mlruns: {name}" in beyond] == ["deep", "large", "zip"]
