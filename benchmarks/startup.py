"""How long a command takes to start: its help, its refusals, and its first output.

``python -m benchmarks.startup`` makes a project in a temporary folder and gives each command there, and some
in a folder that is no project, each in a process of its own. It writes ``results/startup.json``: for each
command the seconds until the first output and until the end, how many modules were loaded, and which of those
are heavy. A command that would work for long is ended after its first output.
"""

import argparse
import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from benchmarks.surroundings import stand_alone
from benchmarks.timing import provenance
from flows.cli.app import app
from tasks.checkout.files import write_atomically
from tasks.checkout.variables import inherited
from tasks.lifecycle.initialising import init_project

RESULTS = Path(__file__).resolve().parent / "results" / "startup.json"
HEAVY = (
    "torch",
    "mlflow",
    "prefect",
    "dvc",
    "great_expectations",
    "sqlalchemy",
    "sklearn",
    "pandas",
    "scipy",
)
PROGRAM = (
    "import atexit, pathlib, sys; place, *words = sys.argv[1:]; sys.argv = ['lethe', *words]; "
    "atexit.register(lambda: pathlib.Path(place).write_text('\\n'.join(sys.modules))); "
    "from flows.cli.app import main; main()"
)
LONGEST_S = 300
PROJECT = (
    "status",
    "methods",
    "keys list",
    "request list",
    "verify",
    "pending",
    "next",
    "delete r-1 --class banana",
    "delete r-1 --sample nobody",
    "delete demos",
    "adopt none.safetensors --architecture small_resnet --data .",
    "tune banana",
    "benchmark --method banana",
    "report demos",
    "approve demo --by nobody",
    "canary plant --records 100000",
    "evidence push demo",
    "request show nobody",
    "check-method banana",
    "check-metric banana",
    "stage banana",
    "serve",
    "deploy",
)
"""What ends by itself soon: answers and refusals."""
OUTSIDE = ("delete r-1 --class 3", "status", "train", "verify", "next")
WORKING = ("train", "demo", "delete demo", "tune svd", "reference --dry-run", "benchmark --dry-run")
"""What works for long; it is ended after its first output."""


def measure(folder: Path, *, repeats: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each command, the fastest of some repeats."""
    outside, project = folder / "outside", folder / "project"
    outside.mkdir()
    init_project(project)
    for words in _commands():
        yield _best("help", f"{words} --help".strip(), outside, repeats)
    for words in OUTSIDE:
        yield _best("no project", words, outside, repeats)
    for words in PROJECT:
        yield _best("answer", words, project, repeats)
    for words in WORKING:
        yield _best("first output", words, project, repeats)


def _commands() -> Iterator[str]:
    """Yield the words of every command, and none for the program itself."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    yield ""
    for name, command in group.commands.items():
        below = command.commands if isinstance(command, TyperGroup) else {}
        yield from (f"{name} {one}" for one in below) if below else (name,)


def _best(kind: str, words: str, folder: Path, repeats: int) -> dict[str, Any]:
    """Return the row of a command's fastest start."""
    rows = [_timed(words, folder, stop=kind == "first output") for _ in range(repeats)]
    return {"kind": kind, "command": f"lethe {words}", **min(rows, key=lambda row: row["first_output"])}


def _timed(words: str, folder: Path, *, stop: bool) -> dict[str, Any]:
    """Give a command, and return when it first said something, when it ended, and what it loaded."""
    with tempfile.NamedTemporaryFile() as place:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, place.name, *words.split()],
            cwd=folder,
            env=inherited({f"{name}_HOME": str(folder.parent / name) for name in ("LETHE", "PREFECT")}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        with process, selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.select(LONGEST_S)
            first = time.perf_counter() - began
            if stop:
                process.terminate()
            process.communicate(timeout=LONGEST_S)
        whole = time.perf_counter() - began
        modules = Path(place.name).read_text().split()
    loaded = {"modules": len(modules) or None, "heavy": [name for name in HEAVY if name in modules]}
    return {"first_output": first, "seconds": None if stop else whole, **loaded, "exit": process.returncode}


def main() -> None:
    """Measure, print a row for each command, and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="of each command; the fastest counts")
    parser.add_argument("--note", default="", help="what a reader of the numbers should know")
    given = parser.parse_args()
    stand_alone()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(Path(folder), repeats=given.repeats):
            rows.append(row)
            print(f"{row['first_output']:6.2f} s  {row['modules'] or 0:5}  {row['command']}  {row['heavy']}")
    document = {**provenance("cpu", "make bench-startup"), "repeats": given.repeats, "note": given.note}
    write_atomically(RESULTS, (json.dumps({**document, "rows": rows}, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
