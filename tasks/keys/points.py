"""Which Ed25519 public keys nobody but their owner can sign with.

A public key is a point ``(x, y)`` of ``-x² + y² = 1 + d x² y²`` modulo ``p = 2²⁵⁵ - 19`` (RFC 8032, 5.1),
stored as ``y`` and the sign of ``x``. Eight of the points have an order that divides 8: for them a signature
says nothing about the message, and anybody can make one. Some points can be stored in a second way, with
``y + p``: then two key ids would stand for one key. The library that verifies signatures refuses neither.
"""

PRIME = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, PRIME) % PRIME


def point_problem(raw: bytes) -> str | None:
    """Say why a public key must not be trusted.

    Args:
        raw: Its 32 bytes.

    Returns:
        What is wrong with it; None if nothing is.
    """
    y = int.from_bytes(raw, "little") % 2**255
    if y >= PRIME:
        return "is not written in its one canonical form (y is not below 2^255 - 19)"
    if pow(_x_squared(y), (PRIME - 1) // 2, PRIME) not in {0, 1}:
        return "is not a point of the curve"
    for _ in range(3):
        y = _doubled(y)
    return "is a point of small order: anybody can sign for it" if y == 1 else None


def _x_squared(y: int) -> int:
    """Return ``x²`` of the points with a ``y``. The denominator is never 0: ``-1/d`` is not a square."""
    return (y * y - 1) * pow(CURVE_D * y * y + 1, -1, PRIME) % PRIME


def _doubled(y: int) -> int:
    """Return the ``y`` of a point added to itself; it does not depend on the sign of ``x``."""
    x_squared = _x_squared(y)
    return (y * y + x_squared) * pow(2 - y * y + x_squared, -1, PRIME) % PRIME
