"""SES-4: both sides initiate at once and still converge on one session, because a promotion can be deferred.

Convergence is checked in lockstep, where every message crosses another, and under random loss and delay.
"""

import random
from dataclasses import replace

import pytest

from letterlock._primitives.curve25519 import RatchetKey
from letterlock._session.lifecycle import Event
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.promotion import event_in_archive
from letterlock._session.session import Established, Origin
from letterlock._session.stored_session import StoredSession
from letterlock._wire import cbor
from letterlock._wire.message import Header
from letterlock._wire.pq_header import PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed
from letterlock.limits import MAX_SKIP, MAX_TRIAL_STEPS
from support.double_pair import hearing
from support.pair import Pair, Side, sqlite_stores, unchanged
from support.trace_calls import Trace

LOW, HIGH = bytes(32), b"\xff" * 32


def sessions_of(side: Side) -> list[StoredSession]:
    with side.store.transaction():
        return PeerSessions(side.store, side.peer, frozenset(Suite)).all()


def active(side: Side) -> bytes:
    """Return the associated data of the active session; it is equal on both sides of one session."""
    return sessions_of(side)[0].session.origin.associated_data


def both_initiate(pair: Pair) -> None:
    """Each side initiates before it hears from the other, and posts a first message."""
    bundles = pair.alice.account.bundle(), pair.bob.account.bundle()
    pair.alice.initiate(bundles[1])
    pair.bob.initiate(bundles[0])
    for side in (pair.alice, pair.bob):
        side.say(b"first from " + side.address.name.encode())


def lockstep(pair: Pair, rounds: int) -> None:
    """Both write, then both read: every message crosses one of the other side."""
    for number in range(rounds):
        for side in (pair.alice, pair.bob):
            side.say(b"round %d" % number)
        for side in (pair.alice, pair.bob):
            side.hear_all()


SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)


@SUITES
@pytest.mark.parametrize("seed", range(12))
def test_in_lockstep_they_converge_within_three_rounds(seed: int, suite: Suite) -> None:
    pair = Pair(suite=suite, seed=seed)
    both_initiate(pair)
    for side in (pair.alice, pair.bob):
        side.hear_all()
    lockstep(pair, 3)
    converged = active(pair.alice)
    assert active(pair.bob) == converged
    lockstep(pair, 3)
    assert active(pair.alice) == active(pair.bob) == converged


def test_the_session_with_the_lower_associated_data_is_kept() -> None:
    """Neither side can choose the winner: associated data is a digest of both sides' random choices."""
    winners = set()
    for seed in range(12):
        pair = Pair(seed=f"winner {seed}")
        both_initiate(pair)
        lockstep(pair, 4)
        converged = active(pair.alice)
        others = {stored.session.origin.associated_data for stored in sessions_of(pair.alice)} - {converged}
        assert {converged} < {converged, *others}
        assert all(converged < other for other in others)
        first = next(
            each.session
            for each in sessions_of(pair.alice)
            if each.session.origin.associated_data == converged
        )
        assert isinstance(first, Established)
        winners.add(first.origin.handshake_id is None)
    assert winners == {True, False}  # Alice's session wins sometimes, Bob's at other times


@pytest.mark.parametrize(
    ("suite", "seed"),
    [(Suite.X3DH, seed) for seed in range(20)] + [(Suite.PQXDH, seed) for seed in range(40)],
)
def test_they_converge_after_random_loss_and_delay(suite: Suite, seed: int) -> None:
    rng, pair = random.Random(seed), Pair(suite=suite, seed=f"crossing {seed}")
    texts: dict[bytes, bytes] = {}
    both_initiate(pair)
    for step in range(rng.randrange(30)):
        side = rng.choice([pair.alice, pair.bob])
        if rng.random() < 0.4:
            text = b"%d" % step
            texts[side.say(text)] = text
        elif side.post.messages:
            side.post.shuffle(rng)
            message = side.post.drop()
            if rng.random() < 0.75 and message in texts:
                assert side.read(message) == texts[message]
        if rng.random() < 0.05:
            side.initiate(side.other.account.bundle())
    for side in (pair.alice, pair.bob):
        side.post.messages.clear()  # what is still on its way is lost
    for _ in range(4):
        pair.turn()
    assert active(pair.alice) == active(pair.bob)
    converged = active(pair.alice)
    lockstep(pair, 3)
    assert active(pair.alice) == active(pair.bob) == converged


def test_if_one_first_message_is_lost_the_other_session_is_used(any_pair: Pair) -> None:
    both_initiate(any_pair)
    any_pair.bob.post.drop()
    any_pair.alice.hear_all()
    any_pair.turn()
    any_pair.reopen()
    any_pair.turn()
    assert active(any_pair.alice) == active(any_pair.bob)


def test_both_first_messages_and_all_later_ones_are_read(any_pair: Pair) -> None:
    both_initiate(any_pair)
    assert any_pair.bob.hear_all() == [b"first from alice"]
    assert any_pair.alice.hear_all() == [b"first from bob"]
    for _ in range(3):
        for side in (any_pair.alice, any_pair.bob):
            side.say(b"more")
        assert any_pair.alice.hear_all() == any_pair.bob.hear_all() == [b"more"]
    assert len(sessions_of(any_pair.alice)) == len(sessions_of(any_pair.bob)) == 2


def converged_pair(suite: Suite) -> tuple[Pair, Established]:
    """Return a pair that has converged, and Alice's other session: established, and not due for promotion."""
    for seed in range(60):
        pair = Pair(suite=suite, seed=f"converged {seed}")
        both_initiate(pair)
        lockstep(pair, 4)
        other = sessions_of(pair.alice)[1].session
        if isinstance(other, Established) and not other.promote_next:
            return pair, other
    raise AssertionError


@SUITES
def test_the_second_message_in_the_other_session_makes_it_active(suite: Suite) -> None:
    """Bob lost the preferred session, so he writes in the other. Only his first message there is deferred."""
    pair, other = converged_pair(suite)
    converged = active(pair.alice)
    assert converged < other.origin.associated_data
    with pair.bob.store.transaction():
        pair.bob.store.tables.sessions.delete(sessions_of(pair.bob)[0].id)
    pair.bob.say(b"in the other")
    assert pair.alice.hear() == b"in the other"
    assert active(pair.alice) == converged
    deferred = sessions_of(pair.alice)[1].session
    assert isinstance(deferred, Established)
    assert (deferred.origin, deferred.promote_next) == (other.origin, True)
    pair.reopen()  # `promote_next` is in the record
    pair.bob.say(b"really")
    assert pair.alice.hear() == b"really"
    assert active(pair.alice) == other.origin.associated_data
    pair.alice.say(b"as you like")
    assert pair.bob.hear() == b"as you like"


def test_a_late_message_does_not_change_which_session_is_active(each_pair: Pair) -> None:
    pair = each_pair
    both_initiate(pair)
    lockstep(pair, 4)
    converged = active(pair.alice)
    late = pair.bob.write(b"late")
    for n in range(3):
        pair.bob.say(b"%d" % n)
    pair.alice.hear_all()
    pair.alice.initiate()
    newest = active(pair.alice)
    assert newest != converged
    assert pair.alice.read(late) == b"late"
    assert active(pair.alice) == newest


# --- when a promotion is deferred ---------------------------------------------------------------------------

THEIRS = b"\x07" * 32


def established(
    ad: bytes, handshake: bytes | None, born: int, *, promote_next: bool = False, yields: int = 1
) -> Established:
    return Established(Origin(Suite.PQXDH, ad, handshake, born), hearing(), promote_next, yields)


@pytest.mark.parametrize("archived_is_later", [False, True])
@pytest.mark.parametrize("ours", [None, THEIRS], ids=["ours archived", "theirs archived"])
def test_it_yields_only_to_a_lower_session_from_the_other_side(
    ours: bytes | None, archived_is_later: bool
) -> None:
    theirs = THEIRS if ours is None else None
    archived = established(HIGH, ours, 2 if archived_is_later else 0)
    assert event_in_archive(archived, established(LOW, theirs, 1)) is Event.DEFERRED
    insisting = replace(archived, promote_next=True)
    assert event_in_archive(insisting, established(LOW, theirs, 1)) is Event.AUTHENTICATED
    lower = established(LOW, ours, archived.origin.born)
    assert event_in_archive(lower, established(HIGH, theirs, 1)) is Event.AUTHENTICATED
    # Equal ones do not exist, and would be no tie.
    assert event_in_archive(lower, established(LOW, theirs, 1)) is Event.AUTHENTICATED


@pytest.mark.parametrize("handshake", [None, THEIRS])
@pytest.mark.parametrize("ad", [LOW, HIGH])
def test_of_two_from_one_side_the_later_one_is_meant(ad: bytes, handshake: bytes | None) -> None:
    other = HIGH if ad == LOW else LOW
    active = established(other, handshake, 5)
    for promote_next in (False, True):
        earlier = established(ad, handshake, 4, promote_next=promote_next)
        assert event_in_archive(earlier, active) is Event.BARRED
        later = established(ad, handshake, 6, promote_next=promote_next)
        assert event_in_archive(later, active) is Event.AUTHENTICATED


@pytest.mark.parametrize("ad", [LOW, HIGH])
@pytest.mark.parametrize("promote_next", [False, True])
def test_a_crossed_session_that_yields_no_more_bars_the_earlier_one(ad: bytes, promote_next: bool) -> None:
    active = established(HIGH if ad == LOW else LOW, THEIRS, 5, yields=0)
    earlier = established(ad, None, 4, promote_next=promote_next, yields=7)
    assert event_in_archive(earlier, active) is Event.BARRED
    assert event_in_archive(active, earlier) is Event.AUTHENTICATED


def test_messages_that_were_held_back_do_not_replace_one_we_just_initiated(pair: Pair) -> None:
    pair.converse()
    held_back = [pair.bob.write(b"%d" % n) for n in range(3)]
    pair.alice.initiate()
    newest = active(pair.alice)
    for n, message in enumerate(held_back):
        assert pair.alice.read(message) == b"%d" % n
        assert active(pair.alice) == newest
    pair.turn()
    assert active(pair.alice) == active(pair.bob) == newest


def test_earlier_sessions_can_be_discarded(pair: Pair) -> None:
    pair.converse()
    held_back = pair.bob.write(b"old")
    pair.alice.account.initiate(pair.bob.address, pair.bob.account.bundle(), discard_earlier=True)
    assert len(sessions_of(pair.alice)) == 1
    with unchanged(pair.alice.store), pytest.raises(AuthenticationFailed):
        pair.alice.read(held_back)
    pair.turn()


def forged(number: int, pq_header: PqHeader | None) -> bytes:
    """Return a message with a made-up seal, under a ratchet key that neither side has."""
    return cbor.complete_array(
        Header(RatchetKey(b"\x09" + bytes(31)), 0, number).encode_header(pq_header), bytes(56)
    )


FAR_FORGERIES = [
    (Suite.X3DH, None, MAX_SKIP, 0),
    # The steps of a sparse chain count too. Bob has read one message in every session.
    (Suite.PQXDH, PqHeader(1, 2, 0, PqType.NONE), MAX_SKIP, 1),
    (Suite.PQXDH, PqHeader(1, MAX_SKIP // 2 + 1, 0, PqType.NONE), MAX_SKIP, MAX_SKIP // 2),
    (Suite.PQXDH, PqHeader(1, MAX_SKIP + 2, 0, PqType.NONE), MAX_SKIP, MAX_SKIP + 1),
    (Suite.PQXDH, PqHeader(1, MAX_SKIP + 2, 0, PqType.NONE), 0, MAX_SKIP + 1),
]
"""Suite, post-quantum header and number of a forgery, and how many steps of a sparse chain it asks for."""


@pytest.mark.parametrize(("suite", "pq_header", "number", "sparse"), FAR_FORGERIES)
def test_a_far_forgery_is_tried_in_a_few_sessions_only(
    trace: Trace, suite: Suite, pq_header: PqHeader | None, number: int, sparse: int
) -> None:
    """SES-9: however many sessions there are, only a few of them derive keys up to a far number.

    Bob spoke last in all of them, so he cannot rule out a new ratchet key. Alice can, and derives nothing.
    """
    pair = Pair(suite=suite)
    for _ in range(8):
        pair.converse()
    budget = MAX_TRIAL_STEPS // (number + sparse)
    assert 1 <= budget <= 4
    for side, trials in ((pair.alice, 0), (pair.bob, budget)):
        trace.clear()
        with unchanged(side.store), pytest.raises(AuthenticationFailed):
            side.read(forged(number, pq_header))
        assert (trace.count("dh"), trace.count("hmac")) == (trials, trials * (number + 2))
        assert trace.count("sparse") == trials * (sparse + 1 if sparse else 0)
        assert trace.count("sparse", "hmac") <= MAX_TRIAL_STEPS + 3 * trials


@pytest.mark.parametrize(
    ("suite", "pq_header"), [(Suite.X3DH, None), (Suite.PQXDH, PqHeader(1, 2, 0, PqType.NONE))]
)
def test_a_near_forgery_is_tried_in_every_session_it_may_belong_to(
    trace: Trace, suite: Suite, pq_header: PqHeader | None
) -> None:
    pair = Pair(suite=suite)
    for _ in range(8):
        pair.converse()
    trace.clear()
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(forged(0, pq_header))
    assert (trace.count("dh"), trace.count("hmac"), trace.count("open")) == (8, 16, 8)


@SUITES
def test_a_forgery_of_the_other_suite_is_tried_in_no_session(trace: Trace, suite: Suite) -> None:
    """PQR-8: a session accepts one kind of message, so the other kind costs nothing."""
    pair = Pair(suite=suite)
    for _ in range(4):
        pair.converse()
    trace.clear()
    pq_header = PqHeader(1, 2, 0, PqType.NONE) if suite is Suite.X3DH else None
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(forged(MAX_SKIP, pq_header))
    assert trace.calls == []


def test_only_the_archived_session_that_knows_the_key_is_tried(each_pair: Pair, trace: Trace) -> None:
    pair = each_pair
    pair.converse()
    pair.bob.read(pair.alice.write(b"now Bob knows the key"))
    old = pair.alice.write(b"in the oldest session")
    for _ in range(8):
        pair.converse()
    trace.clear()
    assert pair.bob.read(old) == b"in the oldest session"
    assert (trace.count("dh"), trace.count("open")) == (
        1,
        2,
    )  # the active session first, then the one that knows the key


def test_a_message_with_a_new_key_is_found_among_many_archived_sessions(each_pair: Pair) -> None:
    """The peer goes on in an old session, with a new ratchet key, within the limit on steps."""
    pair = each_pair
    pair.converse()
    old = pair.alice.write(b"with a new key, in the old session")
    for _ in range(8):
        pair.converse()
    assert pair.bob.read(old) == b"with a new key, in the old session"


def test_a_message_in_the_active_session_clears_its_promote_next() -> None:
    """Otherwise one crossing would decide all later ones."""
    pair = Pair(seed="forget")
    both_initiate(pair)
    lockstep(pair, 6)
    flags = [
        each.session.promote_next for each in sessions_of(pair.alice) if isinstance(each.session, Established)
    ]
    assert flags[0] is False


def test_sessions_on_disk_converge_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    pair = Pair(sqlite_stores(tmp_path_factory.mktemp("crossing")), seed=3)
    both_initiate(pair)
    lockstep(pair, 2)
    pair.reopen()
    lockstep(pair, 2)
    assert active(pair.alice) == active(pair.bob)
    pair.close()
