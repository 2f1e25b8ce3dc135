"""What a setting is: an environment variable with a type, a default, and a description.

``settings`` lists all of them.
"""

import re
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.checkout.variables import variable_value
from unlearn_core.errors import SetupError, UsageError

FILE = "_FILE"
"""What the name of a variable ends in that names the file of a secret."""


def variable(
    name: str, default: Any, *, expected: str, purpose: str, private: bool = False, **limits: Any
) -> Any:
    """Describe a variable, as a field of a group.

    Args:
        name: Its name.
        default: Its value if unset.
        expected: What it holds, in plain words; errors and documentation quote it.
        purpose: What it is for, in Markdown.
        private: Whether a wrong value may hold a secret; if so, no error repeats it.
        limits: Pydantic's own limits.

    Returns:
        The field.
    """
    return Field(
        default,
        validation_alias=name,
        description=purpose,
        repr=not private,
        json_schema_extra={"expected": expected},
        **limits,
    )


def require_address(url: str) -> str:
    """Return the address of a server as it is.

    Args:
        url: An address without credentials, a query or a fragment; may be empty.

    Raises:
        ValueError: If it is anything else.
    """
    host = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d+)?"
    if url and not re.fullmatch(rf"https?://{host}(/[^\s?#@]*)?", url):
        raise ValueError("not the address of a server")
    return url


class Settings(BaseSettings):
    """A group of variables; an empty one counts as unset."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        case_sensitive=True,
        env_ignore_empty=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,
    )

    wrong: ClassVar[type[UsageError]] = SetupError
    """What is raised for an invalid value."""

    @classmethod
    def read(cls) -> Self:
        """Read the group from the environment as it is now.

        Returns:
            The values.

        Raises:
            UsageError: If a value is not valid; all such values are listed.
        """
        try:
            return cls(**cls._in_files())
        except ValidationError as error:
            said = [cls._refusal(str(one["loc"][0]), one["input"]) for one in error.errors()]
            raise cls.wrong("\n".join(said)) from None

    @classmethod
    def variables(cls) -> dict[str, Any]:
        """Return the fields by the names of their variables."""
        return {str(field.validation_alias): field for field in cls.model_fields.values()}

    @classmethod
    def secret_files(cls) -> dict[str, str]:
        """Return the variables that name the files of secrets, and the variables that they stand for."""
        secrets = [name for name, field in cls.variables().items() if "SecretStr" in str(field.annotation)]
        return {f"{name}{FILE}": name for name in secrets}

    @classmethod
    def _in_files(cls) -> dict[str, str]:
        """Read the secrets that are in files, unless they are in the environment as well."""
        found = dict[str, str]()
        for named, name in cls.secret_files().items():
            if not (path := variable_value(named)) or variable_value(name):
                continue
            try:
                found[name] = Path(path).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is not text"
                raise cls.wrong(f"{named}: cannot read {path}: {why}") from None
        return found

    @classmethod
    def _refusal(cls, name: str, given: object) -> str:
        """Say what came, unless it may be a secret, and what was expected."""
        field = cls.variables()[name]
        expected = f"expected {field.json_schema_extra['expected']}"
        return f"{name} is {given!r:.80}; {expected}" if field.repr else f"{name}: {expected}"
