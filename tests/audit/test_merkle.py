"""The tree is RFC 9162's, by its own recursive definition; proofs lead to its root, and no others do."""

import hashlib
import random

import pytest

from unlearn_core.audit.merkle import MerkleTree, root_above
from unlearn_core.errors import UsageError


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word; ``k`` is the largest power of two smaller than ``n``."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def mth_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return [*mth_path(index, leaves[:k]), mth(leaves[k:])]
    return [*mth_path(index - k, leaves[k:]), mth(leaves[:k])]


def leaves_of(count: int, seed: int = 0) -> list[bytes]:
    draw = random.Random(f"{count} {seed}")
    return sorted(draw.randbytes(32) for _ in range(count))


@pytest.mark.parametrize("count", [*range(1, 18), 31, 32, 33, 100])
def test_root_and_paths_are_those_of_the_rfc(count):
    leaves = leaves_of(count)
    shuffled = random.Random(1).sample(leaves, count)
    tree = MerkleTree(shuffled)
    assert tree.root == mth(leaves)
    for index, leaf in enumerate(leaves):
        assert list(tree.path(index)) == mth_path(index, leaves)
        assert root_above(leaf, index, count, tree.path(index)) == tree.root


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_a_proof_holds_for_its_leaf_at_its_place_in_its_tree_alone(count):
    tree = MerkleTree(leaves_of(count))
    for index, leaf in enumerate(tree.leaves):
        path = tree.path(index)
        others = [one for one in range(-1, count + 2) if one != index]
        assert all(root_above(leaf, other, count, path) != tree.root for other in others)
        assert root_above(leaf, index, count, (*path, b"\0" * 32)) is None
        assert root_above(leaf + b"\0", index, count, path) != tree.root
        assert not path or root_above(leaf, index, count, path[:-1]) is None


def test_a_node_cannot_pass_for_a_leaf():
    tree = MerkleTree(leaves_of(4))
    pair = b"".join(hashlib.sha256(b"\x00" + leaf).digest() for leaf in tree.leaves[:2])
    assert root_above(pair, 0, 2, tree.path(0)[1:]) != tree.root


@pytest.mark.parametrize("leaves", [[], [b"a", b"b", b"a"]])
def test_no_tree_without_leaves_or_with_the_same_leaf_twice(leaves):
    with pytest.raises(UsageError, match="leaves"):
        MerkleTree(leaves)
