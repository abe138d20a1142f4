"""Hash trees against a plain recursive reading of RFC 6962 section 2.1, and proofs that must not be accepted.

Not here: published trees and proofs (test_merkle_published.py).
"""

from hashlib import sha256

import pytest

from letterlock._primitives import merkle
from letterlock.errors import MalformedMessage

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33]


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([number])) for number in range(count)]


def recursive_root(hashes: list[bytes]) -> bytes:
    """Return MTH(D[n]) as the RFC writes it."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\1" + recursive_root(hashes[:split]) + recursive_root(hashes[split:])).digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_recursion(size: int) -> None:
    assert merkle.root(leaves(size)) == recursive_root(leaves(size))


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == sha256(b"").digest()


def test_a_leaf_is_no_node_and_a_node_no_leaf() -> None:
    left, right = leaves(2)
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)
    assert merkle.leaf_hash(b"") == sha256(b"\0").digest()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("group", [1, 2, 4, 8])
def test_roots_of_groups_are_leaves_of_a_tree_with_the_same_root(size: int, group: int) -> None:
    every = leaves(size)
    groups = [merkle.root(every[start : start + group]) for start in range(0, size, group)]
    assert merkle.root(groups) == merkle.root(every)


@pytest.mark.parametrize("size", SIZES)
def test_every_path_leads_to_the_root(size: int) -> None:
    every = leaves(size)
    for index, leaf in enumerate(every):
        path = merkle.audit_path(every, index)
        assert merkle.root_from_path(leaf, index, size, path) == merkle.root(every)


@pytest.mark.parametrize("size", [2, 3, 5, 8, 9])
def test_a_path_at_another_place_leads_elsewhere(size: int) -> None:
    every = leaves(size)
    root = merkle.root(every)
    for index, leaf in enumerate(every):
        path = merkle.audit_path(every, index)
        for other in range(size):
            if other == index:
                continue
            try:
                found = merkle.root_from_path(leaf, other, size, path)
            except MalformedMessage:
                continue
            assert found != root


@pytest.mark.parametrize("size", [2, 3, 5, 8, 9])
def test_a_path_of_another_length_is_refused(size: int) -> None:
    every = leaves(size)
    for index, leaf in enumerate(every):
        path = merkle.audit_path(every, index)
        with pytest.raises(MalformedMessage, match="too short"):
            merkle.root_from_path(leaf, index, size, path[:-1])
        with pytest.raises(MalformedMessage, match="too long"):
            merkle.root_from_path(leaf, index, size, [*path, bytes(32)])


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (1, 1), (-1, 1), (2, 2), (0, -1), (0, 1 << 63), (1 << 63, 1 << 64)]
)
def test_a_leaf_that_the_tree_does_not_have_is_refused(index: int, size: int) -> None:
    with pytest.raises(MalformedMessage, match="does not have"):
        merkle.root_from_path(bytes(32), index, size, [])


@pytest.mark.parametrize(("leaf", "path"), [(b"", [bytes(32)]), (bytes(32), [b""]), (bytes(33), [bytes(32)])])
def test_hashes_of_another_length_are_refused(leaf: bytes, path: list[bytes]) -> None:
    with pytest.raises(MalformedMessage, match="32 bytes"):
        merkle.root_from_path(leaf, 0, 2, path)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_of_a_leaf_that_does_not_exist(index: int) -> None:
    with pytest.raises(ValueError, match="of 3"):
        merkle.audit_path(leaves(3), index)


@pytest.mark.parametrize("size", [0, *SIZES])
def test_all_paths_at_once_are_those_of_the_leaves(size: int) -> None:
    hashes = leaves(size)
    assert merkle.audit_paths(hashes) == [merkle.audit_path(hashes, at) for at in range(size)]
