"""PQR-2, PQR-6: a message key of the triple ratchet needs the double ratchet's half and the sparse one's."""

import dataclasses

import pytest

from letterlock._handshake.x3dh import SharedSecret
from letterlock._ratchet import triple
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_keys import HybridKey, SparseMessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.ratchet import nothing_kept
from letterlock._ratchet.triple import Triple, TripleReceived
from letterlock.errors import DuplicateMessage
from support import reference
from support.double_pair import SIGNED
from support.pair import plain
from support.triple_pair import AD, SECRET, Message, as_ratchet_message, triple_pair


def find_alone(state: Triple, message: Message) -> TripleReceived:
    """Return the key of a message that a state comes to, without any kept keys."""
    return triple.find_message_key(LETTERLOCK, state, as_ratchet_message(message), None, nothing_kept, AD)


def test_the_secret_is_split_into_a_root_key_and_a_shared_secret() -> None:  # PQR-6
    okm = reference.hkdf(bytes(32), SECRET.expose(), b"letterlock-v1 pq split", 64)
    root, shared = triple.split(SECRET)
    assert (root.expose(), shared.expose()) == (okm[:32], okm[32:])


def test_no_key_without_the_sparse_half() -> None:
    """The whole state of the double ratchet, with its private keys, gives no message key."""
    alice, bob = triple_pair()
    sealed = {message.key.expose() for message in (alice.send() for _ in range(20))}
    thief = dataclasses.replace(
        bob.state, sparse=triple.recipient(LETTERLOCK, SharedSecret(bytes(32)), SIGNED).sparse
    )
    alice_again, _ = triple_pair()
    for _ in range(20):
        message = alice_again.send()
        found = find_alone(thief, message)
        assert found.key.expose() not in sealed
        assert found.double.key.expose() not in sealed
        assert message.key.expose() in sealed


def test_no_key_without_the_double_half() -> None:
    alice, bob = triple_pair()
    message = alice.send()
    other = triple.recipient(LETTERLOCK, SharedSecret(bytes(32)), SIGNED)
    thief = dataclasses.replace(bob.state, double=other.double)
    found = find_alone(thief, message)
    assert message.key not in (found.key, HybridKey(found.sparse.key.expose()))


def test_the_hybrid_key_is_derived_from_both_halves() -> None:  # PQR-2
    one, two = MessageKey(b"\x01" * 32), SparseMessageKey(b"\x02" * 32)
    expected = reference.hkdf(two.expose(), one.expose(), b"letterlock-v1 pq hybrid", 32)
    assert LETTERLOCK.hybrid(one, two).expose() == expected
    swapped = LETTERLOCK.hybrid(MessageKey(two.expose()), SparseMessageKey(one.expose()))
    assert swapped.expose() != expected


@pytest.mark.parametrize("half", ["double", "sparse"])
def test_a_late_message_needs_both_kept_keys(half: str) -> None:
    alice, bob = triple_pair()
    first, second = alice.send(), alice.send()
    bob.receive(second)
    assert len(bob.double) == len(bob.sparse) == 1
    getattr(bob, half).clear()
    before = bob.all()
    with pytest.raises(DuplicateMessage):
        bob.find_message_key(first)
    assert bob.all() == before


def test_a_kept_key_moves_neither_ratchet() -> None:
    alice, bob = triple_pair()
    first, second = alice.send(), alice.send()
    bob.receive(second)
    state = bob.state
    bob.receive(first)
    assert plain(bob.state.double) == plain(state.double)
    assert plain(bob.state.sparse) == plain(state.sparse)
