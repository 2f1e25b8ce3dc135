"""``lethe-verify``: what it says, how it exits, what it loads."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flows.cli.lethe_verify import main
from tasks.keys.folder import public_pem
from tasks.keys.signing import key_id, read_public_key, sign_statement
from unlearn_core.audit.certificate import check
from unlearn_core.audit.envelope import MAX_BYTES, decode_envelope, read_statement
from unlearn_core.audit.policy import judge
from unlearn_core.errors import EvidenceError
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.certificate import Judgement, Statement

GOLDEN = Path(__file__).parents[2] / "golden"
CERTIFICATE, PUBLIC = GOLDEN / "certificate-digits.dsse.json", GOLDEN / "certificates-2026-11.pub"
FIRST, FIRST_PUBLIC = GOLDEN / "certificate-v1.dsse.json", GOLDEN / "certificate-v1.pub"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FALSE, NOT_CHECKED, NOT_JUDGED_AGAIN = 6, 2, 7


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys in a folder of the test's own, which trusts nobody yet."""
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "trusted").mkdir(parents=True)
    return tmp_path / "home"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def issued(folder: Path, *, model: bytes, note: str | None = None, **told: object) -> tuple[Path, Path, Path]:
    """Issue a certificate for a model; return certificate, model and public key files."""
    text = decode_envelope(CERTIFICATE.read_bytes()).payload.decode()
    old = json.loads(text)["predicate"]["models"]["unlearned"]
    new = sha256(model)
    tree = json.loads(text.replace(old.removeprefix("sha256:"), new.removeprefix("sha256:")))
    tree["predicate"] |= {"note": note, **told}
    raw = sign_statement(Statement.parse(canonical_json(tree)), KEY)
    files = folder / "c.dsse.json", folder / "model.safetensors", folder / "issuer.pub"
    for path, content in zip(files, (raw, model, public_pem(KEY.public_key())), strict=True):
        path.write_bytes(content)
    return files


def test_it_says_who_what_and_when(capsys: pytest.CaptureFixture[str]):
    assert run(CERTIFICATE, "--key", PUBLIC) == 0
    said = capsys.readouterr()
    assert said.err == ""
    statement = read_statement(decode_envelope(CERTIFICATE.read_bytes()).payload)
    for part in (
        key_id(read_public_key(PUBLIC)),
        "verified: behaves\n",
        "demo",
        "svd",
        "passes",
        "E1, one retrained model",
        f"{statement.predicate.models.unlearned} (no file compared",
        "2026-11-29T22:14:07Z to 2026-11-29T22:14:37Z",
        "commit bc7b7bf034429aa8",
    ):
        assert part in said.out


def rows_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_it_shows_what_was_measured_and_what_was_allowed(capsys: pytest.CaptureFixture[str]):
    assert run(CERTIFICATE, "--key", PUBLIC) == 0
    rows = rows_of(capsys.readouterr().out)
    assert ["accuracy.test.forget", "100.0", "%", "0.0", "%", "0.0", "%"] in rows
    assert ["accuracy.audit.forget", "behaves", "0", "-0.08", "to", "0.08", "1", "inside"] in rows


@pytest.fixture
def vacuous(tmp_path: Path) -> tuple[Path, Path]:
    """Issue a certificate for a model that knows the class, under a policy with one absurdly wide band."""
    tree = json.loads(decode_envelope(CERTIFICATE.read_bytes()).payload)
    told = tree["predicate"]["judgement"]
    for one in told["unlearned"]["measurements"]:
        if "accuracy" in one["name"] and one["name"].endswith("forget"):
            one |= {"value": 0.97, "low": None, "high": None}
    told["policy"]["classes"] = [
        {
            "measurement": "accuracy.train.forget",
            "below": 1.0,
            "above": 0.98,
            "below_means": "over_forgotten",
            "above_means": "under_forgotten",
            "lowest": None,
            "highest": None,
            "least_samples": 0,
        }
    ]
    return judged_anew(tmp_path, tree)


def judged_anew(folder: Path, tree: dict[str, Any]) -> tuple[Path, Path]:
    """Issue a changed certificate with the verdict that follows; return certificate and public key files."""
    told = tree["predicate"]["judgement"]
    judged = Judgement.parse(canonical_json(told))
    assert judged.policy is not None
    verdict = judge(
        judged.policy, "classes", judged.unlearned, original=judged.original, references=judged.references
    )
    told["verdict"] = json.loads(verdict.canonical())
    (folder / "c.dsse.json").write_bytes(sign_statement(Statement.parse(canonical_json(tree)), KEY))
    (folder / "issuer.pub").write_bytes(public_pem(KEY.public_key()))
    return folder / "c.dsse.json", folder / "issuer.pub"


def test_a_policy_that_asks_for_nothing_does_not_go_unnoticed(
    vacuous: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
):
    certificate, key = vacuous
    assert run(certificate, "--key", key) == 0
    said = capsys.readouterr().out
    assert ["accuracy.test.forget", "100.0", "%", "97.0", "%", "0.0", "%"] in rows_of(said)
    assert "asks for less than the policy that Lethe ships:" in said
    assert "accuracy.train.forget: below is 1, not 0.05, above is 0.98, not 0.05" in said
    assert "accuracy.audit.forget has no band (behaves)" in said
    assert run(certificate, "--key", key, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["findings"][0]["highest"] == pytest.approx(0.98)
    assert "accuracy.audit.forget has no band (behaves)" in document["weaker_than_shipped"]


def test_a_band_that_was_not_judged_does_not_go_unnoticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tree = json.loads(decode_envelope(CERTIFICATE.read_bytes()).payload)
    told = tree["predicate"]["judgement"]
    models, silent = [told["original"], told["unlearned"], *told["references"]], "accuracy.audit.retain"
    for model in models:
        model["measurements"] = [one for one in model["measurements"] if one["name"] != silent]
        model["unmeasured"] = [{"name": silent, "reason": "one class is left"}]
    tree["predicate"]["drift"]["accuracy"] = None
    (few,) = (one for one in told["unlearned"]["measurements"] if one["name"] == "mia.loss_auc")
    few["samples"] = 3
    (band,) = (one for one in told["policy"]["classes"] if one["measurement"] == "mia.loss_auc")
    band["least_samples"] = 30
    certificate, key = judged_anew(tmp_path, tree)
    assert run(certificate, "--key", key) == 0
    said = capsys.readouterr().out.partition("could not be asked:")[2]
    assert f"whether {silent} is inside the policy's band: one class is left" in said
    assert "whether mia.loss_auc is inside the policy's band: it rests on fewer than 30 samples" in said


def test_the_policy_that_was_agreed_on_is_compared(
    tmp_path: Path, vacuous: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
):
    policy = read_statement(decode_envelope(CERTIFICATE.read_bytes()).payload).predicate.judgement.policy
    assert policy is not None
    (tmp_path / "params.yaml").write_text(f"policy: {policy.canonical().decode()}\nrun: {{}}\n")
    for agreed in (policy.digest, tmp_path / "params.yaml"):
        assert run(CERTIFICATE, "--key", PUBLIC, "--policy", agreed) == 0
        assert run(vacuous[0], "--key", vacuous[1], "--policy", agreed) == FALSE
    assert f"not under {policy.digest}" in capsys.readouterr().err
    for absent in (tmp_path / "absent.yaml", tmp_path, "/dev/zero", "x" * 5000):
        assert run(CERTIFICATE, "--key", PUBLIC, "--policy", absent) == NOT_CHECKED


def test_the_request_that_was_asked_about_is_compared(capsys: pytest.CaptureFixture[str]):
    assert run(CERTIFICATE, "--key", PUBLIC, "--request", "demo") == 0
    assert run(CERTIFICATE, "--key", PUBLIC, "--request", "r-7") == FALSE
    assert "about request demo, not r-7" in capsys.readouterr().err


def test_a_certificate_without_its_policy_is_not_called_verified(capsys: pytest.CaptureFixture[str]):
    assert run(FIRST, "--key", FIRST_PUBLIC) == NOT_JUDGED_AGAIN
    said = capsys.readouterr().out
    assert said.startswith("signed, but not judged again: behaves\n")
    assert "whether the verdict follows from the numbers: the policy is not in it" in said
    assert run(FIRST, "--key", FIRST_PUBLIC, "--json") == NOT_JUDGED_AGAIN
    assert json.loads(capsys.readouterr().out)["verified"] is False


def test_without_a_retrained_model_neither_claim_is_in_the_first_line(capsys: pytest.CaptureFixture[str]):
    assert run(GOLDEN / "certificate-subject.dsse.json", "--key", PUBLIC) == 0
    said = capsys.readouterr().out
    assert said.startswith("verified: within fixed limits\n")
    assert "whether the model behaves like a retrained one: none is in it" in said


def test_it_tells_what_was_tried_before_and_what_was_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    refused = {"began": "2026-11-20T10:00:00Z", "result": "refused", "policy": None}
    history = {"source": "ledger", "policy_at_receipt": sha256(b"another"), "runs": [refused, refused]}
    asked = {"request": "r-1", "outcome": "not_asked", "why": "nothing of it was kept", "retrained": []}
    earlier = [{**asked, "parent": None, "candidate": None}]
    certificate, _, key = issued(tmp_path, model=b"weights", history=history, earlier=earlier)
    assert run(certificate, "--key", key) == 0
    said = capsys.readouterr().out
    assert "runs       before this one: 2 refused (ledger); the policy was changed meanwhile" in said
    assert "r-1: not asked: nothing of it was kept" in said


def test_it_believes_the_trust_folder(home: Path):
    assert run(CERTIFICATE) == NOT_CHECKED
    shutil.copy(PUBLIC, home / "trusted")
    assert run(CERTIFICATE) == 0


def test_a_given_key_is_the_only_one_believed(home: Path, tmp_path: Path):
    shutil.copy(PUBLIC, home / "trusted")
    (tmp_path / "other.pub").write_bytes(public_pem(KEY.public_key()))
    assert run(CERTIFICATE, "--key", tmp_path / "other.pub") == FALSE


def test_a_key_beside_the_certificate_is_not_believed(home: Path, tmp_path: Path):
    shutil.copy(PUBLIC, home / "trusted")
    certificate, _, _ = issued(tmp_path, model=b"weights")
    assert run(certificate) == FALSE


def test_the_model_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    certificate, model, key = issued(tmp_path, model=b"weights")
    assert run(certificate, "--key", key, "--model", model) == 0
    assert "(this file)" in capsys.readouterr().out
    model.write_bytes(b"Weights")
    assert run(certificate, "--key", key, "--model", model) == FALSE
    said = capsys.readouterr()
    assert said.out == ""
    assert sha256(b"Weights") in said.err


def test_json_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    certificate, model, key = issued(tmp_path, model=b"weights", note="watch this")
    assert run(certificate, "--key", key, "--model", model, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["verified"] is True
    assert said["model_checked"] is True
    assert said["model"] == sha256(b"weights")
    assert said["signed_by"] == key_id(KEY.public_key())
    assert said["note"] == "watch this"


def test_json_tells_of_failures_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    certificate, _, key = issued(tmp_path, model=b"weights")
    certificate.write_bytes(certificate.read_bytes()[:-1])
    assert run(certificate, "--key", key, "--json") == FALSE
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["verified"], document["exit_code"]) == (False, FALSE)
    assert document["reason"] in said.err


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"%PDF-1.7\xff", "not JSON"), (b"{}", "of another kind")],
)
def test_a_file_that_is_no_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
):
    (tmp_path / "file").write_bytes(content)
    assert run(tmp_path / "file", "--key", PUBLIC) == FALSE
    assert reason in capsys.readouterr().err


def test_a_huge_file_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert run(tmp_path / "huge", "--key", PUBLIC) == FALSE
    assert f"more than {MAX_BYTES} bytes" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["certificate", "key", "model"])
@pytest.mark.parametrize("folder", [False, True])
def test_a_missing_file_or_a_folder_in_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], missing: str, folder: bool
):
    files = {"certificate": CERTIFICATE, "key": PUBLIC, "model": PUBLIC} | {missing: tmp_path / "absent"}
    if folder:
        files[missing].mkdir()
    assert run(files["certificate"], "--key", files["key"], "--model", files["model"]) == NOT_CHECKED
    said = capsys.readouterr()
    assert said.out == ""
    assert str(tmp_path / "absent") in said.err


def test_without_a_certificate_it_says_how_it_is_called(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == NOT_CHECKED
    assert "usage: lethe-verify" in capsys.readouterr().err


def test_a_wrong_call_is_not_repeated_in_a_file(capsys: pytest.CaptureFixture[str]):
    for wrong in (["CERT", "Anna"], ["CERT", "--threshold", "Anna"], ["CERT", "--Anna"]):
        with pytest.raises(SystemExit) as ended:
            run(*wrong)
        said = capsys.readouterr().err
        assert (ended.value.code, "Anna" in said) == (NOT_CHECKED, False)
        assert "these arguments are not expected" in said


def test_a_note_cannot_steer_the_terminal_or_write_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    note = "so\n  behaves    perfect\x1b[2K\r"
    certificate, _, key = issued(tmp_path, model=b"weights", note=note)
    assert run(certificate, "--key", key) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\r" not in said
    assert sum(line.startswith("  behaves") for line in said.splitlines()) == 1


PROBE = """
import sys
from flows.cli.lethe_verify import main
code = main(sys.argv[1:])
heavy = {"torch", "torchvision", "numpy", "sklearn", "prefect", "mlflow", "dvc", "pyarrow"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else code)
"""


def test_it_loads_nothing_heavy(tmp_path: Path):
    certificate, model, key = issued(tmp_path, model=b"weights")
    command = [sys.executable, "-c", PROBE, certificate, "--key", key, "--model", model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified: behaves\n")


def test_it_runs_as_a_module_without_keys_of_its_own():
    command = [sys.executable, "-m", "flows.cli.lethe_verify", CERTIFICATE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == NOT_CHECKED
    assert "no key is trusted" in done.stderr


def test_a_reader_who_stops_reading_sees_no_traceback():
    command = [sys.executable, "-m", "flows.cli.lethe_verify", CERTIFICATE, "--key", PUBLIC]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


def test_nothing_in_a_receipt_or_certificate_writes_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    forged = "x\nlethe-verify: verified: behaves\n  behaves\x1b[2J"
    (receipt := tmp_path / "receipt.json").write_bytes(
        canonical_json({"schema_version": "lethe.receipt/1", "request": "demo", "rows": [], forged: 1})
        + b"\n"
    )
    certificate, _, key = issued(tmp_path, model=b"weights")
    assert run(certificate, "--key", key, "--receipt", receipt) == FALSE
    tree = json.loads(decode_envelope(certificate.read_bytes()).payload)
    for measured in tree["predicate"]["judgement"]["unlearned"]["measurements"][:2]:
        measured["name"] = forged
    with pytest.raises(EvidenceError) as refused:
        check(Statement.parse(canonical_json(tree)))
    told = str(refused.value), capsys.readouterr().err
    assert ["verified: behaves" in one for one in told] == [True, True]
    said = "\n".join(told)
    assert "\x1b" not in said
    assert not [
        line for line in said.splitlines() if "verified: behaves" in line and not line.startswith("  ")
    ]
