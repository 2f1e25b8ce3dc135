"""What to look for after a purge, sealed: outlines of byte strings, which are no longer here themselves.

An outline has eight bytes of an image or an id, so all of them together are encrypted (AES-SIV, RFC 5297),
and their marks are keyed. Both keys are derived from the pseudonym key, for this purpose alone.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from unlearn_core.byte_strings import Outline
from unlearn_core.errors import SetupError
from unlearn_core.records.base import canonical_json
from unlearn_core.records.traces import TraceKind

_CONTEXT = b"lethe.outlines/1\0"


def outline_key(pseudonym_key: bytes) -> bytes:
    """Return the key of the outlines' marks."""
    return hmac.digest(pseudonym_key, _CONTEXT + b"mark", hashlib.sha256)


def seal_outlines(pseudonym_key: bytes, outlines: Iterable[tuple[TraceKind, Outline]], *, about: str) -> str:
    """Encrypt outlines.

    Args:
        pseudonym_key: The pseudonym key.
        outlines: The outlines, each with what it is of.
        about: The request; they open for no other.

    Returns:
        Base64.
    """
    rows = [[kind, one.window.hex(), one.place, one.length, one.mark.hex()] for kind, one in outlines]
    sealed = AESSIV(_sealing(pseudonym_key)).encrypt(canonical_json(rows), [about.encode()])
    return base64.b64encode(sealed).decode()


def open_outlines(pseudonym_key: bytes, sealed: str, *, about: str) -> list[tuple[TraceKind, Outline]]:
    """Decrypt outlines; arguments as for ``seal_outlines``.

    Returns:
        The outlines, each with what it is of.

    Raises:
        SetupError: If the key or the request is another, or a byte was changed.
    """
    try:
        raw = AESSIV(_sealing(pseudonym_key)).decrypt(base64.b64decode(sealed), [about.encode()])
    except (InvalidTag, ValueError) as error:
        raise SetupError(
            f"what the purge of {about!r} looks for does not open: it was altered, or made with another "
            "pseudonym key; use the key that the purge was planned with"
        ) from error
    return [
        (kind, Outline(bytes.fromhex(window), place, length, bytes.fromhex(mark)))
        for kind, window, place, length, mark in json.loads(raw)
    ]


def _sealing(pseudonym_key: bytes) -> bytes:
    return hmac.digest(pseudonym_key, _CONTEXT + b"seal", hashlib.sha512)
