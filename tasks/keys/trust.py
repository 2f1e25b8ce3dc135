"""Public keys: read from a file or the trust folder, and refused if somebody else may have put them there.

As with ``ssh``, whoever may write to the folder, or to one above it, could choose whom the user trusts.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from tasks.checkout.regular import open_regular
from tasks.keys.folder import (
    MAX_KEY_BYTES,
    key_id,
    own_public_key,
    public_pem,
    trust_folder,
    trusted_name,
    witness_folder,
    write_key,
)
from tasks.keys.points import point_problem
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key.

    Args:
        path: A PEM file.

    Returns:
        The key.

    Raises:
        SetupError: If the file cannot be read, others may change it, or it holds anything else; also if it
            holds a key that anybody could sign with.
    """
    try:
        with open_regular(path) as file:
            _refuse_writable(path, os.fstat(file.fileno()).st_mode)
            key = load_pem_public_key(file.read(MAX_KEY_BYTES))
    except OSError as error:
        raise SetupError(f"cannot read the public key {path}: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SetupError(f"{path} is not a public key in PEM form: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SetupError(f"{path} holds a {type(key).__name__}; certificates are signed with Ed25519 keys")
    if (problem := point_problem(key.public_bytes(Encoding.Raw, PublicFormat.Raw))) is not None:
        raise SetupError(f"the key in {path} {problem}; remove it, and get the issuer's own")
    return key


def public_keys_in(folder: Path) -> dict[Sha256, Ed25519PublicKey]:
    """Read every public key (``*.pub``) in a folder.

    Args:
        folder: The trust folder; an absent one holds nothing.

    Returns:
        The keys by their ids.

    Raises:
        SetupError: If one of the files is not a public key: a typo must not look like distrust. Also if
            others may put a key there.
    """
    return {key_id(key): key for key in _files_in(folder).values()}


def _files_in(folder: Path) -> dict[Path, Ed25519PublicKey]:
    """Read the keys as ``public_keys_in`` does, by their files."""
    if not folder.is_dir():
        return {}
    place = folder.resolve()
    _refuse_writable(place, place.stat().st_mode)
    for above in place.parents:
        # In a sticky folder, such as /tmp, others may add something, but not replace what is there.
        if not (mode := above.stat().st_mode) & stat.S_ISVTX:
            _refuse_writable(above, mode)
    return {file: read_public_key(file) for file in sorted(folder.glob("*.pub"))}


def trusted_keys() -> dict[Sha256, Ed25519PublicKey]:
    """Read the public keys that the user trusts.

    Returns:
        The keys by their ids; at least one.

    Raises:
        SetupError: If there is none, or one of the files is not a public key.
    """
    if not (keys := public_keys_in(trust_folder())):
        raise SetupError("no key is trusted; get the issuer's public key, and `lethe keys trust` it")
    return keys


def trust_key(path: Path, *, witness: bool = False) -> tuple[Sha256, Path]:
    """Trust somebody's public key: check it as whenever it is read, and copy it to the trust folder.

    Args:
        path: A PEM file.
        witness: Trust it as a witness's, who countersigns certificates and issues none.

    Returns:
        The key's id, and where it is now; the same key again is not copied again.

    Raises:
        SetupError: If it cannot be trusted, or the trust folder cannot be written.
    """
    key, folder = read_public_key(path), witness_folder() if witness else trust_folder()
    identity, place = key_id(key), folder / trusted_name(key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = {key_id(known): file for file, known in _files_in(folder).items()}
        if identity in there:
            return identity, there[identity]
        written = write_key(place, public_pem(key))
    except OSError as error:
        raise SetupError(f"cannot copy the key to {folder}: {error.strerror}") from error
    if not written:
        raise SetupError(f"{place} holds another key; remove or rename it")
    return identity, place


@dataclass(frozen=True)
class TrustedKey:
    """A public key in the trust folder.

    Attributes:
        id: Its id, as certificates name it.
        file: Where it is.
        own: Whether this machine signs with it.
    """

    id: Sha256
    file: Path
    own: bool


def list_trusted() -> tuple[TrustedKey, ...]:
    """Return the trusted keys, each checked, by the names of their files."""
    mine = own_public_key()
    own = None if mine is None else key_id(mine)
    found = {key_id(key): file for file, key in _files_in(trust_folder()).items()}
    return tuple(TrustedKey(one, file, one == own) for one, file in found.items())


def _refuse_writable(path: Path, mode: int) -> None:
    """Refuse a file or a folder that others may change.

    What is mounted read-only cannot be changed, whatever its mode: Kubernetes lets everybody write to the
    folder of a config map, and mounts it so.

    Raises:
        SetupError: If they may; it says how to mend it.
    """
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not os.statvfs(path).f_flag & os.ST_RDONLY:
        shown = f"{stat.S_IMODE(mode):04o}"
        raise SetupError(
            f"{path} has mode {shown}: others may change who is trusted; run `chmod go-w {path}`"
        )
