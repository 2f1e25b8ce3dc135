"""How a command prints its result: one JSON document for a program, or text and tables for a person."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from unlearn_core.errors import LetheError
from unlearn_core.names import one_line, printable

if TYPE_CHECKING:
    from rich.console import Console

FLAG = "--json"


@dataclass(frozen=True)
class Output:
    """What the caller wants to read.

    Attributes:
        json: One JSON document on standard output, also when a command fails.
    """

    json: bool

    @classmethod
    def asked(cls) -> "Output":
        """Read the process's own command line, for errors outside any command."""
        return cls(FLAG in sys.argv)

    def give(self, value: Any, tell: Callable[[], str | None]) -> None:
        """Print a result.

        Args:
            value: The result as a JSON value.
            tell: Returns it as text, or prints it.
        """
        if self.json:
            print(json.dumps(value, indent=2))
        elif (words := tell()) is not None:
            say(words)

    def fail(self, error: Exception) -> NoReturn:
        """Say why a command stopped, in the log and, if asked for, as JSON; then exit."""
        from tasks.checkout.log import reason_of, tell_error

        code = getattr(error, "exit_code", LetheError.exit_code)
        tell_error(error)
        if self.json:
            print(json.dumps({"exit_code": code, "reason": reason_of(error)}))
        sys.exit(code)


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print text for a person: nothing in it can control the terminal, or fails for want of a letter.

    Args:
        text: One or more lines.
        file: Where; standard output by default.
    """
    stream = file or sys.stdout
    encoding = stream.encoding or "utf-8"
    print(printable(text).encode(encoding, "backslashreplace").decode(encoding), file=stream)


def table_cell(text: str) -> str:
    """Return text from outside for a table's cell: one line, and no markup."""
    from rich.markup import escape

    return escape(one_line(text))


def console() -> "Console":
    """Return a console that does not cut tables when there is no terminal to give a width."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120)


def number(value: float | None, digits: int) -> str:
    """Return a number for a table's cell, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"
