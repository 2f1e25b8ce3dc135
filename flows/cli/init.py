"""``lethe init``: a project in any folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

if TYPE_CHECKING:
    from unlearn_core.records.project import Initialised


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Created if it does not exist.", show_default="here")
    ] = Path(),
    json: Json = False,
) -> None:
    """Make a project: settings, pipeline, DVC, ignore files, and git if there is none.

    Asks nothing and overwrites nothing: existing files stay, and an ignore file gets the lines that it lacks.
    No source of Lethe is copied into the project; `lethe.json` records which Lethe it was made with. In a
    folder that is already a project, nothing is done.
    """
    from tasks.lifecycle.initialising import init_project

    done = init_project(folder)
    told = {"project": str(folder), **done.model_dump(mode="json")}
    Output(json).give(told, lambda: _tell(folder, done))


def _tell(folder: Path, done: "Initialised") -> str:
    """Say what was done, and what to do next."""
    if done.existed:
        return f"{folder} is already a project; nothing was changed"
    lines = [f"made         {', '.join(done.made)}"]
    if done.extended:
        lines.append(f"added to     {', '.join(done.extended)}")
    if done.kept:
        lines.append(f"kept         {', '.join(done.kept)}: existed, with other content")
    lines.append("")
    if folder != Path():
        lines.append(f"enter it     cd {folder}")
    lines += [
        "watch it     lethe demo",
        "your own     lethe adopt WEIGHTS --architecture NET --data IMAGES",
        "keep it      git add --all . && git commit -m 'Start a project'",
    ]
    return "\n".join(lines)
