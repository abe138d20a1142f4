"""Authentic messages that no honest peer sends: sealed with the right key, under another header.

A message that is only altered fails by its tag, whatever the header check does. So these are sealed as a peer
with the session's keys could seal them, and what refuses or reads them is the check alone.
"""

from collections.abc import Callable
from typing import Final

import pytest

from letterlock._primitives.entropy import Entropy
from letterlock._ratchet import double, sparse
from letterlock._ratchet.keys import MessageKey
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.triple import Triple
from letterlock._session.sealing import seal_message
from letterlock._session.session import Established
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, DuplicateMessage
from support.pair import Pair, Side, unchanged
from support.triple_session import ratchet_of, sessions_of, turns

BARE: Final = PqHeader(1, 1, 0, PqType.NONE)
NONCE: Final = bytes(8)


def no_entropy(length: int) -> bytes:
    raise AssertionError(f"a turn of the ratchet draws {length} bytes: begin the chain first")


NO_ENTROPY: Final[Entropy] = no_entropy


def session_of(side: Side) -> Established:
    session = sessions_of(side)[0].session
    assert isinstance(session, Established)
    return session


def in_mid_chain(pair: Pair, suite: Suite) -> None:
    """Bring alice into the middle of a sending chain, so that her next messages draw nothing."""
    pair.converse(suite)
    pair.bob.read(pair.alice.write(b"begins the chain"))


def double_keys(side: Side, count: int) -> list[tuple[Header, MessageKey]]:
    """Return headers and double-ratchet keys of a side's next messages; the side stays as it is."""
    state = session_of(side).ratchet
    state = state.double if isinstance(state, Triple) else state
    found = []
    for _ in range(count):
        assert isinstance(state, double.Speaking)
        sent = double.send(state, NO_ENTROPY)
        state = sent.state
        found.append((sent.header, sent.key))
    return found


def sealed(side: Side, key: MessageKey, header: Header, pq_header: PqHeader | None) -> bytes:
    return seal_message(key, session_of(side).origin.associated_data, header, b"sealed", NONCE, pq_header)


# --- a message without its suite's header, or with another's ------------------------------------------


@pytest.mark.parametrize("is_late", [False, True], ids=["next", "late"])
def test_a_triple_message_under_a_plain_key_is_refused_in_an_x3dh_session(
    x3dh_pair: Pair, is_late: bool
) -> None:
    in_mid_chain(x3dh_pair, Suite.X3DH)
    [(header, key)] = double_keys(x3dh_pair.alice, 1)
    honest = x3dh_pair.alice.write(b"honest")
    if is_late:  # its key is kept, and the chain is not asked
        x3dh_pair.bob.read(x3dh_pair.alice.write(b"jumps over it"))
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(sealed(x3dh_pair.alice, key, header, BARE))
    assert x3dh_pair.bob.read(honest) == b"honest"


@pytest.mark.parametrize("is_late", [False, True], ids=["next", "late"])
def test_a_plain_message_under_the_double_key_is_refused_in_a_pqxdh_session(
    pair: Pair, is_late: bool
) -> None:
    in_mid_chain(pair, Suite.PQXDH)
    [(header, key)] = double_keys(pair.alice, 1)
    honest = pair.alice.write(b"honest")
    if is_late:
        pair.bob.read(pair.alice.write(b"jumps over it"))
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(sealed(pair.alice, key, header, None))
    assert pair.bob.read(honest) == b"honest"


@pytest.mark.parametrize("is_late", [False, True], ids=["next", "late"])
def test_the_double_key_alone_opens_no_triple_message(pair: Pair, is_late: bool) -> None:
    """PQR-2: the key of a message takes both ratchets, also where the double-ratchet key was kept."""
    in_mid_chain(pair, Suite.PQXDH)
    place = next_place(pair.alice)
    [(header, key)] = double_keys(pair.alice, 1)
    honest = pair.alice.write(b"honest")
    if is_late:
        pair.bob.read(pair.alice.write(b"jumps over it"))
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(sealed(pair.alice, key, header, pq_header_at(pair.alice, place.number)))
    assert pair.bob.read(honest) == b"honest"


@pytest.mark.parametrize("is_late", [False, True], ids=["next", "late"])
def test_a_sealed_message_in_an_archived_session_needs_its_suites_header(
    x3dh_pair: Pair, is_late: bool
) -> None:
    """The archive holds an X3DH session, the active one is PQXDH: neither takes the other's message."""
    in_mid_chain(x3dh_pair, Suite.X3DH)
    [(header, key)] = double_keys(x3dh_pair.alice, 1)
    honest = x3dh_pair.alice.write(b"honest")
    forged = sealed(x3dh_pair.alice, key, header, BARE)
    if is_late:
        x3dh_pair.bob.read(x3dh_pair.alice.write(b"jumps over it"))
    x3dh_pair.bob.initiate(suite=Suite.PQXDH)
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(forged)
    assert x3dh_pair.bob.read(honest) == b"honest"


# --- a late message that moves the sparse chain -------------------------------------------------------


def next_place(side: Side) -> sparse.SparsePlace:
    chain = ratchet_of(side).sparse
    return sparse.SparsePlace(chain.sending.epoch, chain.sending.number + 1, chain.previous)


def pq_header_at(side: Side, number: int) -> PqHeader:
    place = next_place(side)
    return PqHeader(place.epoch + 1, number, place.previous, PqType.NONE)


def far_ahead(side: Side, jump: int) -> bytes:
    """Seal the next double-ratchet place under a sparse number that lies `jump` further than it should."""
    state = ratchet_of(side).sparse
    for _ in range(jump):
        state, _, _ = sparse.send(LETTERLOCK, state, state.sending.epoch)
    _, place, key = sparse.send(LETTERLOCK, state, state.sending.epoch)
    [(header, first)] = double_keys(side, 1)
    return sealed(side, LETTERLOCK.hybrid(first, key), header, pq_header_at(side, place.number))


@pytest.mark.parametrize("jump", [3, 6])
def test_a_late_message_keeps_the_sparse_keys_that_it_jumps_over(any_pair: Pair, jump: int) -> None:
    """Its double-ratchet key was kept, but it moves the sparse chain: what it passes must stay readable."""
    in_mid_chain(any_pair, Suite.PQXDH)
    ahead = far_ahead(any_pair.alice, jump)
    any_pair.alice.write(b"has the same double-ratchet place, and is lost")
    any_pair.bob.read(any_pair.alice.write(b"jumps over it"))
    passed = [any_pair.alice.write(b"passed %d" % n) for n in range(jump - 2)]
    assert any_pair.bob.read(ahead) == b"sealed"
    for number, message in reversed(list(enumerate(passed))):
        assert any_pair.bob.read(message) == b"passed %d" % number
    any_pair.reopen()


def test_its_own_sparse_key_and_the_kept_double_key_are_used_up(any_pair: Pair) -> None:
    in_mid_chain(any_pair, Suite.PQXDH)
    ahead = far_ahead(any_pair.alice, 4)
    any_pair.alice.write(b"is lost")
    any_pair.bob.read(any_pair.alice.write(b"jumps over it"))
    assert any_pair.bob.read(ahead) == b"sealed"
    with unchanged(any_pair.bob.store), pytest.raises(DuplicateMessage):
        any_pair.bob.read(ahead)


def test_a_forged_one_moves_no_chain(any_pair: Pair) -> None:
    in_mid_chain(any_pair, Suite.PQXDH)
    ahead = far_ahead(any_pair.alice, 4)
    any_pair.alice.write(b"is lost")
    any_pair.bob.read(any_pair.alice.write(b"jumps over it"))
    with unchanged(any_pair.bob.store), pytest.raises(AuthenticationFailed):
        any_pair.bob.read(ahead[:-1] + bytes([ahead[-1] ^ 1]))
    assert any_pair.bob.read(ahead) == b"sealed"


def test_late_messages_of_both_sides_of_an_epochs_end_keep_what_they_pass(pair: Pair) -> None:
    """Whatever order they come in, each of them is read once."""
    in_mid_chain(pair, Suite.PQXDH)
    orders: tuple[Callable[[list[bytes]], list[bytes]], ...] = (lambda x: x, lambda x: x[::-1])
    for order in orders:
        turns(pair, 3)
        letters = [pair.alice.write(b"%d" % n * 300) for n in range(8)]
        for letter in order(letters):
            pair.bob.read(letter)
        turns(pair, 1)
