"""What to look for after a purge, sealed: outlines of byte strings, which are no longer here themselves.

An outline has eight bytes of an image or an id, so all of them together are encrypted (AES-SIV, RFC 5297),
and their marks are keyed. The record of what was erased is sealed as well. The keys are derived from the
pseudonym key, for this purpose alone.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from unlearn_core.byte_strings import Outline
from unlearn_core.errors import SetupError
from unlearn_core.records.base import Sha256, canonical_json
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
        about: What they belong to; they open for nothing else.

    Returns:
        Base64.
    """
    rows = [[kind, one.window.hex(), one.place, one.length, one.mark.hex()] for kind, one in outlines]
    sealed = AESSIV(_sealing(pseudonym_key)).encrypt(canonical_json(rows), [about.encode()])
    return base64.b64encode(sealed).decode()


def open_outlines(
    pseudonym_keys: Iterable[bytes], sealed: str, *, about: str
) -> tuple[bytes, list[tuple[TraceKind, Outline]]]:
    """Decrypt outlines.

    Args:
        pseudonym_keys: The keys that they may be sealed with.
        sealed: What ``seal_outlines`` returned.
        about: What they belong to.

    Returns:
        The key, and the outlines, each with what it is of.

    Raises:
        SetupError: If none of the keys opens them, or what they belong to was altered.
    """
    for key in pseudonym_keys:
        with suppress(InvalidTag, ValueError):
            raw = AESSIV(_sealing(key)).decrypt(base64.b64decode(sealed), [about.encode()])
            return key, [
                (kind, Outline(bytes.fromhex(window), place, length, bytes.fromhex(mark)))
                for kind, window, place, length, mark in json.loads(raw)
            ]
    raise SetupError(
        "the plan of a purge does not open: it was altered, or made with another pseudonym key. Use the key "
        "that the purge was planned with"
    )


def seal_record(pseudonym_key: bytes, digest: Sha256) -> str:
    """Return the seal of a record: only who has the key can make it.

    Args:
        pseudonym_key: The pseudonym key.
        digest: The digest of the record without its seal.

    Returns:
        An HMAC-SHA256 in hexadecimal.
    """
    key = hmac.digest(pseudonym_key, _CONTEXT + b"record", hashlib.sha256)
    return hmac.digest(key, digest.encode(), hashlib.sha256).hex()


def is_seal(pseudonym_keys: Iterable[bytes], digest: Sha256, seal: str) -> bool:
    """Tell whether one of the keys made a seal of the record with this digest."""
    return any(
        hmac.compare_digest(seal_record(key, digest).encode(), seal.encode()) for key in pseudonym_keys
    )


def _sealing(pseudonym_key: bytes) -> bytes:
    return hmac.digest(pseudonym_key, _CONTEXT + b"seal", hashlib.sha512)
