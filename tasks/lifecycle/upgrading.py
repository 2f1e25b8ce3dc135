"""Move a project to the installed Lethe: its pipeline, its ``lethe.json``, and which stages become due."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tasks.checkout.files import write_atomically, write_record
from tasks.checkout.imports import PACKAGES
from tasks.checkout.plain_yaml import load_yaml
from tasks.checkout.software import PINNED, installed, is_source, read_pinned
from tasks.lifecycle.initialising import TEMPLATE
from unlearn_core.records.project import Upgraded


def upgrade_project(root: Path, code: Mapping[str, bytes]) -> Upgraded:
    """Pin the installed Lethe, and describe the stages as it does.

    Only ``lethe.json`` and Lethe's stages in ``dvc.yaml`` change. A clone of Lethe's repository gets no
    ``lethe.json``: its list of code depends on the code itself.

    Args:
        root: The project, locked by the caller.
        code: The lists of code that the stage ``code`` would write now, by stage.

    Returns:
        The state before, the state now, and which stages became due.
    """
    before, source = read_pinned(root), is_source(root)
    changed = _renew_stages(root / "dvc.yaml", _own_stages(source=source))
    if not source:
        write_record(root / PINNED, installed())
    now = None if source else installed()
    return Upgraded(before=before, now=now, stages=changed, due=_due(root, code))


def _own_stages(*, source: bool) -> dict[str, Any]:
    """Return the stages as a user's project describes them, or a clone of Lethe's repository."""
    stages = load_yaml(TEMPLATE / "dvc.yaml")["stages"]
    if source:
        stages["code"]["deps"] = list(PACKAGES)
    return stages


def _renew_stages(path: Path, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Replace the stages of the same name, and return which; all else in the file stays."""
    yaml = YAML(pure=True)
    yaml.width = 1000
    document = yaml.load(path.read_text())
    stages = document.setdefault("stages", {})
    changed = tuple(name for name, stage in wanted.items() if stages.get(name) != stage)
    if changed:
        stages.update({name: wanted[name] for name in changed})
        dumped = io.StringIO()
        yaml.dump(document, dumped)
        write_atomically(path, dumped.getvalue().encode())
    return changed


def _due(root: Path, code: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the stages that were pinned with other code, or have another command now."""
    lock = root / "dvc.lock"
    pinned = load_yaml(lock)["stages"] if lock.is_file() else {}
    return tuple(name for name, listed in code.items() if not _ran(pinned.get(name), name, listed))


def _ran(entry: dict[str, Any] | None, name: str, listed: bytes) -> bool:
    """Tell whether a stage's entry in the lock is for this code."""
    if entry is None:
        return False
    digest = hashlib.md5(listed, usedforsecurity=False).hexdigest()
    own = {"path": f"reports/code/{name}.json", "md5": digest}
    return entry["cmd"] == f"lethe stage {name}" and any(own.items() <= dep.items() for dep in entry["deps"])
