"""Which stages have to run again, from DVC's lock alone: no output is read, and DVC is not loaded.

What a stage depends on is compared with what the lock says that it was made from. An output that somebody
changed by hand is noticed by ``dvc status``, which reads all of them.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasks.checkout.params import read_values
from tasks.checkout.plain_yaml import load_yaml

Lock = Mapping[str, Mapping[str, Any]]


def stale_stages(root: Path) -> dict[str, str]:
    """Return the stages that have to run again, in their order, and why.

    Args:
        root: The checkout.

    Returns:
        The reasons by stage; empty if everything is as it was made.
    """
    path = root / "dvc.lock"
    locked: Lock = load_yaml(path)["stages"] if path.is_file() else {}
    values, stale, made_by = read_values(root), dict[str, str](), dict[str, str]()
    for name, stage in load_yaml(root / "dvc.yaml")["stages"].items():
        wanted = [one.replace("${request}", str(values["request"])) for one in stage.get("deps", ())]
        if name not in locked:
            stale[name] = "has not run"
        else:
            makers = [by for out, by in made_by.items() for one in wanted if f"{one}/".startswith(f"{out}/")]
            reasons = [*_settings(stage, locked[name], values), *_files(root, wanted, locked, name)]
            reasons += [f"after {one}" for one in dict.fromkeys(makers) if one in stale]
            stale |= {name: ", ".join(reasons)} if reasons else {}
        made_by |= dict.fromkeys((*stage.get("outs", ()), *stage.get("metrics", ())), name)
    return stale


def _settings(stage: Mapping[str, Any], entry: Mapping[str, Any], values: dict[str, Any]) -> Iterator[str]:
    """Yield the settings of a stage that are others than those in the lock."""
    before = entry.get("params", {}).get("params.yaml", {})
    for key in stage.get("params", ()):
        if key not in before or before[key] != _value(values, key):
            yield f"{key} in params.yaml"


def _value(values: Any, key: str) -> Any:
    """Return a value of ``params.yaml`` by its dotted name."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _files(root: Path, wanted: list[str], locked: Lock, name: str) -> Iterator[str]:
    """Yield what a stage reads that is not what the lock says, and what it made that is gone."""
    used = {dep["path"]: dep.get("md5") for dep in locked[name].get("deps", ())}
    made = {out["path"]: out.get("md5") for one in locked.values() for out in one.get("outs", ())}
    for path in wanted:
        if path not in used or used[path] != _digest(root / path, made.get(path), used[path]):
            yield path
    for out in locked[name].get("outs", ()):
        if not (root / out["path"]).exists():
            yield f"{out['path']} is missing"


def _digest(path: Path, made: str | None, before: str | None) -> str | None:
    """Return the digest of what a stage would read now: as some stage made it, or of a file of its own.

    A folder that no stage makes is Lethe's own code, in a clone of its repository; that is left to DVC.
    """
    if made is not None or path.is_dir():
        return made or before
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else None
