"""SES-16: skipped keys end 30 days after they were kept, archived sessions 30 days after that began.

A thief who copied a store, and a network that held a letter back, gain nothing by waiting longer.
"""

from dataclasses import replace
from typing import Any

import pytest

from letterlock import PeerError, SessionEnded
from letterlock._records.first_format import decode_any_session
from letterlock._session import peer_sessions
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.session import Ended, Initiated, Session
from letterlock._wire.suite import Suite
from letterlock.limits import DAY, KEPT_LIFETIME
from support.pair import Pair, Side, live, unchanged
from support.triple_session import sessions_of


def keys(side: Side) -> int:
    """Return how many skipped keys a store holds."""
    held = {name.removeprefix("letterlock_"): content for name, content in side.dump().items()}
    found = held.get("skipped_keys", held.get("skipped"))
    assert found is not None
    return len(found) if isinstance(found, list | tuple) else sum(len(each) for each in found.values())


def held_back(pair: Pair) -> bytes:
    """Return a letter of Bob's that the network keeps, while a later one arrives."""
    pair.converse()
    letter = pair.bob.write(b"held back")
    assert pair.alice.read(pair.bob.write(b"in time")) == b"in time"
    assert keys(pair.alice) > 0
    return letter


def test_a_letter_is_read_until_its_key_has_ended(any_pair: Pair) -> None:
    letter = held_back(any_pair)
    any_pair.clock.now += KEPT_LIFETIME
    any_pair.turn()
    assert any_pair.alice.read(letter) == b"held back"


def test_a_key_has_ended_even_before_it_is_deleted(any_pair: Pair) -> None:
    letter = held_back(any_pair)
    any_pair.clock.now += KEPT_LIFETIME + 1
    with unchanged(any_pair.alice.store), pytest.raises(PeerError):
        any_pair.alice.read(letter)


def test_an_ended_key_is_deleted(any_pair: Pair) -> None:
    held_back(any_pair)
    any_pair.clock.now += KEPT_LIFETIME + 1
    any_pair.reopen()
    any_pair.alice.read(any_pair.bob.write(b"the first one after opening"))
    assert keys(any_pair.alice) == 0


@pytest.mark.parametrize("upkeep", ["publish", "a first message", "many messages"])
def test_an_account_that_stays_open_deletes_ended_keys(pair: Pair, upkeep: str) -> None:
    held_back(pair)
    pair.clock.now += KEPT_LIFETIME + 1
    if upkeep == "publish":
        pair.alice.account.publish(0)
    elif upkeep == "a first message":
        pair.bob.initiate()
        pair.alice.read(pair.bob.write(b"anew"))
    else:
        for _ in range(65):
            pair.alice.read(pair.bob.write(b"again"))
    assert keys(pair.alice) == 0


@pytest.mark.parametrize("answered", [False, True])
def test_upkeep_decodes_no_session_that_ends_by_no_time(
    monkeypatch: pytest.MonkeyPatch, any_pair: Pair, answered: bool
) -> None:
    """The message in which upkeep falls due was the most expensive one."""
    any_pair.introduce()
    if answered:
        any_pair.turn()
    any_pair.reopen()
    side = any_pair.alice
    decoded: list[object] = []

    def noted(record: Any) -> Session:
        decoded.append(record)
        return decode_any_session(record)

    monkeypatch.setattr(peer_sessions, "decode_any_session", noted)
    before = side.dump()
    with side.store.transaction():
        PeerSessions(side.store, side.peer, frozenset(Suite), lambda: any_pair.clock.now).expire()
    assert len(decoded) == (0 if answered else 1)
    assert side.dump() == before


def test_a_key_that_is_kept_later_ends_later(any_pair: Pair) -> None:
    held_back(any_pair)
    any_pair.clock.now += 20 * DAY
    late = any_pair.bob.write(b"of today")
    any_pair.alice.read(any_pair.bob.write(b"overtakes"))
    any_pair.clock.now += 11 * DAY
    any_pair.reopen()
    any_pair.alice.read(any_pair.bob.write(b"the first one after opening"))
    assert keys(any_pair.alice) > 0
    assert any_pair.alice.read(late) == b"of today"
    assert keys(any_pair.alice) == 0


def test_the_thief_of_an_old_copy_gains_nothing_years_later(each_pair: Pair) -> None:
    """A copy holds the key of a letter that is held back, and the conversation goes on for years."""
    pair = each_pair
    letter = held_back(pair)
    for _ in range(40):
        pair.clock.now += 30 * DAY
        pair.turn()
    for _ in range(2):
        with unchanged(pair.alice.store), pytest.raises(PeerError):
            pair.alice.read(letter)
        pair.reopen()
    pair.turn()
    assert keys(pair.alice) == 0


@pytest.mark.parametrize("clock", [0, 1000, 86_400 * 40])
def test_a_clock_that_goes_back_ends_nothing(any_pair: Pair, clock: int) -> None:
    letter = held_back(any_pair)
    any_pair.clock.now = clock
    any_pair.reopen()
    assert any_pair.alice.read(letter) == b"held back"


def test_a_clock_that_jumps_ahead_leaves_the_conversation(any_pair: Pair) -> None:
    """Late letters are lost then; the active session and its chains never end by time."""
    held_back(any_pair)
    before = any_pair.clock.now
    any_pair.clock.now += 100 * 365 * DAY
    any_pair.turn_after_loss()
    any_pair.clock.now = before
    any_pair.turn()


# --- archived sessions --------------------------------------------------------------------------------


def archived(pair: Pair) -> bytes:
    """Return a letter of a session that is archived now on both sides."""
    pair.converse()
    letter = pair.bob.write(b"of the first session")
    pair.converse()
    assert len(sessions_of(pair.alice)) == 2
    return letter


def rows(side: Side) -> int:
    with side.store.transaction():
        return len(side.store.tables.sessions.load(side.peer.encode(), 50))


def test_an_archived_session_notes_when_it_was_archived(any_pair: Pair) -> None:
    any_pair.clock.now += 5
    archived(any_pair)
    active, older = (live(each.session) for each in sessions_of(any_pair.alice))
    assert (active.archived, older.archived) == (0, any_pair.clock.now)


def test_an_archived_session_reads_until_it_has_ended(any_pair: Pair) -> None:
    letter = archived(any_pair)
    any_pair.clock.now += KEPT_LIFETIME
    any_pair.turn()
    assert any_pair.alice.read(letter) == b"of the first session"
    any_pair.turn()
    assert live(sessions_of(any_pair.alice)[1].session).archived > 0  # reading does not renew it


def test_an_archived_session_that_has_ended_reads_nothing(any_pair: Pair) -> None:
    letter = archived(any_pair)
    any_pair.clock.now += KEPT_LIFETIME + 1
    with unchanged(any_pair.alice.store), pytest.raises(PeerError):
        any_pair.alice.read(letter)
    any_pair.turn()


@pytest.mark.parametrize("upkeep", ["publish", "a message after opening", "a new session"])
def test_an_archived_session_that_has_ended_is_deleted(any_pair: Pair, upkeep: str) -> None:
    archived(any_pair)
    any_pair.clock.now += KEPT_LIFETIME + 1
    assert rows(any_pair.alice) == 2
    if upkeep == "publish":
        any_pair.alice.account.publish(0)
    elif upkeep == "a new session":
        any_pair.converse()
    else:
        any_pair.reopen()
        any_pair.turn()
    assert rows(any_pair.alice) == 1 + (upkeep == "a new session")


def test_a_session_that_comes_back_is_not_archived(pair: Pair) -> None:
    pair.alice.initiate()
    pair.bob.read(pair.alice.write(b"first session"))
    answer = pair.bob.write(b"to the first session")
    pair.alice.initiate()
    pair.alice.write(b"lost")
    pair.alice.read(answer)
    came_back, older = (live(each.session) for each in sessions_of(pair.alice))
    assert (came_back.archived, older.archived) == (0, pair.clock.now)


def test_a_session_archived_before_the_time_was_noted_counts_from_now_on(pair: Pair) -> None:
    archived(pair)
    with pair.alice.store.transaction():
        sessions = PeerSessions(pair.alice.store, pair.alice.peer, frozenset(Suite))
        older = sessions.all()[1]

        sessions._save(older.id, older.rank, replace(live(older.session), archived=0))
    pair.clock.now += 5 * KEPT_LIFETIME
    pair.alice.account.publish(0)
    assert live(sessions_of(pair.alice)[1].session).archived == pair.clock.now
    pair.clock.now += KEPT_LIFETIME + 1
    pair.alice.account.publish(0)
    assert rows(pair.alice) == 1


# --- sessions that nobody answers ---------------------------------------------------------------------


def unanswered(pair: Pair) -> bytes:
    """Let Alice begin a session that Bob does not answer; return her first message."""
    pair.alice.initiate()
    return pair.alice.write(b"is anybody there?")


def test_a_first_message_is_repeated_for_thirty_days(any_pair: Pair) -> None:  # SES-17
    unanswered(any_pair)
    any_pair.clock.now += KEPT_LIFETIME
    any_pair.alice.account.expire()
    any_pair.reopen()
    assert any_pair.bob.read(any_pair.alice.write(b"still?")) == b"still?"
    assert any_pair.alice.read(any_pair.bob.write(b"yes")) == b"yes"
    any_pair.clock.now += KEPT_LIFETIME + 1
    any_pair.alice.account.expire()
    any_pair.turn()


@pytest.mark.parametrize("deleted", [False, True])
def test_then_its_session_has_ended(any_pair: Pair, deleted: bool) -> None:  # SES-17
    first = unanswered(any_pair)
    assert any_pair.bob.read(first) == b"is anybody there?"
    answer = any_pair.bob.write(b"late")
    any_pair.clock.now += KEPT_LIFETIME + 1
    if deleted:
        any_pair.alice.account.expire()
    with unchanged(any_pair.alice.store), pytest.raises(SessionEnded, match="30 days"):
        any_pair.alice.write(b"again")
    with unchanged(any_pair.alice.store), pytest.raises(PeerError):
        any_pair.alice.read(answer)
    status = any_pair.alice.account.session(any_pair.alice.peer)
    assert status is not None
    assert status.ended
    assert any_pair.alice.account.due().ended == (any_pair.alice.peer,)
    assert any_pair.alice.account.due().unanswered == ()
    any_pair.alice.initiate()
    assert any_pair.bob.read(any_pair.alice.write(b"anew")) == b"anew"
    assert any_pair.alice.read(any_pair.bob.write(b"at last")) == b"at last"


def test_no_key_of_it_is_left_after_upkeep(any_pair: Pair) -> None:  # SES-17
    unanswered(any_pair)
    assert [type(each.session) for each in sessions_of(any_pair.alice)] == [Initiated]
    any_pair.clock.now += KEPT_LIFETIME + 1
    any_pair.alice.account.expire()
    assert [type(each.session) for each in sessions_of(any_pair.alice)] == [Ended]


def test_an_answer_sets_its_time_back(any_pair: Pair) -> None:  # SES-17
    """An active session has no time, so that nothing takes it for an archived one."""
    any_pair.converse()
    (stored,) = sessions_of(any_pair.alice)
    assert live(stored.session).archived == 0


def test_a_session_that_began_before_its_time_was_recorded_counts_from_upkeep(pair: Pair) -> None:  # SES-17
    unanswered(pair)
    sessions = PeerSessions(pair.alice.store, pair.alice.peer, frozenset(pair.suites))
    with pair.alice.store.transaction():
        stored = sessions.active()
        assert stored is not None
        sessions._save(stored.id, stored.rank, replace(live(stored.session), archived=0))
    pair.clock.now += KEPT_LIFETIME + 1
    assert pair.alice.write(b"still there")
    pair.alice.account.expire()
    pair.clock.now += KEPT_LIFETIME
    assert pair.alice.write(b"still there")
    pair.clock.now += 1
    with pytest.raises(SessionEnded):
        pair.alice.write(b"ended")


def test_a_new_session_archives_it_for_thirty_days_more(pair: Pair) -> None:  # SES-16
    first = unanswered(pair)
    assert pair.bob.read(first) == b"is anybody there?"
    letter = pair.bob.write(b"on its way")
    pair.clock.now += 20 * DAY
    pair.alice.initiate()
    pair.clock.now += KEPT_LIFETIME
    assert pair.alice.read(letter) == b"on its way"
