"""What is said of a command line that does not parse: to the person at the terminal, or to a log.

A person at a terminal is told what was typed. A log is kept, and what was typed may be somebody's name: there
the option or the argument is named, and what was expected.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer._click.exceptions import (
    BadOptionUsage,
    ClickException,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
)
from typer.core import TyperGroup

from unlearn_core.errors import UsageError


class Quiet(TyperGroup):
    """A group of commands that repeats in no log what was typed."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the options before the command."""
        with _unrepeated():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Read the rest, and run the command."""
        with _unrepeated():
            return super().invoke(ctx)


def may_repeat() -> bool:
    """Tell whether what was typed may be repeated: only a person at a terminal reads it."""
    from tasks.checkout.log import is_for_people

    return is_for_people() and sys.stderr.isatty()


def request_id_typed(typed: str | None) -> str | None:
    """Refuse what is no request's id before it stands in a line of the log.

    Args:
        typed: The argument; None if there is none.

    Returns:
        The same.

    Raises:
        UsageError: If no request can have this id, and it may not be repeated.
    """
    if typed is None or may_repeat():
        return typed
    from pydantic import TypeAdapter, ValidationError

    from unlearn_core.records.request import RequestId

    try:
        TypeAdapter(RequestId).validate_python(typed)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]
        is_text = said["type"] != "string_unicode" and typed.strip()
        wrong = f"id: {said['msg']}" if is_text else "is not an id: expected non-empty UTF-8 text"
        raise UsageError(f"what was given as a request's {wrong}") from None
    return typed


@contextmanager
def _unrepeated() -> Iterator[None]:
    """Turn a refusal of the command line into one of Lethe's, unless a person is to read it."""
    try:
        yield
    except NoArgsIsHelpError:
        raise
    except ClickException as error:
        if may_repeat():
            raise
        context = getattr(error, "ctx", None)
        where = f" (`{context.command_path} --help`)" if context else ""
        raise UsageError(f"{_unquoted(error, context)}{where}") from None


def _unquoted(error: ClickException, context: Any) -> str:
    """Say what is wrong without a word that was typed."""
    if isinstance(error, MissingParameter | BadOptionUsage) and not isinstance(error, NoSuchOption):
        return error.format_message().removesuffix(".")
    if isinstance(error, NoSuchOption):
        near = " or ".join(sorted(error.possibilities or ()))
        return f"no such option{f'; did you mean {near}?' if near else ''}"
    if isinstance(error, typer.BadParameter):
        if (parameter := error.param) is None:
            return "an invalid value"
        return f"invalid value for {parameter.get_error_hint()}; expected {parameter.display_type(context)}"
    if isinstance(getattr(context, "command", None), TyperGroup):
        return "no such command"
    return "more arguments than this command takes; put a name with spaces in quotes"
