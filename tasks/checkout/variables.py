"""The environment variables of this process: no other module touches them.

Lethe's are read through ``settings``, typed. The rest belong to libraries and other programs, which read them
themselves and are started with all of them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


def names_with(prefix: str) -> tuple[str, ...]:
    """Return the names of the variables that start with a prefix, in order."""
    return tuple(sorted(name for name in os.environ if name.startswith(prefix)))


def variable_value(name: str) -> str | None:
    """Return the value of a variable; None if it is not set."""
    return os.environ.get(name)


def set_variable(name: str, value: str) -> None:
    """Set a variable, also for child processes."""
    os.environ[name] = value


def unset_variable(name: str) -> None:
    """Remove a variable, if it is set."""
    os.environ.pop(name, None)


def set_defaults(values: Mapping[str, str]) -> None:
    """Set the variables that are not set yet."""
    for name, value in values.items():
        os.environ.setdefault(name, value)


def inherited(values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process: this one's, and some more values."""
    return {**os.environ, **values}


@contextmanager
def restored(*names: str) -> Iterator[None]:
    """Restore variables to their values before the block."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            unset_variable(name) if value is None else set_variable(name, value)
