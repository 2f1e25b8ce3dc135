"""The pseudonym keys of a tenant: the current one, those before it, and the end of all of them.

A tenant is whoever's data must be forgettable apart from everybody else's, such as a customer. Each has a key
of its own, which ``LETHE_TENANT`` chooses; without it there is one key, for one tenant without a name::

    pseudonym.key                  the current key
    retired/*.key                  keys before it: what they made can still be matched
    shredded/*.json                which keys were destroyed, and when
    tenants/NAME/…                 the same for each tenant with a name

New pseudonyms are made with the current key alone. Once a key is destroyed, nobody can tell any more whom its
pseudonyms stand for, or whether a picture is among its tombstones.
"""

import os
import secrets
from pathlib import Path

from tasks.checkout.environment import now
from tasks.checkout.files import read_record, write_record
from tasks.checkout.settings import KeySettings
from tasks.keys.folder import load_pseudonym_key, read_pseudonym_key, tenant_folder, write_key
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256, sha256
from unlearn_core.records.shredded import Shredded

RETIRED, SHREDDED = "retired", "shredded"


def pseudonym_keys() -> tuple[bytes, ...]:
    """Return the keys that pseudonyms may have been made with: the current one, then the retired ones."""
    current = load_pseudonym_key()
    return (current, *(key for key in map(read_pseudonym_key, _retired()) if key != current))


def rotate_pseudonym_key() -> tuple[Sha256, Sha256]:
    """Retire the current key and make another; what the old one made can still be matched.

    Returns:
        The ids of the old key and of the new one.

    Raises:
        SetupError: If the key is not in the key folder, but in ``LETHE_PSEUDONYM_KEY``.
    """
    _require_files()
    folder, old = tenant_folder(), load_pseudonym_key()
    (folder / RETIRED).mkdir(mode=0o700, exist_ok=True)
    # Written there before it is replaced here: at every moment each key is somewhere.
    write_key(folder / RETIRED / f"{_key_id(old)[7:23]}.key", _written(old), secret=True)
    write_key(folder / "pseudonym.key", _written(new := secrets.token_bytes(32)), secret=True, replace=True)
    return _key_id(old), _key_id(new)


def shred_pseudonym_keys(*, only_retired: bool, really: bool) -> tuple[Sha256, ...]:
    """Destroy a tenant's pseudonym keys: what they made can never be matched again.

    Args:
        only_retired: Keep the current key.
        really: Do it; otherwise only tell which.

    Returns:
        The ids of the keys.

    Raises:
        SetupError: If there is none, or the current key is in ``LETHE_PSEUDONYM_KEY``, out of reach.
    """
    folder, files = tenant_folder(), _retired()
    if not only_retired:
        _require_files()
        files = [*files, *filter(Path.is_file, [folder / "pseudonym.key"])]
    if not files:
        raise SetupError(f"there is no such key in {folder}; nothing was destroyed")
    ids = tuple(_key_id(read_pseudonym_key(file)) for file in files)
    if really:
        for file, key in zip(files, ids, strict=True):
            record = Shredded(key=key, time=now())
            write_record(folder / SHREDDED / f"{key[7:23]}.json", record)
            _destroy(file)
    return ids


def shredded_keys() -> tuple[Shredded, ...]:
    """Return which keys of the tenant were destroyed, and when."""
    return tuple(read_record(path, Shredded) for path in sorted((tenant_folder() / SHREDDED).glob("*.json")))


def _retired() -> list[Path]:
    return sorted((tenant_folder() / RETIRED).glob("*.key"))


def _require_files() -> None:
    if KeySettings.read().pseudonym_key:
        raise SetupError(
            "the pseudonym key is in LETHE_PSEUDONYM_KEY, where Lethe cannot change it; change or destroy it "
            f"where it is kept, and put the old one into {tenant_folder() / RETIRED} as long as it must match"
        )


def _destroy(file: Path) -> None:
    """Overwrite a key, and remove it. What a disk or a backup keeps of it is out of reach."""
    with file.open("r+b") as stream:
        stream.write(secrets.token_bytes(file.stat().st_size))
        stream.flush()
        os.fsync(stream.fileno())
    file.unlink()


def _key_id(key: bytes) -> Sha256:
    """Return the digest of a key, which has too many values for anybody to try out."""
    return sha256(key)


def _written(key: bytes) -> bytes:
    return key.hex().encode() + b"\n"
