"""When something was signed, according to whom: time stamps (RFC 3161), read and verified offline.

A stamp lies beside the file that it is about: ``certificate.tsr`` beside ``certificate.dsse.json``. It is an
authority's signature over the file's digest and a time. Whose are believed is the reader's choice.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509

from tasks.checkout.authority import AuthoritySettings
from tasks.checkout.regular import read_regular
from unlearn_core.audit.clocks import TIME, is_later
from unlearn_core.errors import EvidenceError, SetupError
from unlearn_core.records.base import UtcTime

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

MAX_STAMP_BYTES = 64 * 1024
_SUFFIX = ".tsr"


class Anchor(NamedTuple):
    """When something existed at the latest, and the authority that says so."""

    time: UtcTime
    authority: str


def stamp_of(file: Path) -> Path:
    """Return where the time stamp of a file lies: beside it."""
    return file.with_name(f"{stem_of(file)}{_SUFFIX}")


def stem_of(file: Path) -> str:
    """Return what the names of the files begin with that lie beside a signed one."""
    return file.name.removesuffix(".json").removesuffix(".dsse")


def believed_authorities(given: Path | None = None) -> tuple[x509.Certificate, ...]:
    """Return the certificates by which time stamps are believed.

    Args:
        given: A PEM file; that in ``LETHE_TSA_CA`` by default.

    Returns:
        The certificates; none if there is no such file to look for.

    Raises:
        SetupError: If the file cannot be read, or holds no certificate.
    """
    if (path := given or AuthoritySettings.read().certificates) is None:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(read_regular(path)))
    except OSError as error:
        raise SetupError(f"cannot read the authority's certificates {path}: {error.strerror}") from error
    except ValueError as error:
        raise SetupError(f"{path} holds no certificate in PEM form: {error}") from error


def read_stamp(stamp: bytes, content: bytes, authorities: Sequence[x509.Certificate]) -> Anchor:
    """Verify a time stamp.

    Args:
        stamp: The authority's response.
        content: What it should be about.
        authorities: Whose stamps are believed; at least one.

    Returns:
        The time, and the name in the certificate that it was signed with.

    Raises:
        EvidenceError: If it is no time stamp, of other content, or by an authority that is not believed.
    """
    from rfc3161_client import VerifierBuilder, decode_timestamp_response

    try:
        response = decode_timestamp_response(stamp)
        VerifierBuilder(roots=list(authorities)).build().verify_message(response, content)
        time, names = response.tst_info.gen_time.strftime(TIME), _signers(response, authorities)
    except Exception as error:  # libraries stumble over altered bytes in many ways
        raise EvidenceError(_explain(str(error))) from error
    if len(names) != 1:
        raise EvidenceError(f"the time stamp names its signer by {len(names)} certificates; expected one")
    return Anchor(time, names[0])


def require_after(anchor: Anchor, finished: UtcTime, *, now: UtcTime) -> None:
    """Refuse a stamp from before what it is about was signed, or from the future.

    Args:
        anchor: The verified stamp.
        finished: When it was signed by its own account.
        now: The current time.

    Raises:
        EvidenceError: If the times contradict one another.
    """
    said = f"{anchor.authority} stamped it at {anchor.time}"
    if is_later(finished, anchor.time):
        raise EvidenceError(f"{said}, before it was signed at {finished}: one is misdated; ask the issuer")
    if is_later(anchor.time, now):
        raise EvidenceError(f"{said}, in the future (it is {now}); is a clock wrong?")


def read_stamp_file(path: Path) -> bytes:
    """Read a time stamp's file.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        SetupError: If it cannot be read.
    """
    try:
        return read_regular(path, MAX_STAMP_BYTES)
    except OSError as error:
        raise SetupError(f"cannot read the time stamp {path}: {error.strerror}") from error


def _signers(response: "TimeStampResponse", authorities: Sequence[x509.Certificate]) -> list[str]:
    """Return the names in all certificates that a response's signer may mean.

    OpenSSL has verified *a* certificate of that issuer and serial number. If there were two, the name might
    be read from the other one, which anybody can have written.
    """
    (signed,) = response.signed_data.signer_infos
    meant = (signed.issuer, signed.serial_number)
    known = {*authorities, *map(x509.load_der_x509_certificate, response.signed_data.certificates)}
    return [one.subject.rfc4514_string() for one in known if (one.issuer, one.serial_number) == meant]


def _explain(reason: str) -> str:
    """Say in words why a stamp was refused; the library quotes OpenSSL's stack of errors."""
    if "Mismatch between messages" in reason:
        return "the time stamp is of other content: this file is not what was stamped"
    if "verifying certificates" in reason:
        return (
            "the time stamp was altered, or signed by an authority that is not believed; get its certificate"
        )
    return f"the time stamp is not valid (RFC 3161): {reason}; stamp the file again"
