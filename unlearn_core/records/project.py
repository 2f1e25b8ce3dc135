"""A project: which Lethe it was made with, how it was made, and how it was upgraded."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256


class Software(Record):
    """Which Lethe: its version, and the digest of its code. A project keeps it as ``lethe.json``."""

    schema_version: Literal["lethe.software/1"] = "lethe.software/1"
    version: str
    code: Sha256

    def __str__(self) -> str:
        """Return both, for people."""
        return f"{self.version} (code {self.code.removeprefix('sha256:')[:12]})"


class Initialised(Record):
    """What ``lethe init`` has done in a folder; paths are relative to it.

    ``made`` files are new, ``extended`` ones gained lines, ``kept`` ones existed with other content and stay
    as they are. If the folder was a project before, ``existed`` is true and nothing was done.
    """

    existed: bool
    made: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Upgraded(Record):
    """What ``lethe upgrade`` has done.

    ``before`` is None where the project did not say which Lethe it was made with. ``now`` is None in a clone
    of Lethe's own repository, which runs the code that lies in it. ``stages`` are those that ``dvc.yaml``
    describes differently than before, ``due`` those that have to run again.
    """

    before: Software | None
    now: Software | None
    stages: tuple[str, ...]
    due: tuple[str, ...]
