"""``lethe upgrade``: move a project to the installed Lethe."""

from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.project import Upgraded


def command(json: Json = False) -> None:
    """Pin the installed Lethe in this project, and say which stages are due again because of it.

    Writes `lethe.json`, and Lethe's own stages in `dvc.yaml` where they differ. Nothing is run; settings,
    data, models and evidence stay. Earlier certificates stay valid, and name the Lethe that made them.
    """
    from flows.upgrade import upgrade

    done = upgrade(Path.cwd())
    Output(json).give(done.model_dump(mode="json"), lambda: _tell(done))


def _tell(done: "Upgraded") -> str:
    """Say what was pinned before, what is pinned now, and what is due."""
    if done.now is None:
        lines = ["Lethe runs from this checkout: git records its version, and nothing is pinned"]
    else:
        lines = [f"made with    {done.before or 'unknown'}", f"now          {done.now}"]
    if done.stages:
        lines.append(f"dvc.yaml     {', '.join(done.stages)}: as this version starts them")
    lines.append(f"due again    {', '.join(done.due) or 'nothing'}")
    if done.now is not None:
        lines.append("keep it      git add lethe.json dvc.yaml && git commit -m 'Upgrade Lethe'")
    return "\n".join(lines)
