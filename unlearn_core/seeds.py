"""One base seed, and a separate seed for everything that draws."""

import hashlib


def derive_seed(base: int, purpose: str) -> int:
    """Return the seed for one purpose, in ``[0, 2**31)``; other purposes get unrelated seeds."""
    return int.from_bytes(hashlib.sha256(f"{base}/{purpose}".encode()).digest()[:4], "big") >> 1
