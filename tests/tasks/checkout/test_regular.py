"""What stands in the place of a file is refused at once, and never waited for."""

import os
import socket

import pytest
from world import ROOT

from flows.cli.lethe_verify import main
from tasks.checkout.files import read_record
from tasks.checkout.regular import open_regular, read_regular
from tasks.keys.folder import load_signer
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.approval import Approval

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(params=["a pipe", "a folder", "a device", "a socket"])
def thing(request, tmp_path, monkeypatch):
    """Something that is no file, and what it is called."""
    path = tmp_path / "thing"
    match request.param:
        case "a pipe":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case "a device":
            path.symlink_to("/dev/zero")
        case "a socket":
            monkeypatch.chdir(tmp_path)  # the path of a socket must be short
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("thing")
    return path, request.param


def test_it_is_not_opened(thing):
    path, what = thing
    with pytest.raises(OSError, match="No such device" if what == "a socket" else what):
        open_regular(path)


def test_a_file_is_read_up_to_the_limit(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    assert (read_regular(tmp_path / "file"), read_regular(tmp_path / "file", 3)) == (b"content", b"con")


@pytest.mark.parametrize("place", ["certificate", "model", "key", "trusted"])
def test_lethe_verify_names_it(thing, place, tmp_path, monkeypatch, capsys):
    path, _ = thing
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "trusted").mkdir(parents=True)
    files = {"certificate": GOLDEN / "certificate-v1.dsse.json", "key": GOLDEN / "certificate-v1.pub"}
    files["model"] = files["key"]
    if place == "trusted":
        path = tmp_path / "home" / "trusted" / "one.pub"
        path.symlink_to(thing[0])
        del files["key"]
    files |= {place: path} if place != "trusted" else {}
    options = [part for name in ("model", "key") if name in files for part in (f"--{name}", str(files[name]))]
    assert main([str(files["certificate"]), *options]) == 2
    said = capsys.readouterr()
    assert (said.out, str(path) in said.err) == ("", True)


def test_a_record_and_a_secret_are_read_in_the_same_way(thing, tmp_path, monkeypatch):
    path, _ = thing
    with pytest.raises(PipelineError, match=str(path)):
        read_record(path, Approval)
    monkeypatch.setenv("LETHE_SIGNING_KEY", str(path))
    with pytest.raises(SetupError, match=str(path)):
        load_signer()
