"""Hash trees over SHA-256 as RFC 6962 defines them: one root for a list, and proofs of places in it.

    leaf hash     SHA-256(00 || data)                     section 2.1
    node          SHA-256(01 || left || right)
    root          that of the first k leaves, and that of the rest; k is the largest power of two below n
    audit path    the roots of the subtrees beside a leaf, from the lowest to the highest    section 2.1.1

The root of an empty list is SHA-256 of nothing. Because every split is at a power of two, the roots of
consecutive groups of 2^i leaves are the leaves of a tree with the same root. The last group may be shorter.

Not here: signatures over a root; proofs that one tree extends another.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from letterlock.errors import MalformedMessage

HASH_BYTES: Final = 32
MAX_PATH: Final = 63
"""Hashes in the longest audit path: sizes of trees are below 2^63."""

_LEAF: Final = sha256(b"\0")
"""The state of a hash that has begun a leaf. A copy of it hashes a long leaf where it lies."""
_NODE: Final = b"\1"


def leaf_hash(data: bytes | memoryview) -> bytes:
    """Return the 32-byte hash of one leaf."""
    state = _LEAF.copy()
    state.update(data)
    return state.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of a node over its two children, 32 bytes each."""
    return sha256(_NODE + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the 32-byte root over leaf hashes, 32 bytes each, or over roots of equal groups of leaves."""
    level = list(hashes)
    if not level:
        return sha256().digest()
    while len(level) > 1:
        level = _above(level)
    return level[0]


def audit_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of the leaf at `index`: at most 63 hashes of 32 bytes.

    Raises ValueError if there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise ValueError(f"leaf {index} of {len(hashes)}")
    path: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        if index ^ 1 < len(level):  # the last one of an odd level has no sibling, and moves up as it is
            path.append(level[index ^ 1])
        level, index = _above(level), index >> 1
    return path


def audit_paths(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the audit path of every leaf, in their order. Each node is hashed once."""
    levels = [list(hashes)]
    while len(levels[-1]) > 1:
        levels.append(_above(levels[-1]))
    return [
        [level[(at >> up) ^ 1] for up, level in enumerate(levels[:-1]) if (at >> up) ^ 1 < len(level)]
        for at in range(len(hashes))
    ]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the 32-byte root that a leaf hash and its audit path lead to, in a tree of `size` leaves.

    The caller compares it with a root that it trusts, or verifies a signature over it. Raises
    MalformedMessage if such a tree has no such leaf, or if the path does not have this place's length.
    """
    if not 0 <= index < size < 1 << MAX_PATH:
        raise MalformedMessage("the proof names a leaf that its tree does not have: discard it")
    if len(leaf) != HASH_BYTES or any(len(each) != HASH_BYTES for each in path):
        raise MalformedMessage(f"a hash of the proof is not of {HASH_BYTES} bytes: discard it")
    rest, last, value = list(reversed(path)), size - 1, leaf
    while last:
        if index & 1 or index < last:
            if not rest:
                raise MalformedMessage("the audit path is too short: discard it")
            beside = rest.pop()
            value = node_hash(beside, value) if index & 1 else node_hash(value, beside)
        index, last = index >> 1, last >> 1
    if rest:
        raise MalformedMessage("the audit path is too long: discard it")
    return value


def _above(level: list[bytes]) -> list[bytes]:
    """Return the next level: a node for each pair, and a last one without a sibling as it is."""
    odd = level[-1:] if len(level) & 1 else []
    pairs = iter(level)
    return [sha256(_NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=False)] + odd
