"""``lethe judge`` in a real checkout: strangers' models, Lethe's own, and files that are none."""

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from templates import served_checkout
from torch.nn.functional import cross_entropy
from world import NOISE, files_of, lethe

from flows.cli.lethe_verify import main as verify
from flows.verify import verify_judgement
from tasks.checkout.checkout import Checkout
from tasks.checkout.files import file_digest, read_record
from tasks.computing.checkpoints import WEIGHTS, load_checkpoint
from tasks.computing.materials import read_split, retain_mask
from tasks.data.pool import Pool
from tasks.evidence.judged import HANDED_IN
from unlearn_core.audit.attempts import accepted_rung
from unlearn_core.audit.envelope import decode_envelope, read_judged
from unlearn_core.records.deletion import DeletionRecord
from unlearn_core.records.judged import HandedIn

pytestmark = [*NOISE, pytest.mark.long]

BY = "Ada of Acme"


@pytest.fixture(scope="module")
def served(own_folders, tmp_path_factory):
    """A project that has forgotten the digit 3."""
    return Checkout(served_checkout(tmp_path_factory.mktemp("judge") / "project"))


@pytest.fixture(scope="module")
def stranger(served, tmp_path_factory):
    """The project's model after somebody else's loop: plain torch, without the digit 3."""
    torch.manual_seed(0)
    net = load_checkpoint(served.parent)[0].train()
    pool = Pool(served, torch.device("cpu"))
    kept = pool.take(retain_mask(read_split(served), pool.manifest))
    torch.nn.init.zeros_(list(net.parameters())[-2][3])
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
    for _ in range(4):
        for rows in torch.randperm(len(kept)).split(64):
            optimizer.zero_grad()
            cross_entropy(net(kept.inputs[rows]), kept.labels[rows]).backward()
            optimizer.step()
    path = tmp_path_factory.mktemp("theirs") / "theirs.safetensors"
    save_file(net.state_dict(), path)
    return path


def lasting(checkout):
    """Return every file of a project but caches, git's index among them, and the evidence of judgements."""
    aside = {".lethe", "judged", "tmp", "__pycache__", "index"}
    return {
        path: content
        for path, content in files_of(checkout.root).items()
        if not aside & {*Path(path).relative_to(checkout.root).parts}
    }


def changed(before, after):
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def judge(checkout, candidate, *options):
    code, out, err = lethe(checkout.root, "judge", str(candidate), "--request", "demo", *options, "--json")
    return code, json.loads(out), err


@pytest.fixture(scope="module")
def judged(served, stranger):
    before = lasting(served)
    code, told, _ = judge(served, stranger, "--by", BY)
    assert changed(before, lasting(served)) == []
    return code, told


def read(checkout, told):
    raw = (checkout.root / told["certificate"]).read_bytes()
    return read_judged(decode_envelope(raw).payload).predicate


def test_a_model_made_by_plain_torch_is_judged_certified_and_verified(served, stranger, judged, capsys):
    code, told = judged
    assert (code, told["ending"], told["kind"]) == (0, "passes", "judged, not made")
    certificate = str(served.root / told["certificate"])
    assert verify([certificate, "--model", str(stranger), "--request", "demo"]) == 0
    assert "judged, not made" in capsys.readouterr().out
    assert verify([certificate, "--model", str(served.parent / WEIGHTS)]) == 6


def test_the_report_says_what_was_found_and_what_nobody_knows(served, judged):
    _, told = judged
    page = (served.root / told["report"]).read_text()
    assert "behaves as if it had never seen what request demo names" in page
    assert "Lethe did not make this model" in page
    assert "only its maker knows" in page
    assert BY not in page


def test_lethe_verify_finds_it_among_the_certificates_and_notices_a_forgery(served, judged, tmp_path):
    certificate = served.root / judged[1]["certificate"]
    checked = verify_judgement(certificate)
    assert (checked["request"], checked["result"]) == ("demo (judged)", "verified")
    assert certificate in served.with_judgements()
    forged = tmp_path / "r-1" / "judged" / "0" / certificate.name
    forged.parent.mkdir(parents=True)
    forged.write_bytes(certificate.read_bytes())
    assert "about request demo, not r-1" in verify_judgement(forged)["result"]
    forged.write_bytes(served.certificate("demo").read_bytes())
    assert "expected a model that was judged" in verify_judgement(forged)["result"]


def test_who_handed_it_in_stays_here(served, judged):
    _, told = judged
    certified, folder = read(served, told), (served.root / told["certificate"]).parent
    kept = read_record(folder / HANDED_IN, HandedIn)
    assert (kept.by, certified.handed_in) == (BY, kept.digest)
    assert BY.encode() not in decode_envelope((served.root / told["certificate"]).read_bytes()).payload


def test_lethes_own_result_gets_the_same_findings_bit_for_bit(served):
    rung = accepted_rung(read_record(served.deletion, DeletionRecord))
    code, told, _ = judge(served, served.unlearned / WEIGHTS)
    certified = read(served, told)
    assert code == 0
    assert certified.judgement.verdict.canonical() == rung.verdict.canonical()
    assert certified.judgement.unlearned.canonical() == rung.evaluation.canonical()
    assert certified.models.candidate == certified.models.measured == rung.unlearning.weights
    assert certified.handed_in is None


def test_a_model_that_forgot_nothing_fails_and_is_certified_all_the_same(served, tmp_path, capsys):
    tensors = load_file(served.parent / WEIGHTS)
    name = next(name for name, one in tensors.items() if one.is_floating_point())
    save_file({**tensors, name: tensors[name] + 1e-3}, tmp_path / "same.safetensors")
    code, told, _ = judge(served, tmp_path / "same.safetensors")
    assert (code, told["ending"], told["verdict"]["verdict"]) == (5, "fails", "under_forgotten")
    assert verify([str(served.root / told["certificate"])]) == 5
    assert "under-forgotten" in capsys.readouterr().out.splitlines()[0]


def make_huge(path):
    """Write a valid file of a terabyte, all of it a hole."""
    size = 1 << 40
    head = json.dumps({"junk": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + size)


def bad_files(checkout, folder):
    """Return files that cannot be judged, with what is said of each."""
    tensors = load_file(checkout.parent / WEIGHTS)
    name, kernel = next((name, one) for name, one in tensors.items() if one.is_floating_point())
    head = next(name for name, one in tensors.items() if one.ndim == 2)
    broken = {
        "is not finite": {**tensors, name: torch.full_like(kernel, float("nan"))},
        "are not finite; the model is unusable": {**tensors, head: tensors[head].sign() * 3e38},
        "the net has [": {**tensors, name: kernel[:1]},
        "the net has float32": {key: one.half() for key, one in tensors.items() if one.is_floating_point()},
        "is missing": {key: one for key, one in tensors.items() if key != name},
        "number for number": {key: one.clone() for key, one in tensors.items()},
    }
    for number, (said, content) in enumerate(broken.items()):
        path = folder / f"{number}.safetensors"
        save_file(content, path, metadata={"handed": "in"})
        yield path, said
    link, pipe, text, huge = (folder / one for one in ("link", "pipe", "text", "huge"))
    link.symlink_to(checkout.unlearned / WEIGHTS)
    os.mkfifo(pipe)
    text.write_bytes(b"\x80\x04K\x01.")
    make_huge(huge)
    yield from ((link, "is a link"), (pipe, "it is a pipe"), (folder, "it is a folder"))
    yield from ((text, "not a safetensors file"), (huge, "are not read"), (folder / "none", "No such file"))


def test_what_cannot_be_judged_is_refused_in_words_and_changes_nothing(served, tmp_path):
    before, evidence = lasting(served), files_of(served.evidence("demo"))
    for path, said in bad_files(served, tmp_path):
        code, told, _ = judge(served, path)
        assert (code, said) == (2, said if said in str(told.get("reason")) else told)
    assert changed(before, lasting(served)) == []
    assert files_of(served.evidence("demo")) == evidence
    assert not (served.lethe / "judging").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--request", "none"), "there is no request 'none'"),
        (("--request", "demo", "--class", "4"), "taken by a request with another scope"),
        (("--request", "r-9", "--class", "11"), "11"),
        (("--request", "demo", "--architecture", "theirs:net"), "theirs"),
        (("--request", "demo", "--by", "Ada\nof Acme"), "--by is not one line"),
    ],
)
def test_what_was_asked_wrongly_is_refused(served, stranger, options, said):
    code, out, _ = lethe(served.root, "judge", str(stranger), *options, "--json")
    assert (code, said in json.loads(out)["reason"], "Ada" in out) == (2, True, False), out


def test_another_net_that_the_operator_names_is_judged_too(served, tmp_path):
    code = (
        "import torch\n\n\ndef net(classes, input_shape):\n    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(\n"
        "        torch.nn.Flatten(), torch.nn.Linear(input_shape[1] * input_shape[2], 16), torch.nn.ReLU(),\n"
        "        torch.nn.Linear(16, classes)\n    )\n"
    )
    (served.root / "theirs.py").write_text(code)
    try:
        namespace = {}
        exec(code, namespace)
        save_file(namespace["net"](10, (1, 8, 8)).state_dict(), tmp_path / "other.safetensors")
        exit_code, told, err = judge(served, tmp_path / "other.safetensors", "--architecture", "theirs:net")
        make_huge(tmp_path / "huge.safetensors")
        refused, why, _ = judge(served, tmp_path / "huge.safetensors", "--architecture", "theirs:net")
    finally:
        (served.root / "theirs.py").unlink()
    assert exit_code in {0, 5, 8}, (told, err)
    assert (refused, "are not read" in why["reason"]) == (2, True), why
    net = read(served, told).net
    assert (net.name, net.code.startswith("sha256:")) == ("theirs:net", True)


def test_a_judgement_is_an_event_where_a_ledger_has_the_request(served):
    code, _, err = lethe(served.root, "request", "submit", "demo", "--class", "3")
    assert code == 0, err
    _, told, _ = judge(served, served.unlearned / WEIGHTS)
    _, out, _ = lethe(served.root, "request", "show", "demo", "--json")
    shown = json.loads(out)
    last = shown["events"][-1]
    assert (last["action"], last["before"], last["after"]) == ("judge", "received", "received")
    assert last["deletion"] == file_digest(served.root / told["certificate"])
    assert last["reason"].startswith("passes: judged, not made")
    assert shown["history"]["runs"] == []
    assert read(served, told).ledger is not None
    assert lethe(served.root, "request", "verify")[0] == 0
