"""The one shape of everything that is written down."""

import hashlib
import json
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from unlearn_core.errors import ConfigurationError
from unlearn_core.names import one_line

Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A digest with the name of its algorithm."""

HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest without the name of its algorithm."""

Pseudonym = Annotated[str, StringConstraints(pattern=r"^hmac-sha256:[0-9a-f]{64}$")]
"""A keyed hash that stands for a sample or a person."""

RegistryName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A valid name for a model or a data set in a registry."""

UtcTime = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
"""A moment in time, UTC, to the second."""

Number = Annotated[float, Field(ge=-1e100, le=1e100)]
"""A number of a moderate size: sums, squares and products of two of them are finite."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """Encode a JSON value in its one canonical form: sorted keys, no white space, UTF-8.

    Args:
        value: What ``json`` can encode, without NaN or infinities.

    Returns:
        The bytes that digests and signatures are made over.
    """
    return _CANONICAL.encode(value).encode()


def sha256(data: bytes) -> Sha256:
    """Return the digest of bytes, prefixed with the algorithm's name."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Record(BaseModel):
    """A value that is written down: frozen, strict, without unknown keys, NaN or lists."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )
    quotes: ClassVar[bool] = True
    """Whether a refusal quotes what came; False where that could be the name of a person."""

    def canonical(self) -> bytes:
        """Return the canonical JSON of this record."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> Sha256:
        """The SHA-256 of the canonical JSON."""
        return sha256(self.canonical())

    @classmethod
    def parse(cls, raw: bytes | str) -> Self:
        """Read a record from JSON, strictly.

        Args:
            raw: JSON text.

        Returns:
            The validated record.

        Raises:
            ConfigurationError: If a key is unknown or missing or a value has the wrong type; every
                problem is listed.
        """
        try:
            return cls.model_validate_json(raw, strict=True)
        except ValidationError as error:
            # What pydantic says quotes keys and tags; a traceback of it would show them.
            refusal = ConfigurationError(describe(cls.__name__, error, quotes=cls.quotes))
            raise refusal from error if cls.quotes else None


def describe(what: str, error: ValidationError, *, within: str | None = None, quotes: bool = True) -> str:
    """Turn a validation error into one line per problem: where, what was wrong, what came.

    Args:
        what: What was validated.
        error: What is wrong with it.
        within: Only problems below this field, named from there.
        quotes: Whether to say what came; otherwise nothing that came is repeated, an unknown key neither.

    Returns:
        A heading and the lines.
    """
    lines = [f"{what} is not valid:"]
    for problem in error.errors(include_url=False):
        path, said = [str(part) for part in problem["loc"]], problem["msg"]
        if within is not None and path.pop(0) != within:
            continue
        if quotes:
            said += f" (got {problem['input']!r:.80})"
        elif problem["type"] == "extra_forbidden":
            path[-1], said = "a key", "is not known here"
        elif problem["type"] == "union_tag_invalid":
            said = f"expected one of {problem.get('ctx', {}).get('expected_tags')}"
        lines.append(f"  {'.'.join(path) or what}: {said}")
    return "\n".join(map(one_line, lines))
