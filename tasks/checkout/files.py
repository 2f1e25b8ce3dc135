"""Local files: atomic writes, records, digests, folders replaced whole or not at all."""

import hashlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import unlearn_core
from tasks.checkout.regular import open_regular, read_regular
from tasks.extensions.discovery import extension_of
from unlearn_core.errors import PipelineError, SetupError
from unlearn_core.records.base import Record, Sha256, canonical_json, sha256

AnyRecord = TypeVar("AnyRecord", bound=Record)

_LOCK_WAIT_S = 60

OWNER_ONLY = 0o600
"""The mode of a secret, whatever the umask."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file atomically: it is always either the old one or the new one. Its mode follows the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path, content) as fresh:
        fresh.replace(path)


@contextmanager
def written_beside(path: Path, content: bytes, *, secret: bool = False) -> Iterator[Path]:
    """Write a new file beside a path, to be renamed or linked to it.

    Args:
        path: The path; its folder exists.
        content: What to write.
        secret: Only the owner may read it; otherwise its mode follows the umask.

    Yields:
        The new file. It is removed after the block, unless the block has renamed it.
    """
    fresh = _beside(path)
    try:
        with open(fresh, "xb", opener=_open_secret if secret else None) as stream:
            stream.write(content)
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def make_database(path: Path, fill: Callable[[Path], object]) -> None:
    """Make a SQLite file where there is none, whole or not at all; its mode follows the umask.

    Tables take seconds to make, and a file in which only some are made cannot be opened again.

    Args:
        path: The file.
        fill: Makes the tables in an empty file, and closes it.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path, b"") as fresh:
        fill(fresh)
        # A link does not replace what another process has made meanwhile.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)


def compact_database(path: Path) -> None:
    """Rewrite a SQLite file without the bytes of deleted rows.

    Args:
        path: The file; nothing is done if it does not exist.

    Raises:
        SetupError: If somebody else is writing to it for longer than this waits.
    """
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(path, timeout=_LOCK_WAIT_S, isolation_level=None)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise SetupError(
            f"{path} cannot be compacted ({error}); stop what uses it, and run this again"
        ) from error


def follow_umask(path: Path) -> None:
    """Give a file that a library has written the mode of a new one."""
    fresh = _beside(path)
    fresh.touch()
    path.chmod(fresh.stat().st_mode)
    fresh.unlink()


def _open_secret(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, OWNER_ONLY)
    os.fchmod(descriptor, OWNER_ONLY)
    return descriptor


def _beside(path: Path) -> Path:
    """Return a new hidden name beside a path; the modules for temporary files would keep the group out."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a fresh folder that takes the place of ``folder`` once the block succeeds.

    Args:
        folder: The folder to replace; untouched if the block raises.

    Yields:
        An empty folder beside it; its mode follows the umask.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = _beside(folder)
    fresh.mkdir()
    try:
        yield fresh
        if folder.exists():
            shutil.rmtree(folder)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def link_folder(link: Path, folder: Path) -> None:
    """Make a relative link to a folder, existing or not; both may be moved together."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    there = os.path.relpath(folder.resolve(), link.parent.resolve())
    link.symlink_to(there, target_is_directory=True)


def copy_folder(source: Path, folder: Path) -> None:
    """Replace ``folder`` by a copy of ``source``, whole or not at all."""
    with replaced_folder(folder) as fresh:
        shutil.copytree(source, fresh, dirs_exist_ok=True)


def write_record(path: Path, record: Record) -> None:
    """Write a record in its canonical form."""
    write_atomically(path, record.canonical())


def read_record(path: Path, kind: type[AnyRecord]) -> AnyRecord:
    """Read a record.

    Args:
        path: Its file.
        kind: The record's class.

    Returns:
        The validated record.

    Raises:
        PipelineError: If there is no such file, or something else has its place.
    """
    try:
        return kind.parse(read_regular(path))
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        problem = f"{path} does not exist" if is_missing else f"cannot read {path}: {error.strerror}"
        raise PipelineError(
            f"{problem}; an earlier stage writes it: run `dvc repro`, or `dvc pull`"
        ) from error


def file_digest(path: Path) -> Sha256:
    """Return the SHA-256 of a file's bytes."""
    with open_regular(path) as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()


def folder_digest(folder: Path) -> Sha256:
    """Return the digest of all files in a folder, with their paths in it."""
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    found = {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
    return sha256(canonical_json(found))


def code_digest(*modules: ModuleType) -> Sha256:
    """Return the digest of some modules' source, for the key of a cached result."""
    return sha256(b"".join(_source(str(module.__file__)) for module in modules))


_OWN = ("unlearn_core.methods.", "unlearn_core.adversaries.")


def method_digest(method: object | None) -> Sha256:
    """Return the digest of all code that a method's results depend on, and of no other method's.

    Args:
        method: The method, if any.

    Returns:
        The digest of the core, of the methods that it is made of, and of its package where that is not Lethe.
    """
    core = _core_digest(tuple(sorted(set(_own_modules(method)))))
    extension = None if method is None else extension_of("method", type(method))
    return core if extension is None else sha256(canonical_json([core, extension.code]))


def _own_modules(method: object) -> Iterator[str]:
    """Yield the modules of Lethe's methods and adversaries that a method is, derives from, or is made of."""
    if isinstance(method, Record):
        kinds = (kind.__module__ for kind in type(method).__mro__)
        yield from (module for module in kinds if module.startswith(_OWN))
        for _, value in method:
            yield from _own_modules(value)


@cache
def _core_digest(methods: tuple[str, ...]) -> Sha256:
    """Return the digest of the core's code, without other methods and checks that no result depends on.

    Adversaries share files: the digest of one has them all, that of a method none.
    """
    core = Path(str(unlearn_core.__file__)).parent
    pretends = any(module.startswith(_OWN[1]) for module in methods)
    left_out = {"methods", "conformance"} if pretends else {"methods", "conformance", "adversaries"}
    files = (
        path
        for path in sorted(core.rglob("*.py"))
        if path.relative_to(core).parts[0] not in left_out
        or ".".join(path.relative_to(core.parent).with_suffix("").parts) in methods
    )
    return sha256(b"\0".join(path.read_bytes() for path in files))


@cache
def _source(path: str) -> bytes:
    return Path(path).read_bytes()
