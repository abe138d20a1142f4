"""SES-5: the archive keeps 40 earlier sessions that still decrypt. The peer decides which is active."""

import pytest

from letterlock._session.lifecycle import Phase
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Established
from letterlock._session.stored_session import StoredSession
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, DuplicateMessage, PeerError
from letterlock.limits import MAX_ARCHIVED_SESSIONS
from support.kept_keys import kept_count
from support.pair import CAROL, Pair, Side, unchanged
from support.trace_calls import Trace


def sessions_of(side: Side) -> list[StoredSession]:
    with side.store.transaction():
        return PeerSessions(side.store, side.peer, frozenset(Suite)).all()


def new_sessions(pair: Pair, count: int) -> list[bytes]:
    """Let Alice initiate `count` sessions in turn. Return a second message of each, not yet read."""
    late = []
    for n in range(count):
        pair.alice.initiate()
        pair.alice.say(b"begin")
        assert pair.bob.hear() == b"begin"
        late.append(pair.alice.write(b"late %d" % n))
    return late


def test_forty_archived_sessions_decrypt_and_older_ones_are_deleted(pair: Pair) -> None:
    assert MAX_ARCHIVED_SESSIONS == 40
    late = new_sessions(pair, 43)
    assert len(sessions_of(pair.bob)) == len(sessions_of(pair.alice)) == 41
    for n in (0, 1):
        with unchanged(pair.bob.store), pytest.raises(PeerError):
            pair.bob.read(late[n])
    for n in range(2, 43):
        assert pair.bob.read(late[n]) == b"late %d" % n
    assert len(sessions_of(pair.bob)) == 41


def test_what_goes_is_what_began_first(pair: Pair) -> None:
    late = new_sessions(pair, 41)
    assert pair.bob.read(late[0]) == b"late 0"  # reading does not make it younger
    assert pair.bob.read(late[1]) == b"late 1"
    pair.alice.initiate()
    letter = pair.alice.write(b"once more in the second session")
    pair.bob.read(letter)
    assert len(sessions_of(pair.bob)) == 41
    with pytest.raises(PeerError):
        pair.bob.read(late[0])
    assert pair.bob.read(late[2]) == b"late 2"


def test_a_deleted_session_loses_its_skipped_keys(pair: Pair) -> None:
    pair.alice.initiate()
    skipped, first = pair.alice.write(b"skipped"), pair.alice.write(b"first")
    pair.bob.read(first)
    new_sessions(pair, 40)
    store = pair.bob.store
    kept = [stored.id for stored in sessions_of(pair.bob)]
    assert len(kept) == 41
    new_sessions(pair, 1)
    assert kept_count(store) == 0
    with unchanged(store), pytest.raises(PeerError):
        pair.bob.read(skipped)


def test_archived_sessions_survive_reopening(any_pair: Pair) -> None:
    late = new_sessions(any_pair, 3)
    any_pair.reopen()
    assert [any_pair.bob.read(message) for message in late] == [b"late 0", b"late 1", b"late 2"]


def test_sessions_have_the_phases_of_the_lifecycle_table(pair: Pair) -> None:
    pair.converse()
    assert [stored.phase for stored in sessions_of(pair.alice)] == [Phase.ESTABLISHED]
    pair.alice.initiate()
    pair.alice.initiate()
    phases = [stored.phase for stored in sessions_of(pair.alice)]
    assert phases == [Phase.INITIATED, Phase.ARCHIVED, Phase.ARCHIVED]


def test_a_message_of_an_earlier_session_is_read_and_moves_nothing(pair: Pair) -> None:
    """SES-12: nothing in it proves that it was written after the later session began."""
    pair.converse()
    late = [pair.bob.write(b"in the old one, %d" % n) for n in range(3)]
    pair.converse()  # Alice begins anew, and Bob answers
    newest = sessions_of(pair.alice)[0].session.origin
    for n, letter in enumerate(late):
        assert pair.alice.read(letter) == b"in the old one, %d" % n
        now = sessions_of(pair.alice)
        assert [entry.phase for entry in now] == [Phase.ESTABLISHED, Phase.ARCHIVED]
        assert now[0].session.origin == newest
        archived = now[1].session
        assert isinstance(archived, Established)
        assert not archived.promote_next
    pair.turn()


def test_before_a_new_session_is_used_nothing_undoes_it(pair: Pair) -> None:
    """SES-4: what arrives before anything was sent in it says nothing about it."""
    pair.converse()
    pair.alice.initiate()
    newest = sessions_of(pair.alice)[0].session.origin
    for text in (b"in the old one", b"and again"):
        pair.bob.say(text)
        assert pair.alice.hear() == text
        now = sessions_of(pair.alice)
        assert [stored.phase for stored in now] == [Phase.INITIATED, Phase.ARCHIVED]
        assert now[0].session.origin == newest
    pair.turn()
    assert sessions_of(pair.alice)[0].session.origin == newest


def test_an_answer_brings_back_an_earlier_session_while_the_later_one_is_unanswered(pair: Pair) -> None:
    """The peer may be unable to read the later one; without this every later message would be lost."""
    pair.converse()
    old = sessions_of(pair.alice)[0].session.origin
    pair.alice.initiate()
    lost = pair.alice.write(b"Bob does not get this")
    pair.bob.say(b"in the old one")
    assert pair.alice.hear() == b"in the old one"
    assert [entry.phase for entry in sessions_of(pair.alice)] == [Phase.ESTABLISHED, Phase.ARCHIVED]
    assert sessions_of(pair.alice)[0].session.origin == old
    pair.turn()
    # The later one was meant: as soon as it is answered, both go on in it, and nothing leads back.
    assert pair.bob.read(lost) == b"Bob does not get this"
    held_back = pair.bob.write(b"in the later one")
    assert pair.alice.read(held_back) == b"in the later one"
    newest = sessions_of(pair.alice)[0].session.origin
    assert newest.born > old.born
    pair.turn()
    assert [len(sessions_of(side)) for side in (pair.alice, pair.bob)] == [2, 2]
    assert sessions_of(pair.alice)[0].session.origin == newest


def test_a_session_without_an_answer_comes_back_when_its_answer_arrives(pair: Pair) -> None:
    pair.alice.initiate()
    pair.alice.say(b"first")
    pair.bob.hear()
    answer = pair.bob.write(b"answer to the first")
    pair.alice.initiate()
    assert [entry.phase for entry in sessions_of(pair.alice)] == [Phase.INITIATED, Phase.ARCHIVED]
    pair.alice.write(b"never delivered")
    assert pair.alice.read(answer) == b"answer to the first"
    assert [entry.phase for entry in sessions_of(pair.alice)] == [Phase.ESTABLISHED, Phase.ARCHIVED]
    assert pair.bob.read(pair.alice.write(b"Bob can read this")) == b"Bob can read this"


def test_ranks_are_all_different_after_many_changes(pair: Pair) -> None:
    late = new_sessions(pair, 5)
    for message in reversed(late):
        pair.bob.read(message)
        found = sessions_of(pair.bob)
        ranks = [stored.rank for stored in found]
        assert ranks == sorted({*ranks}, reverse=True)
        assert [stored.phase is Phase.ARCHIVED for stored in found] == [False, True, True, True, True]


def test_sessions_with_one_peer_are_not_tried_for_another(pair: Pair) -> None:
    pair.converse()
    message = pair.alice.write(b"for bob from alice")
    with unchanged(pair.bob.store), pytest.raises(PeerError):
        pair.bob.account.decrypt(CAROL, message)


# --- the cost of a forgery --------------------------------------------------------------------------


def test_no_archived_session_is_tried_if_the_active_one_knows_the_key(pair: Pair, trace: Trace) -> None:
    new_sessions(pair, 5)
    pair.alice.say(b"known key")
    message = pair.bob.post.drop()
    trace.clear()
    assert pair.bob.read(message) == b"known key"
    assert (trace.count("open"), trace.count("dh")) == (1, 0)


def test_a_forgery_is_tried_only_where_the_key_is_known(pair: Pair, trace: Trace) -> None:
    late = new_sessions(pair, 5)
    pair.bob.say(b"answer")
    pair.alice.hear()
    message = pair.alice.write(b"in the active one")
    pair.bob.read(message)
    trace.clear()
    forged = message[:-1] + bytes([message[-1] ^ 1])
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(forged)
    assert trace.calls == []
    following = pair.alice.write(b"next")
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(following[:-1] + bytes([following[-1] ^ 1]))
    assert (trace.count("open"), trace.count("dh")) == (1, 0)
    assert pair.bob.read(late[0]) == b"late 0"


def test_a_forgery_with_an_unknown_key_costs_one_trial_a_session(pair: Pair, trace: Trace) -> None:
    new_sessions(pair, 6)
    for _ in range(2):
        pair.turn()
    other = Pair()
    other.converse()
    forged = other.alice.write(b"of another conversation")
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(forged)
    # Only the active session may expect a new ratchet key. The archived ones are Hearing and refuse it.
    assert trace.count("open") == trace.count("dh") <= 1
