"""What a setting is: an environment variable with a type, a default, and a description.

``settings`` lists all of them.
"""

from typing import Any, ClassVar, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from unlearn_core.errors import SetupError, UsageError


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
            return cls()
        except ValidationError as error:
            said = [cls._refusal(str(one["loc"][0]), one["input"]) for one in error.errors()]
            raise cls.wrong("\n".join(said)) from None

    @classmethod
    def variables(cls) -> dict[str, Any]:
        """Return the fields by the names of their variables."""
        return {str(field.validation_alias): field for field in cls.model_fields.values()}

    @classmethod
    def _refusal(cls, name: str, given: object) -> str:
        """Say what came, unless it may be a secret, and what was expected."""
        field = cls.variables()[name]
        expected = f"expected {field.json_schema_extra['expected']}"
        return f"{name} is {given!r:.80}; {expected}" if field.repr else f"{name}: {expected}"
