"""The key folder: made, read, and refused if others can read its secrets.

Everything is in one folder, ``$LETHE_HOME`` or ``~/.config/lethe``::

    signing.key      Ed25519, PEM (PKCS 8), only for its owner
    signing.pub      its public half
    pseudonym.key    32 random bytes in hexadecimal, only for its owner
    trusted/*.pub    the keys whose certificates are trusted
    witnesses/*.pub  the keys of those who countersign certificates

``LETHE_SIGNING_KEY`` (PEM or a path) and ``LETHE_PSEUDONYM_KEY`` (hexadecimal) take the files' place.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tasks.checkout.files import written_beside
from tasks.checkout.regular import open_regular, read_regular
from tasks.checkout.settings import KeySettings
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256, sha256

MAX_KEY_BYTES = 64 * 1024
MIN_PSEUDONYM_KEY_BYTES = 32


def home() -> Path:
    """Return the key folder: ``$LETHE_HOME``, else ``lethe`` in the user's configuration folder."""
    settings = KeySettings.read()
    return settings.home or (settings.configuration or Path.home() / ".config") / "lethe"


def trust_folder() -> Path:
    """Return the folder of the public keys that the user trusts."""
    return home() / "trusted"


def witness_folder() -> Path:
    """Return the folder of the public keys of known witnesses, who countersign what others issue."""
    return home() / "witnesses"


def init_keys(folder: Path, *, force: bool = False) -> tuple[Path, ...]:
    """Make whichever is missing: a signing key, its public half, trust in it, a pseudonym key.

    Args:
        folder: Where the keys go; created if missing.
        force: Replace the signing key. The old public key stays trusted, so older certificates still
            verify. The pseudonym key stays: ``rotate_pseudonym_key`` replaces it, and keeps the old one.

    Returns:
        The files that were written; empty if nothing was missing.

    Raises:
        SetupError: If an existing file cannot be used, or the folder cannot be written.
    """
    signing = folder / "signing.key"
    made: list[Path] = []
    try:
        for one in (folder, folder / "trusted"):  # the mode is that of the last folder alone
            one.mkdir(parents=True, exist_ok=True, mode=0o700)
        if force or not signing.exists():
            made += write_key(signing, _private_pem(Ed25519PrivateKey.generate()), secret=True, replace=force)
        public = _private_key(_read_secret(signing), str(signing)).public_key()
        made += write_key(folder / "signing.pub", public_pem(public), replace=True)
        made += write_key(folder / "trusted" / trusted_name(public), public_pem(public))
        (own := tenant_folder(folder)).mkdir(parents=True, exist_ok=True, mode=0o700)
        made += write_key(own / "pseudonym.key", secrets.token_hex(32).encode() + b"\n", secret=True)
    except OSError as error:
        raise SetupError(
            f"cannot make keys in {folder}: {error}; choose another folder with LETHE_HOME"
        ) from error
    return tuple(made)


def load_signer(folder: Path | None = None) -> Ed25519PrivateKey:
    """Load the signing key.

    Args:
        folder: The key folder; ``home()`` by default.

    Returns:
        The key in ``LETHE_SIGNING_KEY`` (PEM, or a path to it) if that is set, else in ``signing.key``.

    Raises:
        SetupError: If there is none, others may read it, or it is not an Ed25519 key.
    """
    secret = KeySettings.read().signing_key
    given = secret.get_secret_value() if secret else ""
    if given.lstrip().startswith("-----BEGIN"):
        return _private_key(given.encode(), "LETHE_SIGNING_KEY")
    path = Path(given) if given else (folder or home()) / "signing.key"
    return _private_key(_read_secret(path), str(path))


def tenant_folder(folder: Path | None = None) -> Path:
    """Return where a tenant's pseudonym key is.

    Args:
        folder: The key folder; ``home()`` by default.

    Returns:
        That folder itself, or the one in it of the tenant whom ``LETHE_TENANT`` names.
    """
    tenant, folder = KeySettings.read().tenant, folder or home()
    return folder / "tenants" / tenant if tenant else folder


def load_pseudonym_key(folder: Path | None = None) -> bytes:
    """Load the key that new pseudonyms are made with; ``tasks.keys.ring`` has those before it.

    Args:
        folder: The key folder; ``home()`` by default.

    Returns:
        The bytes in ``LETHE_PSEUDONYM_KEY`` if that is set, else in the tenant's ``pseudonym.key``.
    """
    if (given := KeySettings.read().pseudonym_key) is not None:
        return _pseudonym_key(given.get_secret_value().encode(), "LETHE_PSEUDONYM_KEY")
    return read_pseudonym_key(tenant_folder(folder) / "pseudonym.key")


def read_pseudonym_key(path: Path) -> bytes:
    """Read a pseudonym key's file, which only its owner may read."""
    return _pseudonym_key(_read_secret(path), str(path))


def _pseudonym_key(text: bytes, source: str) -> bytes:
    """Read a pseudonym key.

    Args:
        text: What was read.
        source: From where, for errors.

    Returns:
        The key.

    Raises:
        SetupError: If it is not at least 32 bytes in hexadecimal.
    """
    with contextlib.suppress(ValueError):
        key = bytes.fromhex(text.decode().strip())
        if len(key) >= MIN_PSEUDONYM_KEY_BYTES:
            return key
    raise SetupError(f"{source} is not a key: expected at least 32 bytes in hexadecimal (64 digits)")


def key_id(key: Ed25519PublicKey) -> Sha256:
    """Return a public key's id: the SHA-256 of its DER form (SubjectPublicKeyInfo)."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def trusted_name(key: Ed25519PublicKey) -> str:
    """Return the name of a key's file in the trust folder."""
    return f"{key_id(key).removeprefix('sha256:')[:16]}.pub"


def own_public_key() -> Ed25519PublicKey | None:
    """Return the public half of the signing key; None if there is no signing key."""
    if not KeySettings.read().signing_key and not (home() / "signing.key").exists():
        return None
    return load_signer().public_key()


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    """Return a private key as PEM, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private_key(pem: bytes, source: str) -> Ed25519PrivateKey:
    """Read a private key; errors name its source and never its content."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SetupError(f"{source} is not a private key in PEM form (PKCS 8, not encrypted)") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(
            f"{source} holds a {type(key).__name__}; expected an Ed25519 key, see `lethe keys init`"
        )
    return key


def _read_secret(path: Path) -> bytes:
    """Read a file that only its owner may read."""
    try:
        with open_regular(path) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SetupError(f"{path} has mode {mode:04o}: others may read it; run `chmod 600 {path}`")
            return file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise SetupError(
            f"cannot read the key {path}: {error.strerror}; `lethe keys init` makes keys"
        ) from error


def write_key(path: Path, content: bytes, *, secret: bool = False, replace: bool = False) -> list[Path]:
    """Write a key's file atomically.

    Args:
        path: Its place, in a folder that exists.
        content: Its content.
        secret: Whether only its owner may read it.
        replace: Replace the file that may be there; without it, that stays.

    Returns:
        The file if it was written.
    """
    if path.exists() and (not replace or read_regular(path) == content):
        return []
    with written_beside(path, content, secret=secret) as fresh:
        # Whatever the umask: a key that others may write to is not trusted.
        fresh.chmod(stat.S_IMODE(fresh.stat().st_mode) & ~0o022)
        _sync(fresh)
        if replace:
            fresh.replace(path)
            return [path]
        # A link, unlike a rename, fails if the file exists by now: no key is ever overwritten.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
            return [path]
    return []


def _sync(path: Path) -> None:
    """Wait until a file is on the disk: nobody can make a lost key again."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
