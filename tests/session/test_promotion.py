"""SES-11, SES-12: an earlier or weaker session never takes over from a later one that the peer has used."""

import pytest

from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Established
from letterlock._session.stored_session import StoredSession
from letterlock._wire.suite import Suite
from letterlock.errors import PeerError, UsageError
from letterlock.limits import MAX_CROSSED_MESSAGES
from letterlock.stores._memory import MemoryStore
from support.pair import Pair, Side, unchanged


def sessions_of(side: Side) -> list[StoredSession]:
    with side.store.transaction():
        return PeerSessions(side.store, side.peer, frozenset(Suite)).all()


def active(side: Side) -> bytes:
    return sessions_of(side)[0].session.origin.associated_data


def suite_of(side: Side) -> Suite:
    return sessions_of(side)[0].session.origin.suite


def turns(pair: Pair, count: int) -> None:
    for _ in range(count):
        pair.turn()


# --- a weaker suite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("beginner", ["alice", "bob"])
def test_a_letter_of_an_x3dh_session_that_was_held_back_moves_nothing(
    x3dh_pair: Pair, beginner: str, answered: bool
) -> None:
    """The network keeps one letter of the old session, and delivers it after both began anew in PQXDH."""
    pair = x3dh_pair
    pair.converse(Suite.X3DH)
    turns(pair, 2)
    held_back = {side: [side.other.write(b"%d" % n) for n in range(3)] for side in (pair.alice, pair.bob)}
    begins: Side = getattr(pair, beginner)
    begins.initiate(suite=Suite.PQXDH)
    begins.say(b"begins anew")
    if answered:
        begins.other.hear()
        begins.other.say(b"answers")
        begins.hear()
    for side in (pair.alice, pair.bob):
        before = active(side)
        for n, letter in enumerate(held_back[side]):
            assert side.read(letter) == b"%d" % n
            assert active(side) == before
    if not answered:
        begins.other.hear()
    for _ in range(100):
        pair.turn()
        assert suite_of(pair.alice) is suite_of(pair.bob) is Suite.PQXDH
    assert active(pair.alice) == active(pair.bob)


def test_a_first_message_of_x3dh_that_was_held_back_begins_no_active_session(x3dh_pair: Pair) -> None:
    pair = x3dh_pair
    pair.alice.initiate(suite=Suite.X3DH)
    held_back = [pair.alice.write(b"%d" % n) for n in range(3)]
    pair.converse(Suite.PQXDH)
    settled = active(pair.bob)
    for n, letter in enumerate(held_back):
        assert pair.bob.read(letter) == b"%d" % n
        assert active(pair.bob) == settled
    ranks = [each.rank for each in sessions_of(pair.bob)]
    assert ranks == sorted({*ranks}, reverse=True)
    turns(pair, 3)
    assert active(pair.alice) == active(pair.bob) == settled


def test_an_account_does_not_begin_in_a_weaker_suite(x3dh_pair: Pair) -> None:
    pair = x3dh_pair
    pair.converse(Suite.PQXDH)
    with unchanged(pair.alice.store), pytest.raises(UsageError, match="discard_earlier"):
        pair.alice.initiate(suite=Suite.X3DH)
    turns(pair, 2)
    pair.alice.account.initiate(
        pair.bob.address, pair.bob.account.bundle(), suite=Suite.X3DH, discard_earlier=True
    )
    assert suite_of(pair.alice) is Suite.X3DH


def test_a_stronger_session_takes_over_whenever_it_began(x3dh_pair: Pair) -> None:
    """An account that allowed X3DH alone for a while returns to PQXDH with the peer's next message."""
    pair = x3dh_pair
    pair.converse(Suite.PQXDH)
    letter = pair.bob.write(b"in PQXDH")
    pair.alice.reopen(frozenset({Suite.X3DH}))
    pair.alice.initiate(suite=Suite.X3DH)
    pair.alice.reopen(frozenset(Suite))
    assert suite_of(pair.alice) is Suite.X3DH
    assert pair.alice.read(letter) == b"in PQXDH"
    assert suite_of(pair.alice) is Suite.PQXDH


# --- an earlier session of the same suite -------------------------------------------------------------


def stolen(side: Side) -> Side:
    """Return a thief who holds a copy of a side's store."""
    other = Pair()
    thief = other.alice if side.address == other.alice.address else other.bob
    assert isinstance(side.store, MemoryStore)
    assert isinstance(thief.store, MemoryStore)
    for name in side.store._rows.__slots__:
        if name not in {"lock", "_journal"}:
            value = getattr(side.store._rows, name)
            setattr(thief.store._rows, name, _copy(value))
    thief.reopen()
    return thief


def _copy(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return type(value)((key, _copy(each)) for key, each in value.items())


@pytest.mark.parametrize("beginner", ["alice", "bob"])
def test_a_thief_of_an_old_session_s_keys_does_not_bring_anybody_back(beginner: str) -> None:
    """For a hundred turns the thief writes to both in the old session, as the other one."""
    pair = Pair()
    pair.converse()
    turns(pair, 3)
    as_alice, as_bob = stolen(pair.alice), stolen(pair.bob)
    begins: Side = getattr(pair, beginner)
    begins.initiate()
    begins.say(b"begins anew")
    begins.other.hear()
    begins.other.say(b"answers")
    begins.hear()
    settled = active(pair.alice)
    assert active(pair.bob) == settled != active(as_alice)
    for number in range(100):
        for thief, victim in ((as_alice, pair.bob), (as_bob, pair.alice)):
            forged = thief.write(b"forged %d" % number)
            assert victim.read(forged) == b"forged %d" % number
            assert active(victim) == settled
        for side, thief in ((pair.alice, as_bob), (pair.bob, as_alice)):
            letter = side.write(b"secret %d" % number)
            with unchanged(thief.store), pytest.raises(PeerError):
                thief.read(letter)
            assert side.other.read(letter) == b"secret %d" % number
    assert active(pair.alice) == active(pair.bob) == settled


def test_a_thief_may_bring_back_an_old_session_until_the_new_one_is_answered() -> None:
    """What remains: the answer ends it, and from then on nothing leads back."""
    pair = Pair()
    pair.converse()
    old = active(pair.alice)
    as_bob = stolen(pair.bob)
    pair.alice.initiate()
    first = pair.alice.write(b"begins anew")
    pair.alice.read(as_bob.write(b"forged"))
    assert active(pair.alice) == old
    pair.bob.read(first)
    pair.alice.read(pair.bob.write(b"answers"))
    assert active(pair.alice) == active(pair.bob) != old
    pair.alice.read(as_bob.write(b"forged again"))
    assert active(pair.alice) == active(pair.bob) != old


# --- sessions that crossed ----------------------------------------------------------------------------


def crossed(seed: str) -> Pair:
    """Return a pair whose first letters crossed; each side is in the other's session."""
    pair = Pair(seed=seed)
    bundles = pair.alice.account.bundle(), pair.bob.account.bundle()
    pair.alice.initiate(bundles[1])
    pair.bob.initiate(bundles[0])
    for side in (pair.alice, pair.bob):
        side.say(b"first")
    for side in (pair.alice, pair.bob):
        side.hear()
    return pair


def test_a_session_that_crossed_ours_yields_for_a_while() -> None:
    pair = crossed("yields")
    for side in (pair.alice, pair.bob):
        newest, own = (each.session for each in sessions_of(side))
        assert isinstance(newest, Established)
        assert newest.yields == MAX_CROSSED_MESSAGES == 16
        assert newest.origin.born > own.origin.born > 0


def test_other_sessions_yield_to_none(pair: Pair) -> None:
    pair.converse()
    pair.converse()
    for side in (pair.alice, pair.bob):
        for each in sessions_of(side):
            assert isinstance(each.session, Established)
            assert each.session.yields == 0


def test_repeats_of_the_first_message_do_not_count() -> None:
    """Who repeats it may not know yet that the two crossed."""
    pair = crossed("repeats")
    before = sessions_of(pair.alice)[0].session
    for _ in range(3):
        pair.alice.read(pair.bob.write(b"in the session that Alice began"))
    after = {each.session.origin.associated_data: each.session for each in sessions_of(pair.alice)}
    assert isinstance(before, Established)
    kept = after[before.origin.associated_data]
    assert isinstance(kept, Established)
    assert kept.yields == before.yields


@pytest.mark.parametrize("left", [1, 0])
def test_after_so_many_messages_it_yields_no_more(left: int) -> None:
    """Somebody insists on the session that Alice began, with a copy of Bob's keys."""
    pair = settled_in_the_later()
    thief = stolen(pair.bob)
    settled, own = (each.session.origin.associated_data for each in sessions_of(pair.alice))
    newest = next(each for each in sessions_of(thief) if each.session.origin.associated_data == settled)
    with thief.store.transaction():
        thief.store.tables.sessions.delete(newest.id)
    while yields(pair.alice) > left:
        pair.turn()
    assert active(pair.alice) == active(pair.bob) == settled
    for text in (b"once", b"twice"):
        assert pair.alice.read(thief.write(text)) == text
    assert active(pair.alice) == (own if left else settled)


def settled_in_the_later() -> Pair:
    """Return a pair that has settled in the session that Bob began, which is the later one for Alice."""
    for number in range(60):
        pair = crossed(f"settled {number}")
        later = active(pair.alice)
        turns(pair, 2)
        if active(pair.alice) == active(pair.bob) == later:
            return pair
    raise AssertionError


def yields(side: Side) -> int:
    session = sessions_of(side)[0].session
    assert isinstance(session, Established)
    return session.yields
