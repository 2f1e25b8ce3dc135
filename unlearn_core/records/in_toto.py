"""The in-toto Statement v1 that a signed record travels in: about exactly one file, named by its digest."""

from typing import Any, Literal, Self

from pydantic import Field

from unlearn_core.records.base import HexDigest, Record, Sha256, canonical_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class SubjectDigest(Record):
    """A digest as in-toto writes it: hexadecimal, without the algorithm's name."""

    sha256: HexDigest


class StatementSubject(Record):
    """What a statement is about: a file. The name ``digest`` is taken: every record has one."""

    name: str = Field(min_length=1)
    file_digest: SubjectDigest = Field(alias="digest")


class InTotoStatement(Record):
    """A statement; each kind adds its ``predicate_type`` and its ``predicate``."""

    statement_type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[StatementSubject, ...] = Field(min_length=1, max_length=1)

    @classmethod
    def about(cls, digest: Sha256, *, name: str, **predicate: Any) -> Self:
        """Make the statement about a file.

        Args:
            digest: The file's digest.
            name: What the file is called.
            predicate: ``predicateType`` and ``predicate``.

        Returns:
            The statement that is signed.
        """
        subject = StatementSubject(name=name, digest=SubjectDigest(sha256=digest.removeprefix("sha256:")))
        parts: dict[str, Any] = {"_type": STATEMENT_TYPE, "subject": (subject,), **predicate}
        return cls(**parts)

    @property
    def subject_digest(self) -> Sha256:
        """The digest of the file that it is about."""
        return f"sha256:{self.subject[0].file_digest.sha256}"

    def canonical(self) -> bytes:
        """Return the canonical JSON, with the keys that in-toto prescribes."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))
