"""The page ``docs/commands.md``, read off the command line itself.

``python tests/commands_page.py`` writes it (``make docs``); a test holds it there.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from flows.cli.app import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """# Commands

*Written from the code by `make docs`; edit the help texts instead.*

Every command has `--help`, or `-h`, and, where it has a result, `--json`: one JSON document on standard
output, also when it fails. Progress and errors go to standard error, [the log](operations.md#the-log), and
`lethe --log-level warning COMMAND` reduces them. `lethe --install-completion` makes your shell complete
commands, options, requests and methods.
"""
CODES = """| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a bug in Lethe: please report it |
| 2 | wrong usage: nothing was changed |
| 3 | a method could not unlearn |
| 4 | a stage stopped, or a service did not answer |
| 5 | no method was accepted, or a person refused |
| 6 | evidence is false |
| 7 | an adversary passed the gate |
| 8 | what was asked for was erased by a purge |
| 130 | interrupted by Ctrl-C; 143 by `SIGTERM`, 129 by the end of the terminal |
"""

Found = tuple[str, TyperCommand]


def walk() -> Iterator[Found]:
    """Yield every command that does something, with the words that call it."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    yield from _below(root, "lethe")


def _below(group: TyperGroup, words: str) -> Iterator[Found]:
    for name, command in group.commands.items():
        called = f"{words} {name}"
        if isinstance(command, TyperGroup):
            yield from _below(command, called)
        elif isinstance(command, TyperCommand):
            yield called, command


def commands_page() -> str:
    """Return the page."""
    found = list(walk())
    contents = [f"- [`{words}`](#{words.replace(' ', '-')}): {summary(command)}" for words, command in found]
    return "\n".join([HEAD, *contents, "", CODES, *(_section(*one) for one in found)])


def summary(command: TyperCommand) -> str:
    """Return the first sentence of a command's help."""
    return " ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split())


def _section(words: str, command: TyperCommand) -> str:
    arguments = [one for one in command.params if isinstance(one, TyperArgument)]
    options = [one for one in command.params if isinstance(one, TyperOption) and one.name != "help"]
    called = [words, *(_shown(one) for one in arguments), *(["[OPTIONS]"] if options else [])]
    rows = [f"| `{_shown(one)}` | {_cell(one.help)} | |" for one in arguments]
    rows += [f"| `{_names(one)}` | {_cell(one.help)} | {_default(one)} |" for one in options]
    table = ["| | | default |", "|---|---|---|", *rows, ""] if rows else []
    text = inspect.cleandoc(command.help or "")
    return "\n".join([f"## {words}", "", f"```\n{' '.join(called)}\n```", "", text, "", *table])


def _shown(argument: TyperArgument) -> str:
    name = (argument.metavar or argument.name or "").strip("[]").upper()
    return name if argument.required else f"[{name}]"


def _names(option: TyperOption) -> str:
    return ", ".join(option.opts) + ("" if option.is_flag else f" {option.metavar or _kind(option)}")


def _kind(option: TyperOption) -> str:
    """Return what an option takes, as people write it in a usage line."""
    kind = option.type_descriptor.annotation
    if choices := get_args(kind):
        return "\\|".join(str(choice) for choice in choices)
    return {"int": "N", "float": "NUMBER", "str": "TEXT"}.get(kind.__name__, kind.__name__.upper())


def _default(option: TyperOption) -> str:
    if option.required:
        return "required"
    shown = option.show_default if isinstance(option.show_default, str) else option.default
    return "" if shown in (None, False, ()) else f"`{shown}`"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(commands_page())


if __name__ == "__main__":
    main()
