"""What others say of a certificate: an authority's time stamp, and witnesses' signatures."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from tasks.checkout.environment import now
from tasks.evidence.anchoring import (
    Anchor,
    believed_authorities,
    read_stamp,
    read_stamp_file,
    require_after,
    stamp_of,
)
from tasks.evidence.witnessing import verify_witnesses, witness_files, witness_keys
from unlearn_core.audit.countersigning import Signatures
from unlearn_core.errors import EvidenceError, SetupError, UsageError
from unlearn_core.records.base import UtcTime


@dataclass(frozen=True)
class Attestors:
    """Who else is asked about a certificate.

    Attributes:
        stamp: A time stamp that it must have; one beside the certificate is read in any case.
        authorities: Certificates of the authorities whose stamps are believed; ``LETHE_TSA_CA``'s by default.
        witnesses: Public keys of witnesses; those in the key folder by default.
        threshold: How many of them must have signed; by default all that are given, and none of the others.

    Raises:
        UsageError: If the threshold is below one.
    """

    stamp: Path | None = None
    authorities: Path | None = None
    witnesses: tuple[Path, ...] = ()
    threshold: int | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and self.threshold < 1:
            raise UsageError(
                f"--threshold is {self.threshold}: expected at least 1; leave it out to ask nobody"
            )


def beside(certificate: Path) -> list[Path]:
    """Return the files that attest a certificate and lie beside it: its time stamp, those of witnesses."""
    return [*filter(Path.is_file, (stamp_of(certificate),)), *witness_files(certificate)]


def statements_beside(certificate: Path) -> list[Path]:
    """Return a certificate and the other signed statements in its folder; witnesses' files are none.

    Args:
        certificate: The certificate.

    Returns:
        The files.

    Raises:
        SetupError: If there is no certificate.
    """
    if not certificate.is_file():
        raise SetupError(f"there is no certificate {certificate}; serve the request first")
    return sorted(path for path in certificate.parent.glob("*.dsse.json") if ".witness-" not in path.name)


def attested(
    certificate: Path, issued: bytes, inside: Signatures, *, finished: UtcTime, asked: Attestors
) -> dict[str, JsonValue]:
    """Verify what others say of a certificate.

    Args:
        certificate: Its file, beside which theirs are.
        issued: Its content, with the issuer's signature alone, verified.
        inside: The witnesses' signatures in it.
        finished: When it was signed, by its own account.
        asked: Who is asked.

    Returns:
        ``anchored``: time and authority, or None and ``not_anchored``: why; ``witnessed_by``, the witnesses'
        keys, ``witnesses_known``, how many could have signed, and ``witnesses_needed``.
    """
    anchor = _anchor(certificate, issued, asked)
    if isinstance(anchor, Anchor):
        require_after(anchor, finished, now=now())
        told: dict[str, JsonValue] = {"anchored": anchor._asdict(), "not_anchored": None}
    else:
        told = {"anchored": None, "not_anchored": anchor}
    return {**told, **_witnessed(certificate, issued, inside, asked)}


def _anchor(certificate: Path, issued: bytes, asked: Attestors) -> Anchor | str:
    """Return when the certificate existed, or why nobody says so."""
    path, authorities = asked.stamp or stamp_of(certificate), believed_authorities(asked.authorities)
    if asked.stamp is None and not path.exists():
        return "no time stamp lies beside it, and its own date is the issuer's word"
    if not authorities:
        why = "no time stamp authority is believed here; give its certificate with --tsa-ca"
        if asked.stamp is None:
            return f"{path.name} lies beside it, but {why}"
        raise SetupError(why)
    return read_stamp(read_stamp_file(path), issued, authorities)


def _witnessed(
    certificate: Path, issued: bytes, inside: Signatures, asked: Attestors
) -> dict[str, JsonValue]:
    """Return who signed as a witness.

    Raises:
        EvidenceError: If fewer did than must have.
    """
    keys = witness_keys(asked.witnesses)
    found = verify_witnesses(issued, inside, witness_files(certificate), keys)
    needed = len(asked.witnesses) if asked.threshold is None else asked.threshold
    if len(found.by) < needed:
        raise EvidenceError(
            f"signed by {len(found.by)} of the {len(keys)} known witnesses, and {needed} must have; have it "
            "countersigned (`lethe evidence countersign`), or get the files that lie beside the certificate"
        )
    return {
        "witnessed_by": [*found.by],
        "witnesses_known": len(keys),
        "witnesses_needed": needed,
        "witnesses_unknown": found.others,
    }
