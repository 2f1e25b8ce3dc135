"""A certificate is later than what it rests on, and not from the future."""

import json
import os
import subprocess
import time

import pytest
from world import NOISE, ROOT

from flows.verify import verify_release
from tasks.checkout.checkout import Checkout
from tasks.checkout.environment import now
from tasks.checkout.files import write_record
from tasks.evidence.dating import require_clock
from tasks.evidence.stored import verify_signed
from tasks.keys.folder import load_signer
from tasks.keys.signing import key_id, sign_statement
from unlearn_core.audit.clocks import CLOCK_TOLERANCE_S, is_later
from unlearn_core.audit.deadlines import later
from unlearn_core.audit.envelope import decode_envelope
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.approval import Approval
from unlearn_core.records.base import canonical_json, sha256
from unlearn_core.records.certificate import Statement
from unlearn_core.records.evidence import EvidenceManifest, StoredFile

pytestmark = NOISE
NAME, FINISHED = "erase-2025-03", "2025-03-01T09:04:10Z"
PAYLOAD = decode_envelope((ROOT / "tests/golden/certificate-v1.dsse.json").read_bytes()).payload
SECONDS = 1740819850  # FINISHED, as git writes it
DAY_S = 86_400


def signed(**changes):
    """Return the golden certificate with changes, signed by the tests' own key, which is trusted."""
    tree = json.loads(PAYLOAD)
    tree["predicate"] |= changes.pop("predicate", {})
    tree["predicate"]["provenance"] |= changes
    return sign_statement(Statement.parse(canonical_json(tree)))


def approval(when):
    decided = {"request": NAME, "deletion": sha256(b""), "approved": True, "by": "x", "reason": None}
    return Approval(**decided, time=when)


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "evidence" / NAME).mkdir(parents=True)
    return Checkout(tmp_path)


def committed(root, seconds):
    """Commit something at a time, and return the commit."""
    when = {"GIT_AUTHOR_DATE": f"{seconds} +0000", "GIT_COMMITTER_DATE": f"{seconds} +0000"}
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "-q", root], check=True)
    commit = ["git", *who, "commit", "-q", "--allow-empty", "-m", "x"]
    subprocess.run(commit, cwd=root, env={"PATH": os.environ["PATH"], **when}, check=True)
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=root, text=True).strip()


def result_of(checkout, raw):
    checkout.certificate(NAME).write_bytes(raw)
    return verify_release.fn(checkout, NAME)["result"]


@pytest.mark.parametrize(
    ("seconds", "result"), [(SECONDS + 300, "not judged again"), (SECONDS + 301, "before its code")]
)
def test_a_certificate_is_later_than_the_commit_it_names(checkout, seconds, result):
    commit = committed(checkout.root, seconds)
    assert result in result_of(checkout, signed(commit=commit))


def test_a_commit_that_the_clone_does_not_have_says_nothing(checkout):
    committed(checkout.root, SECONDS + 10_000)
    assert result_of(checkout, signed()) == "not judged again"


@pytest.mark.parametrize(("by_s", "result"), [(300, "not judged again"), (301, "after it was certified")])
def test_a_certificate_is_later_than_the_approval_it_carries(checkout, by_s, result):
    decision = approval(later(FINISHED, by_s))
    write_record(checkout.approval(NAME), decision)
    assert result in result_of(checkout, signed(predicate={"approval": decision.digest}))


@pytest.mark.parametrize("by_s", [300, 301])
def test_so_is_one_in_the_store(by_s):
    decision = approval(later(FINISHED, by_s))
    raw, public = signed(predicate={"approval": decision.digest}), load_signer().public_key()
    contents = {"certificate.dsse.json": raw, "approval.json": decision.canonical()}
    manifest = EvidenceManifest(
        request=NAME,
        registered_model="digits",
        model=json.loads(PAYLOAD)["predicate"]["models"]["unlearned"],
        certificate=sha256(raw),
        files=tuple(StoredFile(path=path, size=len(x), sha256=sha256(x)) for path, x in contents.items()),
    )
    keys = {key_id(public): public}
    if by_s <= CLOCK_TOLERANCE_S:
        assert verify_signed(contents, manifest, keys, where="s3://b/x")[0].approval == decision.digest
        return
    with pytest.raises(EvidenceError, match=r"approval\.json .*after it was certified"):
        verify_signed(contents, manifest, keys, where="s3://b/x")


@pytest.mark.parametrize("what", ["started", "finished"])
def test_a_certificate_from_the_future_is_neither_signed_nor_believed(what, checkout, monkeypatch):
    ahead = later(now(), 3600)
    times = {"finished": ahead} | ({"started": ahead} if what == "started" else {})
    with pytest.raises(EvidenceError, match=rf"{what} at {ahead}, in the future"):
        signed(**times)
    monkeypatch.setattr("tasks.keys.signing.now", lambda: ahead)
    raw = signed(**times)
    monkeypatch.undo()
    assert f"{what} at {ahead}, in the future" in result_of(checkout, raw)


@pytest.mark.parametrize("ahead_s", [60, 2 * DAY_S])
def test_nothing_is_signed_by_a_clock_that_was_moved_back_since_the_run_began(checkout, ahead_s):
    require_clock(checkout, began=later(now(), -ahead_s), run="ab12")
    began = later(now(), ahead_s)
    with pytest.raises(SetupError, match=rf"began at {began}.*nothing was signed.*runs delete --run-id ab12"):
        require_clock(checkout, began=began, run="ab12")


def test_nothing_is_signed_by_a_clock_that_is_behind_the_commit(checkout):
    committed(checkout.root, int(time.time()) + 2 * DAY_S)
    with pytest.raises(SetupError, match=r"the code was committed at .*nothing was signed"):
        require_clock(checkout, began=now(), run="ab12")


def test_clocks_may_disagree_a_little():
    assert not is_later(later(FINISHED, CLOCK_TOLERANCE_S), FINISHED)
    assert is_later(later(FINISHED, CLOCK_TOLERANCE_S + 1), FINISHED)
    assert not is_later(FINISHED, later(FINISHED, CLOCK_TOLERANCE_S + 1))
    assert is_later("2025-02-30T00:00:00Z", FINISHED)
