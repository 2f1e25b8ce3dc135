"""Whose key is believed: one that has an owner, in a place where nobody else can put another."""

import os
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from flows.cli.lethe_verify import main
from tasks.keys.folder import key_id, public_pem
from tasks.keys.points import CURVE_D, PRIME, point_problem
from tasks.keys.trust import public_keys_in, read_public_key, trust_key
from unlearn_core.audit.envelope import decode_envelope, encode, pae
from unlearn_core.errors import SetupError

GOLDEN = Path(__file__).parents[2] / "golden" / "certificate-v1.dsse.json"
ISSUER = Path(__file__).parents[2] / "golden" / "certificate-v1.pub"
# The points whose order divides 8, by y; those of order 8 are also in libsodium's list.
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
OTHER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL = [0, 1, PRIME - 1, *(int.from_bytes(bytes.fromhex(text), "little") for text in (ORDER_8, OTHER_8))]
WAYS = [y | sign << 255 for y in (*SMALL, PRIME, PRIME + 1) for sign in (0, 1)]
"""Every way to write them: with either sign of x, and with y + p where that has room."""


def raw(written: int) -> bytes:
    return written.to_bytes(32, "little")


def forge(key: Ed25519PublicKey, message: bytes) -> bytes | None:
    """Sign without any private key: R of small order, and s = 0."""
    for written in WAYS:
        try:
            key.verify(signature := raw(written) + bytes(32), message)
        except InvalidSignature:
            continue
        return signature
    return None


def trust(folder: Path, key: Ed25519PublicKey) -> Path:
    (folder / "trusted").mkdir(parents=True, exist_ok=True)
    path = folder / "trusted" / "issuer.pub"
    path.write_bytes(public_pem(key))
    path.chmod(0o644)
    return path


@pytest.mark.parametrize(
    "written", WAYS, ids=lambda written: raw(written).hex()[-4:] + raw(written).hex()[:4]
)
def test_a_key_that_anybody_can_sign_for_is_refused(tmp_path: Path, written: int):
    key = Ed25519PublicKey.from_public_bytes(raw(written))
    forged = [forge(key, b"%d" % number) for number in range(8)]
    assert any(forged), "the attack does not work, so this test shows nothing"
    with pytest.raises(SetupError, match=r"issuer\.pub .*(small order|canonical)"):
        read_public_key(trust(tmp_path, key))


@pytest.mark.parametrize("given", [True, False])
def test_a_forged_certificate_is_not_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: bool
):
    key, payload = Ed25519PublicKey.from_public_bytes(raw(1)), decode_envelope(GOLDEN.read_bytes()).payload
    signature = forge(key, pae(payload))
    assert signature is not None
    (tmp_path / "forged.json").write_bytes(encode(payload, signature, key_id(key)))
    monkeypatch.setenv("LETHE_HOME", str(tmp_path))
    path = trust(tmp_path, key)
    assert main([str(tmp_path / "forged.json"), *(["--key", str(path)] if given else [])]) == 2
    said = capsys.readouterr()
    assert (said.out, "anybody can sign" in said.err) == ("", True)


def test_a_second_way_to_write_a_point_is_refused():
    found = [point_problem(raw(PRIME + above)) or "" for above in range(2, 19)]
    assert all("canonical" in problem for problem in found)


def test_what_is_on_no_curve_is_refused():
    small = range(2, 40)
    squares = [(y * y - 1) * pow(CURVE_D * y * y + 1, -1, PRIME) for y in small]
    problems = [point_problem(raw(y)) for y in small]
    assert [problem is None for problem in problems] == [pow(x, PRIME // 2, PRIME) == 1 for x in squares]
    assert {problem for problem in problems if problem} == {"is not a point of the curve"}


def test_every_key_with_an_owner_is_accepted():
    keys = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in range(64))
    assert {point_problem(key.public_key().public_bytes_raw()) for key in keys} == {None}


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_key_file_that_others_may_change_is_refused(tmp_path: Path, mode: int):
    path = trust(tmp_path, read_public_key(ISSUER))
    path.chmod(mode)
    for read in (lambda: read_public_key(path), lambda: public_keys_in(path.parent)):
        with pytest.raises(SetupError, match=rf"mode {mode:04o}.*chmod go-w {path}"):
            read()


@pytest.mark.parametrize("above", [0, 1, 2])
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_trust_folder_that_others_may_change_is_refused(tmp_path: Path, above: int, mode: int):
    path = trust(tmp_path / "a" / "b", read_public_key(ISSUER))
    folder = path.parents[above]
    folder.chmod(mode)
    with pytest.raises(SetupError, match=rf"chmod go-w {folder}`$"):
        public_keys_in(path.parent)
    folder.chmod(0o755)
    assert len(public_keys_in(path.parent)) == 1


def test_nobody_can_replace_what_is_in_a_sticky_folder(tmp_path: Path):
    path = trust(tmp_path / "a" / "b", read_public_key(ISSUER))
    (tmp_path / "a").chmod(0o1777)
    assert len(public_keys_in(path.parent)) == 1
    path.parent.chmod(0o1777)
    with pytest.raises(SetupError, match="others may change"):  # they could add a key
        public_keys_in(path.parent)


def test_a_folder_that_is_mounted_read_only_cannot_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = trust(tmp_path, read_public_key(ISSUER))
    path.parent.chmod(0o777)
    real = os.statvfs(path)
    monkeypatch.setattr(
        "tasks.keys.trust.os.statvfs",
        lambda _: os.statvfs_result([*real[:8], real.f_flag | os.ST_RDONLY, *real[9:]]),
    )
    assert len(public_keys_in(path.parent)) == 1


def test_a_key_to_trust_is_checked_before_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    issuer = Ed25519PrivateKey.generate().public_key()
    for content, mode, said in (
        (b"no key", 0o644, "not a public key"),
        (public_pem(issuer), 0o666, "others may change"),
        (public_pem(Ed25519PublicKey.from_public_bytes(raw(0))), 0o644, "small order"),
    ):
        (tmp_path / "some.pub").write_bytes(content)
        (tmp_path / "some.pub").chmod(mode)
        with pytest.raises(SetupError, match=said):
            trust_key(tmp_path / "some.pub")
    assert not (tmp_path / "home").exists()


def test_the_same_key_is_copied_once_and_no_other_file_is_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path))
    first, second = (Ed25519PrivateKey.generate().public_key() for _ in range(2))
    path = trust(tmp_path / "elsewhere", first)
    identity, place = trust_key(path)
    assert trust_key(path) == (identity, place)
    assert (identity, place.read_bytes()) == (key_id(first), public_pem(first))
    place.write_bytes(public_pem(second))
    with pytest.raises(SetupError, match="holds another key"):
        trust_key(path)


def test_no_key_is_added_where_others_may_add_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "home"))
    path = trust(tmp_path / "elsewhere", Ed25519PrivateKey.generate().public_key())
    (tmp_path / "home" / "trusted").mkdir(parents=True)
    (tmp_path / "home" / "trusted").chmod(0o777)
    with pytest.raises(SetupError, match="others may change who is trusted"):
        trust_key(path)
    assert list((tmp_path / "home" / "trusted").iterdir()) == []
