"""What git must not bring into a project: files that only Lethe or DVC write there, links, programs to start.

They are believed, or followed, because nobody but this machine should have made them: caches, settings of
this machine, MLflow's database, the ledger, what stages make and DVC pins. git ignores them, and still checks
out those that it holds. Prefect reads its settings from files of the working folder, and some of them name a
program.
"""

import tomllib
from pathlib import Path

from tasks.checkout.git import ask_git
from unlearn_core.errors import SetupError

_LOCAL = (
    *(".dvc/tmp", ".dvc/cache", ".dvc/config.local", ".lethe", "mlruns", "requests/ledger.db"),
    *("data/dataset/", "data/split/", "data/retained/", "models/parent/", "models/moments/"),
    *("models/unlearned/", "reports/"),
)
"""Paths that git must not hold, nor anything below them, nor a file whose name only goes on."""
_KEPT = ("mlruns/README.md",)
_FOLDERS = ("data", "models", "reports", "requests", "evidence", "mlruns", ".lethe", ".dvc")
"""The folders that Lethe and DVC write to."""
_LINK, _REPOSITORY = "120000", "160000"


def refuse_planted(root: Path) -> None:
    """Refuse a project in which git holds what it must not.

    Args:
        root: The project's top folder.

    Raises:
        SetupError: If it does, with each file's name, or git cannot be asked.
    """
    if (listed := ask_git(root, "ls-files", "--stage", "-z")) is None:
        raise SetupError(f"git does not list what it holds in {root.resolve()}; see `git status` there")
    entries = [line.partition("\t") for line in listed.split("\0") if line]
    kinds = {name: about[: len(_LINK)] for about, _, name in entries}
    if found := [name for name, kind in kinds.items() if _is_planted(root, name, kind)]:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise SetupError(
            f"git holds {', '.join(map(repr, found[:5]))}{more} in {root.resolve().name}: a file that only "
            "this machine may write, settings for Prefect, a link out of the project, or another repository "
            "in place of a folder of Lethe's. Somebody may have planted it; look at it, and remove it with "
            "`git rm`"
        )


def _is_planted(root: Path, name: str, kind: str) -> bool:
    """Tell whether git must not hold an entry of this kind."""
    if name in _KEPT:
        return False
    folder, below, _ = name.partition("/")
    if kind == _REPOSITORY:
        return folder in _FOLDERS
    if kind == _LINK and folder in _FOLDERS and (not below or _leads_out(root, name)):
        return True
    return name.startswith(_LOCAL) or _is_plan(name) or _sets_prefect(root / name)


def _is_plan(name: str) -> bool:
    """Tell whether a file would be taken for the plan of a purge, which says what is erased."""
    return name.startswith("requests/") and name.endswith(".purge")


def _leads_out(root: Path, name: str) -> bool:
    return not (root / name).resolve().is_relative_to(root.resolve())


def _sets_prefect(path: Path) -> bool:
    """Tell whether Prefect would read settings from a file, if it were started in the file's folder."""
    if path.name not in {".env", "prefect.toml", "pyproject.toml"} or not path.is_file():
        return False
    text = path.read_text(errors="replace")
    if path.name == ".env":
        return "prefect" in text.casefold()
    try:
        return path.name == "prefect.toml" or "prefect" in tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return True
