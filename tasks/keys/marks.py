"""What stays of forgotten pictures: keyed marks of their pixels, and perceptual hashes, encrypted.

Each has a key of its own, derived from the pseudonym key. A mark cannot be tried out without it. A perceptual
hash gives a coarse idea of its picture, so the hashes are encrypted, all of a deletion at once (AES-SIV,
RFC 5297: the same content gives the same bytes, and a changed byte is noticed).
"""

import base64
import hashlib
import hmac

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from numpy.typing import NDArray

from unlearn_core.errors import SetupError
from unlearn_core.records.base import HexDigest

_CONTEXT = b"lethe.tombstone/1\0"


def marks_of(pseudonym_key: bytes, pixels: NDArray[np.str_]) -> list[HexDigest]:
    """Return the keyed marks of some pictures.

    Args:
        pseudonym_key: The pseudonym key.
        pixels: ``[pictures]``, the digests of their pixels.

    Returns:
        64 hexadecimal digits for each, in order.
    """
    key = hmac.digest(pseudonym_key, _CONTEXT + b"mark", hashlib.sha256)
    return [hmac.digest(key, one.encode(), hashlib.sha256).hex() for one in pixels.tolist()]


def seal_looks(pseudonym_key: bytes, looks: NDArray[np.uint64], *, about: bytes) -> str:
    """Encrypt perceptual hashes.

    Args:
        pseudonym_key: The pseudonym key.
        looks: ``[pictures]``.
        about: What they belong to; they open for nothing else.

    Returns:
        Base64.
    """
    sealed = AESSIV(_sealing(pseudonym_key)).encrypt(looks.astype("<u8").tobytes(), [about])
    return base64.b64encode(sealed).decode()


def open_looks(pseudonym_key: bytes, sealed: str, *, about: bytes) -> NDArray[np.uint64]:
    """Decrypt perceptual hashes; arguments as for ``seal_looks``.

    Returns:
        ``[pictures]``.

    Raises:
        SetupError: If the key or what they belong to is another, or a byte was changed.
    """
    try:
        raw = AESSIV(_sealing(pseudonym_key)).decrypt(base64.b64decode(sealed), [about])
    except (InvalidTag, ValueError) as error:
        raise SetupError(
            "tombstones do not open: they were altered, or made with another pseudonym key; restore them "
            "with `dvc checkout`, and use the key that the requests were made with. If that was destroyed, "
            "they keep nothing out: `lethe tombstone lift REQUEST`"
        ) from error
    return np.frombuffer(raw, dtype="<u8").astype(np.uint64)


def _sealing(pseudonym_key: bytes) -> bytes:
    return hmac.digest(pseudonym_key, _CONTEXT + b"seal", hashlib.sha512)
