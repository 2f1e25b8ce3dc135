"""Keys are made once, kept private, and used; nothing else opens what they sealed."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import dsse
from securesystemslib.signer import SSlibKey

from tasks.checkout.files import written_beside
from tasks.keys import signing
from tasks.keys.folder import public_pem
from unlearn_core.audit.envelope import decode_envelope, read_statement
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.certificate import Statement

GOLDEN = Path(__file__).parents[2] / "golden" / "certificate-v1.dsse.json"
STATEMENT = read_statement(decode_envelope(GOLDEN.read_bytes()).payload)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {signing.key_id(KEY.public_key()): KEY.public_key()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LETHE_SIGNING_KEY", "LETHE_PSEUDONYM_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LETHE_HOME", str(tmp_path / "keys"))
    return tmp_path / "keys"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def private_pem(key: Any, encryption: Any = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_init_makes_everything_and_says_what(folder: Path):
    made = signing.init_keys(folder)
    assert sorted(str(path.relative_to(folder)) for path in made) == sorted(contents(folder))
    assert len(made) == 4
    assert signing.load_signer().public_key() in signing.public_keys_in(signing.trust_folder()).values()


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077], ids=oct)
def test_secrets_are_for_their_owner_only(folder: Path, umask: int):
    before = os.umask(umask)
    try:
        signing.init_keys(folder)
    finally:
        os.umask(before)
    assert [mode(folder / name) for name in ("signing.key", "pseudonym.key", "signing.pub")] == [
        0o600,
        0o600,
        0o644 & ~umask,
    ]


def test_init_twice_changes_nothing(folder: Path):
    signing.init_keys(folder)
    before = contents(folder)
    assert signing.init_keys(folder) == ()
    assert contents(folder) == before


def test_init_repairs_what_is_missing(folder: Path):
    signing.init_keys(folder)
    before = contents(folder)
    (folder / "signing.pub").unlink()
    assert signing.init_keys(folder) == (folder / "signing.pub",)
    assert contents(folder) == before


def test_force_replaces_the_signing_key_and_keeps_trust_and_pseudonyms(folder: Path):
    signing.init_keys(folder)
    certificate, before = signing.sign_statement(STATEMENT), contents(folder)
    signing.init_keys(folder, force=True)
    after = contents(folder)
    assert after["signing.key"] != before["signing.key"]
    assert after["signing.pub"] != before["signing.pub"]
    assert after["pseudonym.key"] == before["pseudonym.key"]
    trusted = signing.public_keys_in(signing.trust_folder())
    signing.verify_signature(certificate, trusted)
    signing.verify_signature(signing.sign_statement(STATEMENT), trusted)


def test_a_key_that_another_process_made_meanwhile_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def be_late(path: Path, content: bytes, **named: bool) -> Any:
        if not (folder / "signing.key").exists():
            (folder / "signing.key").write_bytes(private_pem(KEY))
            (folder / "signing.key").chmod(0o600)
        return written_beside(path, content, **named)

    monkeypatch.setattr("tasks.keys.folder.written_beside", be_late)
    assert folder / "signing.key" not in signing.init_keys(folder)
    assert signing.load_signer().public_key() == KEY.public_key()


def test_init_where_no_folder_can_be(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SetupError, match="LETHE_HOME"):
        signing.init_keys(tmp_path / "file" / "keys")


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
@pytest.mark.parametrize("name", ["signing.key", "pseudonym.key"])
def test_a_key_that_others_may_touch_is_not_read(folder: Path, name: str, bits: int):
    signing.init_keys(folder)
    (folder / name).chmod(bits)
    load = signing.load_signer if name == "signing.key" else signing.load_pseudonym_key
    with pytest.raises(SetupError, match="chmod 600"):
        load()


def test_without_keys_the_error_says_how_to_make_them(folder: Path):
    for load in (signing.load_signer, signing.load_pseudonym_key):
        with pytest.raises(SetupError, match="lethe keys init"):
            load()


def test_the_environment_may_hold_the_signing_key(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LETHE_SIGNING_KEY", private_pem(KEY).decode())
    assert signing.load_signer().public_key() == KEY.public_key()


def test_the_environment_may_name_the_signing_key(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "elsewhere.key"
    path.write_bytes(private_pem(KEY))
    path.chmod(0o600)
    monkeypatch.setenv("LETHE_SIGNING_KEY", str(path))
    assert signing.load_signer().public_key() == KEY.public_key()
    path.chmod(0o644)
    with pytest.raises(SetupError, match="0644"):
        signing.load_signer()


@pytest.mark.parametrize(
    "pem",
    [
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        private_pem(ec.generate_private_key(ec.SECP256R1())).decode(),
        private_pem(KEY, BestAvailableEncryption(b"secret")).decode(),
        public_pem(KEY.public_key()).decode(),
    ],
    ids=["garbage", "another curve", "encrypted", "public"],
)
def test_another_signing_key_is_refused_without_showing_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pem: str
):
    monkeypatch.setenv("LETHE_SIGNING_KEY", pem)
    with pytest.raises(SetupError) as caught:
        signing.load_signer()
    assert pem.splitlines()[1] not in str(caught.value)


def test_home_follows_lethe_then_xdg_then_the_user(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    monkeypatch.setenv("LETHE_HOME", "/l")
    assert signing.home() == Path("/l")
    monkeypatch.delenv("LETHE_HOME")
    assert signing.home() == Path("/x/lethe")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert signing.home() == Path("/h/.config/lethe")


def test_a_pseudonym_is_this_hmac_for_ever():
    assert signing.pseudonymise(bytes(32), "sample", "digits-000001") == (
        "hmac-sha256:6d1b8d9060b73615183cf9a0d15aa2d144c1dc0d4146fb45af35baee14be9ca3"
    )


def test_pseudonyms_differ_by_key_kind_and_name():
    key, other = bytes(32), bytes(31) + b"\1"
    made = {
        signing.pseudonymise(key, "sample", "a"),
        signing.pseudonymise(key, "subject", "a"),
        signing.pseudonymise(key, "sample", "b"),
        signing.pseudonymise(other, "sample", "a"),
    }
    assert len(made) == 4


def test_the_environment_may_hold_the_pseudonym_key(folder: Path, monkeypatch: pytest.MonkeyPatch):
    signing.init_keys(folder)
    assert len(signing.load_pseudonym_key()) == 32
    monkeypatch.setenv("LETHE_PSEUDONYM_KEY", "ab" * 40)
    assert signing.load_pseudonym_key() == b"\xab" * 40


@pytest.mark.parametrize("text", ["ab" * 31, "a" * 65, "zz" * 32, "é" * 64])
def test_a_short_or_broken_pseudonym_key_is_refused_without_showing_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
):
    monkeypatch.setenv("LETHE_PSEUDONYM_KEY", text)
    with pytest.raises(SetupError, match="at least 32 bytes") as caught:
        signing.load_pseudonym_key()
    assert text not in str(caught.value)


def test_only_public_keys_are_read_from_the_trust_folder(folder: Path):
    signing.init_keys(folder)
    (folder / "trusted" / "README").write_text("not a key")
    assert len(signing.public_keys_in(folder / "trusted")) == 1
    assert signing.public_keys_in(folder / "absent") == {}


@pytest.mark.parametrize("content", [b"", b"typo", private_pem(KEY)], ids=["empty", "typo", "private"])
def test_a_broken_key_in_the_trust_folder_is_named(folder: Path, content: bytes):
    signing.init_keys(folder)
    (folder / "trusted" / "broken.pub").write_bytes(content)
    with pytest.raises(SetupError, match=r"broken\.pub"):
        signing.public_keys_in(folder / "trusted")


def test_a_public_key_of_another_kind_is_refused(tmp_path: Path):
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    path = tmp_path / "p256.pub"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(SetupError, match="Ed25519"):
        signing.read_public_key(path)


def test_what_is_signed_verifies_and_comes_back():
    assert signing.verify_signature(signing.sign_statement(STATEMENT, KEY), TRUSTED) == (STATEMENT, *TRUSTED)


def test_signing_is_deterministic():
    assert signing.sign_statement(STATEMENT, KEY) == signing.sign_statement(STATEMENT, KEY)


def test_what_contradicts_itself_is_not_signed():
    tree = json.loads(STATEMENT.canonical())
    tree["predicate"]["validation"]["all_succeeded"] = False
    with pytest.raises(EvidenceError, match="contradicts itself"):
        signing.sign_statement(Statement.parse(canonical_json(tree)), KEY)


def test_another_dsse_library_verifies_it():
    ((keyid, public),) = TRUSTED.items()
    envelope = dsse.Envelope.from_dict(json.loads(signing.sign_statement(STATEMENT, KEY)))
    assert envelope.verify([SSlibKey.from_crypto(public, keyid=keyid)], 1)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMELESS = st.text().filter(lambda text: "hmac-sha256:" not in text)  # a pseudonym is refused
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | FINITE | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    settings=st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    note=st.none() | NAMELESS,
    seconds=st.floats(min_value=0, allow_infinity=False),
    seeds=st.dictionaries(NAMELESS, st.integers(), max_size=3),
)
def test_any_statement_survives_signing(
    settings: dict[str, Any], note: str | None, seconds: float, seeds: dict[str, int]
):
    tree = json.loads(STATEMENT.canonical())
    tree["predicate"]["method"] = {**settings, "name": "pgu"}
    tree["predicate"]["note"] = note
    tree["predicate"]["cost"]["seconds"] = seconds
    tree["predicate"]["provenance"]["seeds"] = seeds
    stated = Statement.parse(canonical_json(tree))
    back, _ = signing.verify_signature(signing.sign_statement(stated, KEY), TRUSTED)
    assert back == stated
    assert back.canonical() == stated.canonical() == canonical_json(tree)


def test_what_init_makes_is_trusted_whatever_the_umask(folder: Path):
    before = os.umask(0o002)
    try:
        signing.init_keys(folder)
    finally:
        os.umask(before)
    assert len(signing.public_keys_in(folder / "trusted")) == 1
