"""Follow a page: its files are written and its commands typed, in order, by one shell.

In a page's fenced blocks ``sh`` holds commands, ``text`` what the commands before it print, and any other
language a file, which the paragraph before it names in backticks.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([\w-]+\.(?:py|yaml))`")
MARK = "@@ step "
SIGN_OF_LIFE = re.compile(r"^… .*, \d+ s\n", re.MULTILINE)
VARIES = re.compile(r"…|\d+\.\d+")
"""What stands for anything on a line, and what stands for any other number of its kind."""


@dataclass(frozen=True)
class Step:
    """Commands, with all that the page says of what they print; or a file."""

    text: str
    file: str | None = None
    printed: str | None = None


@dataclass(frozen=True)
class Followed:
    """Where a page led, the home of who followed it, and what every step printed."""

    folder: Path
    home: Path
    printed: list[str]


def steps_of(page: str) -> tuple[Step, ...]:
    """Read the steps of a page."""
    steps: list[Step] = []
    end = 0
    for block in BLOCK.finditer(page):
        language, text = block.groups()
        before, end = page[end : block.start()], block.end()
        if language == "sh":
            steps.append(Step(text))
        elif language == "text":
            steps.append(Step(steps.pop().text, printed=text))
        else:
            steps.append(Step(text, file=NAME.findall(before.rstrip().rpartition("\n\n")[2])[0]))
    return tuple(steps)


def follow(steps: tuple[Step, ...], folder: Path, variables: dict[str, str]) -> list[str]:
    """Go through all steps in one shell, which ends at the first command that fails; none may.

    Args:
        steps: What to do.
        folder: Where to begin; what is typed is put down in ``steps`` beside it.
        variables: The environment.

    Returns:
        What each step printed, on both streams.
    """
    typed = folder.with_name("steps")
    typed.mkdir()
    lines = ["set -e"]
    for number, step in enumerate(steps):
        lines.append(f"echo '{MARK}{number}'")
        if step.file is None:
            lines.append(step.text)
        else:
            (typed / str(number)).write_text(step.text)
            lines.append(f"cp '{typed / str(number)}' '{step.file}'")
    (typed / "script").write_text("\n".join(lines))
    shell = ["bash", str(typed / "script")]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(shell, cwd=folder, env=variables, text=True, check=False, **both)
    assert done.returncode == 0, done.stdout
    return re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]


def is_printed(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed, line by line.

    A line that is ``…`` alone stands for any lines, or none; ``…`` in a line for any part of it; a number
    with a point for any such number. All else is as it stands. How many signs of life there are depends on
    the machine, so they are left out of what was printed.
    """
    printed = SIGN_OF_LIFE.sub("", printed)
    lines = [r"(?:.*\n)*?" if line == "…" else _pattern(line) + "\n" for line in shown.splitlines()]
    return re.fullmatch("".join(lines), printed) is not None


def _pattern(line: str) -> str:
    """Turn a line of a page into a regular expression."""
    parts = (re.escape(part) for part in VARIES.split(line))
    marks = [".*" if mark == "…" else r"\d+\.\d+" for mark in VARIES.findall(line)]
    return "".join(part + mark for part, mark in zip(parts, [*marks, ""], strict=True))


def beginner(home: Path) -> dict[str, str]:
    """Return the environment of somebody who has just begun: a home that is empty, and nothing set."""
    set_here = ("AWS_", "GIT_", "LETHE_", "MLFLOW_", "PREFECT_", "PYTHON", "VIRTUAL_ENV", "XDG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(set_here)}
    programs = Path(sys.executable).parent
    return {**kept, "HOME": str(home), "PATH": os.pathsep.join([str(programs), os.environ["PATH"]])}
