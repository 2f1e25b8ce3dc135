"""Merkle trees over sorted leaves: one digest that commits to a whole list, with short proofs about it.

The tree is that of RFC 9162, 2.1: a leaf's hash is ``SHA-256(0x00 ‖ leaf)``, a node's
``SHA-256(0x01 ‖ left ‖ right)``. Built from the leaves up, pair by pair; an odd node moves up as it is. Where
the leaves are sorted, two of them that stand next to each other show that nothing is between them.
"""

import hashlib
from collections.abc import Iterable, Sequence

from unlearn_core.errors import UsageError


class MerkleTree:
    """All levels of a tree, from the leaves' hashes to the root."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Sort the leaves and build the tree.

        Args:
            leaves: At least one, each a different one.

        Raises:
            UsageError: If there is none, or one is there twice.
        """
        self.leaves: tuple[bytes, ...] = tuple(sorted(leaves))
        if not self.leaves or len(set(self.leaves)) < len(self.leaves):
            raise UsageError(f"{len(self.leaves)} leaves, not all different; a tree has at least one of each")
        self._levels = [[_leaf_hash(leaf) for leaf in self.leaves]]
        while len(below := self._levels[-1]) > 1:
            pairs = [_node_hash(*below[at : at + 2]) for at in range(0, len(below) - 1, 2)]
            self._levels.append([*pairs, *below[2 * len(pairs) :]])

    def __len__(self) -> int:
        return len(self.leaves)

    @property
    def root(self) -> bytes:
        """The hash of everything, 32 bytes."""
        return self._levels[-1][0]

    def path(self, index: int) -> tuple[bytes, ...]:
        """Return the hashes beside the way from a leaf to the root, from below."""
        found: list[bytes] = []
        for level in self._levels:
            if (index ^ 1) < len(level):
                found.append(level[index ^ 1])
            index //= 2
        return tuple(found)


def root_above(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a proof of inclusion leads to.

    Args:
        leaf: The leaf, as it was sorted.
        index: Its place among the leaves, from 0.
        size: How many leaves the tree has.
        path: The hashes beside the way to the root, from below.

    Returns:
        The root, to be compared with the true one; None if the path is too short or too long for that place.
    """
    if not 0 <= index < size:
        return None
    reached, beside = _leaf_hash(leaf), list(path)
    while size > 1:
        if (index ^ 1) < size:
            if not beside:
                return None
            other = beside.pop(0)
            reached = _node_hash(other, reached) if index % 2 else _node_hash(reached, other)
        index, size = index // 2, (size + 1) // 2
    return None if beside else reached


def _leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
