"""Every object of a git repository, whether a branch leads to it or not."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tasks.checkout.git import git_objects, run_git
from tasks.traces.stored import StoredObject


@dataclass(frozen=True)
class GitObjects:
    """The objects of a repository: contents of files, folders, commits and tags.

    Attributes:
        root: A folder in it.
    """

    root: Path
    name: str = "git"
    place: str = "every object of the git repository, also those that no branch leads to"

    def location(self) -> str:
        """Return the path of its objects, without links."""
        found = run_git(self.root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        return os.path.realpath(found)

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object."""
        for kind, digest, content in git_objects(self.root):
            yield StoredObject(f"{kind} {digest}", len(content), partial(bytes, content))

    def settle(self, erased: Collection[str], databases: Collection[str]) -> None:
        """Nothing is left to do."""
