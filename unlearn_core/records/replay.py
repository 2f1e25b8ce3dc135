"""What a deletion gave when it was run again, compared with what its certificate says."""

from typing import Literal

from unlearn_core.records.base import Record, Sha256
from unlearn_core.records.provenance import GitCommit
from unlearn_core.records.request import RequestId


class Compared(Record):
    """One thing that is certified; ``came`` is None if the replay did not get to it."""

    what: str
    expected: str
    came: str | None

    @property
    def equal(self) -> bool:
        """Whether the replay gave the same."""
        return self.came == self.expected


class Replay(Record):
    """A deletion, run again from a commit.

    ``differences`` says how the machine and its libraries differ from those of the deletion: floats may
    differ with them, so they can explain a different result. They never excuse it.
    """

    schema_version: Literal["lethe.replay/1"] = "lethe.replay/1"
    request: RequestId
    certificate: Sha256
    commit: GitCommit
    from_data: bool
    compared: tuple[Compared, ...]
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the replay gave all of it again."""
        return all(one.equal for one in self.compared)
