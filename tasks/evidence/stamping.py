"""Asking the operator's authority for a time stamp (RFC 3161): only the file's digest leaves the machine."""

from contextlib import suppress
from pathlib import Path

from tasks.checkout.authority import AuthoritySettings
from tasks.checkout.files import write_atomically
from tasks.checkout.log import reason_of, warn
from tasks.checkout.regular import read_regular
from tasks.evidence.anchoring import Anchor, believed_authorities, read_stamp, read_stamp_file, stamp_of
from unlearn_core.errors import EvidenceError, LetheError, SetupError, UnavailableError

_WAIT_S = 10
"""How long to wait for the authority."""


def stamp_file(file: Path) -> Anchor:
    """Have a file stamped, unless its stamp is there: any file, such as a certificate or another statement.

    Args:
        file: What was signed; the stamp goes beside it.

    Returns:
        The time and the authority.

    Raises:
        SetupError: If no authority is configured, or none is believed.
        EvidenceError: If what was answered is no stamp of this file by an authority that is believed.
        UnavailableError: If it did not answer.
    """
    if not (authorities := believed_authorities()):
        raise SetupError(
            "LETHE_TSA_CA names no certificates to believe time stamps by, and a stamp that cannot be "
            "checked is not kept; get the authority's root certificate"
        )
    content, place = read_regular(file), stamp_of(file)
    if place.is_file():
        # One of a file that was here before it was signed again is replaced.
        with suppress(EvidenceError):
            return read_stamp(read_stamp_file(place), content, authorities)
    stamp = _ask(content)
    anchor = read_stamp(stamp, content, authorities)
    write_atomically(place, stamp)
    return anchor


def stamp_if_wanted(*files: Path, later: str) -> None:
    """Have files stamped if an authority is configured; whatever goes wrong is told and stops nothing.

    Args:
        files: What was signed.
        later: The command that does it later.
    """
    try:
        for file in files if AuthoritySettings.read().url else ():
            stamp_file(file)
    except LetheError as error:
        warn(f"· not stamped: {reason_of(error)}; `{later}` does it later")


def _ask(content: bytes) -> bytes:
    """Return the authority's answer about some content, which has the nonce that was sent."""
    import httpx
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

    if not (url := AuthoritySettings.read().url):
        raise SetupError("no time stamp authority is configured; set LETHE_TSA_URL (docs/anchoring.md)")
    query = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).build()
    sent = {"Content-Type": "application/timestamp-query"}
    try:
        answer = httpx.post(url, content=query.as_bytes(), headers=sent, timeout=_WAIT_S)
        if not answer.is_success:
            raise UnavailableError(f"the time stamp authority answered with status {answer.status_code}")
        nonce = decode_timestamp_response(answer.content).tst_info.nonce
    except httpx.HTTPError as error:
        raise UnavailableError(f"the time stamp authority did not answer: {error!r}") from error
    except ValueError as error:
        raise EvidenceError(f"the authority answered with no time stamp: {error}") from error
    if nonce != query.nonce:
        raise EvidenceError("the authority answered another query than was sent: the nonce is not the same")
    return answer.content
