"""Where a command's result goes: one JSON document for a program, or words and tables for a person."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from unlearn_core.errors import LetheError

if TYPE_CHECKING:
    from rich.console import Console

FLAG = "--json"


@dataclass(frozen=True)
class Output:
    """What the caller wants to read.

    Attributes:
        json: One JSON document on standard output, also where a command fails.
    """

    json: bool

    @classmethod
    def asked(cls) -> "Output":
        """Return what the process's own command line asks for, for errors that no command sees."""
        return cls(FLAG in sys.argv)

    def give(self, value: Any, tell: Callable[[], str | None]) -> None:
        """Print a result.

        Args:
            value: The result as a JSON value.
            tell: Returns it in words, or prints it.
        """
        if self.json:
            print(json.dumps(value, indent=2))
        elif (words := tell()) is not None:
            print(words)

    def fail(self, error: Exception, *, exit_code: int | None = None) -> NoReturn:
        """Say why a command stopped, to a person and, if it asked for JSON, to a program, and exit.

        Args:
            error: What stopped it.
            exit_code: The process's; that of an error of Lethe's own by default.
        """
        code = exit_code if exit_code is not None else getattr(error, "exit_code", LetheError.exit_code)
        print(f"lethe: {error}", file=sys.stderr)
        if self.json:
            print(json.dumps({"exit_code": code, "reason": str(error)}))
        sys.exit(code)


def console() -> "Console":
    """Return a console that leaves a table whole where no terminal says how wide it is."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120)


def number(value: float | None, digits: int) -> str:
    """Return a number for a table's cell, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}"
