"""What git must not bring into a project: files that only Lethe or DVC write there, and links that lead out.

They are believed, or followed, because nobody but this machine should have made them: caches, settings of
this machine, MLflow's database, the ledger. git ignores them, and still checks out those that it holds.
"""

from pathlib import Path

from tasks.checkout.git import ask_git
from unlearn_core.errors import SetupError

_LOCAL = (".dvc/tmp/", ".dvc/cache/", ".dvc/config.local", ".lethe/", "mlruns/", "requests/ledger.db")
"""Paths, or starts of paths, that git must not hold."""
_KEPT = ("mlruns/README.md",)
_FOLDERS = ("data", "models", "reports", "requests", "evidence", "mlruns", ".lethe", ".dvc")
"""The folders that Lethe and DVC write to."""
_LINK = "120000"


def refuse_planted(root: Path) -> None:
    """Refuse a project in which git holds what it must not.

    Args:
        root: The project's top folder.

    Raises:
        SetupError: If it does; each file is named.
    """
    listed = (ask_git(root, "ls-files", "--stage", "-z") or "").split("\0")
    entries = [line.partition("\t") for line in listed if line]
    planted = [name for _, _, name in entries if name.startswith(_LOCAL) and name not in _KEPT]
    leading_out = [name for about, _, name in entries if about.startswith(_LINK) and _leads_out(root, name)]
    if found := [*planted, *leading_out]:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise SetupError(
            f"git holds {', '.join(map(repr, found[:5]))}{more} in {root.resolve().name}: a file that only "
            "this machine may write, or a link out of the project. Somebody may have planted it; look at it, "
            "and remove it with `git rm`"
        )


def _leads_out(root: Path, name: str) -> bool:
    """Tell whether one of the project's own folders, or a file in it, is a link to somewhere else."""
    inside = name.split("/", maxsplit=1)[0] in _FOLDERS
    return inside and not (root / name).resolve().is_relative_to(root.resolve())
