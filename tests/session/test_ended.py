"""PQR-5, SES-14: an authentic message that contradicts earlier ones is delivered, and ends its session.

Nothing of the session's keys is kept. Nothing is sent in it or in an earlier session, and the caller is told.
"""

import itertools
from dataclasses import replace

import pytest

from letterlock import AuthenticationFailed, NoSession, PeerError, SessionEnded, SessionStatus
from letterlock._ratchet.braid_states import NoHeaderReceived
from letterlock._session import peer_sessions
from letterlock._session.by_address import SessionsByAddress
from letterlock._session.session import Ended
from letterlock._wire.pq_header import PqType
from letterlock._wire.suite import Suite
from letterlock.errors import Cause
from support.pair import NOON, Pair, Side, flipped, plain, unchanged
from support.store_tools import undone
from support.triple_session import LONG, braid_of, chatter, forge, sessions_of, turns


def contradiction(pair: Pair) -> bytes:
    """Let both converse until Bob begins a text; return his next message, with a false codeword sealed in."""
    pair.converse()
    return contradiction_of_bob(pair)


def contradiction_of_bob(pair: Pair) -> bytes:
    while not isinstance(braid_of(pair.alice), NoHeaderReceived):
        turns(pair, 1)
    pair.alice.say(b"Bob now begins the next epoch")
    pair.bob.hear()
    forged, type_ = forge(pair.bob)
    assert type_ == PqType.HDR
    return forged


def rows(side: Side, table: str) -> int:
    held = {name.removeprefix("letterlock_"): content for name, content in side.dump().items()}
    found = held.get(table, held.get(table.partition("_")[0], ()))  # a file has `skipped` for `skipped_keys`
    return len(found) if isinstance(found, list | tuple) else sum(bool(each) for each in found.values())


def has_ended(side: Side) -> bool:
    given = side.account._device.environment
    sessions = SessionsByAddress(side.store, given.suites, given.now, given.stray)
    with side.store.transaction():
        return sessions.has_ended(side.peer)


def check_ended(side: Side) -> None:
    status = side.account.session(side.peer)
    assert status is not None
    assert status.ended
    assert has_ended(side)
    assert side.account.due(NOON).ended == (side.peer,)
    assert side.account.due(NOON).unanswered == ()
    with unchanged(side.store), pytest.raises(SessionEnded, match="initiate a new one") as caught:
        side.write(b"into the void")
    assert isinstance(caught.value, NoSession)
    assert caught.value.cause is Cause.SESSION_BROKEN


def test_the_text_is_delivered_and_the_session_ends(any_pair: Pair) -> None:
    forged = contradiction(any_pair)
    alice = any_pair.alice
    status = alice.account.session(alice.peer)
    assert status == SessionStatus(Suite.PQXDH, initiated=True, answered=True, archived=0, ended=False)
    assert alice.read(forged) == b"forged"
    assert alice.account.session(alice.peer) == replace(status, ended=True)
    check_ended(alice)
    any_pair.reopen()
    check_ended(any_pair.alice)


def test_a_session_that_goes_on_has_not_ended(any_pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record says so without being decoded."""

    def check() -> None:
        any_pair.reopen()
        for side in (any_pair.alice, any_pair.bob):
            with monkeypatch.context() as patch:
                patch.setattr(peer_sessions, "decode_any_session", None)
                assert not has_ended(side)

    check()
    any_pair.introduce()
    check()
    any_pair.bob.say(b"answer")
    any_pair.alice.hear()
    check()
    any_pair.alice.say(b"goes on")
    check()


def test_a_session_of_a_suite_that_is_not_allowed_has_not_ended(any_pair: Pair) -> None:
    any_pair.alice.read(contradiction(any_pair))
    any_pair.alice.reopen(frozenset({Suite.X3DH}))
    assert not has_ended(any_pair.alice)
    assert any_pair.alice.account.session(any_pair.alice.peer) is None


def test_no_key_of_the_session_is_kept(any_pair: Pair) -> None:
    any_pair.converse()
    for _ in range(3):
        any_pair.bob.write(b"lost")  # two skipped keys each
    forged = contradiction_of_bob(any_pair)
    alice = any_pair.alice
    assert rows(alice, "skipped_keys") > 0
    assert rows(alice, "past_chains") > 0
    alice.read(forged)
    (stored,) = sessions_of(alice)
    assert isinstance(stored.session, Ended)
    assert [rows(alice, table) for table in ("skipped_keys", "past_chains")] == [0, 0]
    # What is left: the origin, which holds no secret.
    assert set(Ended.__dataclass_fields__) == {"origin"}
    assert rows(alice, "sessions") == 1


def test_every_message_that_contradicts_is_delivered(pair: Pair) -> None:
    """At every message of some epochs the sender also seals false codewords with the right key."""
    pair.converse()
    ended = set[int]()
    for side, message in itertools.islice(chatter(pair, 1), 120):
        forged, type_ = forge(side.other)
        with undone(side.store):
            before = side.dump()
            assert side.read(forged) == b"forged"
            assert side.dump() != before
            if isinstance(sessions_of(side)[0].session, Ended):
                ended.add(type_)
                check_ended(side)
        side.read(message)
        honest, _ = forge(side.other, spoil=False)
        with undone(side.store):
            assert side.read(honest) == b"forged"
            side.write(b"goes on")
    # A false ct1 is noticed when ct2 is complete, because its MAC covers both.
    assert ended == {PqType.HDR, PqType.EK, PqType.EK_CT1_ACK, PqType.CT2}


def test_a_forged_message_ends_nothing(pair: Pair) -> None:
    forged = contradiction(pair)
    for at in range(len(forged) - 60, len(forged)):
        with unchanged(pair.alice.store), pytest.raises(PeerError):
            pair.alice.read(flipped(forged, at))
    pair.alice.write(b"goes on")


def test_a_transaction_that_is_undone_ends_nothing(any_pair: Pair) -> None:
    forged = contradiction(any_pair)
    with unchanged(any_pair.alice.store), undone(any_pair.alice.store):
        assert any_pair.alice.read(forged) == b"forged"
    any_pair.alice.write(b"goes on")
    assert any_pair.alice.read(forged) == b"forged"
    check_ended(any_pair.alice)


def test_what_the_peer_goes_on_to_send_there_is_refused_by_name(any_pair: Pair) -> None:
    forged = contradiction(any_pair)
    later = [any_pair.bob.write(b"later"), any_pair.bob.write(bytes(LONG))]
    any_pair.alice.read(forged)
    for message in (forged, *later):
        with unchanged(any_pair.alice.store), pytest.raises(AuthenticationFailed) as caught:
            any_pair.alice.read(message)
        assert caught.value.cause is Cause.SESSION_BROKEN


def test_a_new_session_of_ours_takes_its_place(any_pair: Pair) -> None:
    forged = contradiction(any_pair)
    any_pair.alice.read(forged)
    any_pair.converse()
    assert [isinstance(each.session, Ended) for each in sessions_of(any_pair.alice)] == [False]
    status = any_pair.alice.account.session(any_pair.alice.peer)
    assert status == SessionStatus(Suite.PQXDH, initiated=True, answered=True, archived=0)
    assert any_pair.alice.account.due(NOON).ended == ()
    assert rows(any_pair.alice, "sessions") == 1


def test_a_new_session_of_the_peer_takes_its_place(any_pair: Pair) -> None:
    any_pair.alice.read(contradiction(any_pair))
    any_pair.bob.initiate()
    any_pair.bob.say(b"anew")
    assert any_pair.alice.hear() == b"anew"
    any_pair.alice.say(b"so be it")
    assert any_pair.bob.hear() == b"so be it"
    assert rows(any_pair.alice, "sessions") == 1


def test_no_earlier_session_takes_its_place(any_pair: Pair) -> None:
    any_pair.converse()
    late = [any_pair.bob.write(b"late"), any_pair.bob.write(b"later")]
    any_pair.alice.read(contradiction(any_pair))
    for number, message in enumerate(late):
        assert any_pair.alice.read(message) == (b"late", b"later")[number]
        check_ended(any_pair.alice)
    assert len(sessions_of(any_pair.alice)) == 2


def test_a_session_of_a_weaker_suite_does_not_take_its_place(x3dh_pair: Pair) -> None:
    pair = x3dh_pair
    pair.alice.read(contradiction(pair))
    pair.bob.account.initiate(
        pair.bob.peer, pair.alice.account.bundle(), suite=Suite.X3DH, discard_earlier=True
    )
    for text in (b"weaker", b"and again"):
        pair.bob.say(text)
        assert pair.alice.hear() == text
        check_ended(pair.alice)
    assert len(sessions_of(pair.alice)) == 2


def test_a_contradiction_in_the_archive_deletes_that_session_alone(any_pair: Pair) -> None:
    """The active session finds the message forged; that must not hide the archived session's text."""
    forged = contradiction(any_pair)
    any_pair.alice.initiate()
    active = plain(sessions_of(any_pair.alice)[0])
    assert any_pair.alice.read(forged) == b"forged"
    assert list(map(plain, sessions_of(any_pair.alice))) == [active]
    assert rows(any_pair.alice, "sessions") == 1
    any_pair.alice.write(b"goes on")
    with pytest.raises(AuthenticationFailed) as caught:
        any_pair.alice.read(forged)
    assert caught.value.cause is Cause.OUR_STATE_WENT_BACK_PERHAPS


def test_a_late_message_that_contradicts_ends_the_session_too(any_pair: Pair) -> None:
    contradiction(any_pair)
    any_pair.bob.write(b"lost, and begins the chain")
    forged, _ = forge(any_pair.bob)
    any_pair.bob.write(bytes(20))  # has the same number as the forged one
    any_pair.alice.read(any_pair.bob.write(bytes(20)))
    assert rows(any_pair.alice, "skipped_keys") > 0
    assert any_pair.alice.read(forged) == b"forged"
    check_ended(any_pair.alice)
    assert rows(any_pair.alice, "skipped_keys") == 0


def test_a_first_message_that_contradicts_is_delivered_once(any_pair: Pair) -> None:
    any_pair.alice.initiate()
    forged, _ = forge(any_pair.alice)
    sound = any_pair.alice.write(b"sound")
    assert any_pair.bob.read(forged) == b"forged"
    check_ended(any_pair.bob)
    assert [peer.address for peer in any_pair.bob.account.peers()] == [any_pair.bob.peer]
    for message in (forged, sound):
        with unchanged(any_pair.bob.store), pytest.raises(AuthenticationFailed) as caught:
            any_pair.bob.read(message)
        assert caught.value.cause is Cause.SESSION_BROKEN
    any_pair.bob.initiate()
    any_pair.bob.say(b"anew")
    assert any_pair.alice.hear() == b"anew"


def test_a_session_that_ended_is_no_loss_for_an_account_that_forgets_the_peer(pair: Pair) -> None:
    pair.alice.read(contradiction(pair))
    pair.alice.account.forget(pair.alice.peer)
    assert pair.alice.account.session(pair.alice.peer) is None
    with pytest.raises(NoSession, match="no session") as caught:
        pair.alice.write(b"nobody")
    assert not isinstance(caught.value, SessionEnded)
