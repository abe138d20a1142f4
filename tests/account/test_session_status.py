"""What an application can learn of its session with a peer, and how it forgets a peer."""

import pytest

from letterlock import SessionStatus
from letterlock._wire.suite import Suite
from letterlock.errors import NoSession, PeerError, UsageError
from support.pair import ALICE, BOB, CAROL, Pair, unchanged


def test_a_session_shows_whether_it_was_answered(any_pair: Pair) -> None:
    pair = any_pair
    assert pair.alice.account.session(BOB) is None
    pair.introduce()
    assert pair.alice.account.session(BOB) == SessionStatus(Suite.PQXDH, True, False, 0)
    assert pair.bob.account.session(ALICE) == SessionStatus(Suite.PQXDH, False, True, 0)
    pair.bob.say(b"answer")
    pair.alice.hear()
    assert pair.alice.account.session(BOB) == SessionStatus(Suite.PQXDH, True, True, 0)
    pair.alice.initiate()
    pair.reopen()
    assert pair.alice.account.session(BOB) == SessionStatus(Suite.PQXDH, True, False, 1)
    assert pair.alice.account.session(CAROL) is None


def test_a_session_of_a_suite_that_is_not_allowed_does_not_show(x3dh_pair: Pair) -> None:
    x3dh_pair.converse(Suite.X3DH)
    status = x3dh_pair.alice.account.session(BOB)
    assert status is not None
    assert status.suite is Suite.X3DH
    x3dh_pair.alice.reopen(frozenset({Suite.PQXDH}))
    assert x3dh_pair.alice.account.session(BOB) is None


def test_a_new_peer_is_one_that_was_not_known_before(pair: Pair) -> None:
    pair.alice.initiate()
    letter = pair.alice.write(b"hello")
    assert ALICE not in {peer.address for peer in pair.bob.account.peers()}
    pair.bob.read(letter)
    assert ALICE in {peer.address for peer in pair.bob.account.peers()}


def test_a_forgotten_peer_leaves_nothing(any_pair: Pair) -> None:
    pair = any_pair
    pair.converse()
    pair.converse()
    late = pair.bob.write(b"late")
    pair.alice.account.forget(BOB)
    assert pair.alice.account.peers() == []
    assert pair.alice.account.session(BOB) is None
    for table, rows in pair.alice.dump().items():
        if table.removeprefix("letterlock_") in {"peers", "sessions", "skipped_keys"}:
            assert not rows, table
    with unchanged(pair.alice.store), pytest.raises(NoSession):
        pair.alice.write(b"to nobody")
    with unchanged(pair.alice.store), pytest.raises(PeerError):
        pair.alice.read(late)
    pair.reopen()
    pair.converse()
    pair.turn()


def test_a_forgotten_peer_may_come_back_with_another_key(pair: Pair) -> None:
    pair.converse()
    other = Pair()
    other.bob.initiate(pair.alice.account.bundle())
    letter = other.bob.write(b"another Bob")
    pair.alice.account.forget(BOB)
    assert pair.alice.read(letter) == b"another Bob"


def test_forgetting_is_undone_with_its_transaction(any_pair: Pair) -> None:
    any_pair.converse()
    with unchanged(any_pair.alice.store), pytest.raises(KeyError), any_pair.alice.account.transaction():
        any_pair.alice.account.forget(BOB)
        raise KeyError
    any_pair.turn()


def test_whom_nobody_knows_can_be_forgotten(pair: Pair) -> None:
    pair.converse()
    with unchanged(pair.alice.store):
        pair.alice.account.forget(CAROL)
    pair.turn()


@pytest.mark.parametrize("call", ["session", "forget"])
def test_the_account_itself_is_no_peer(pair: Pair, call: str) -> None:
    for wrong in (ALICE, "bob", None):
        with unchanged(pair.alice.store), pytest.raises(UsageError):
            getattr(pair.alice.account, call)(wrong)
