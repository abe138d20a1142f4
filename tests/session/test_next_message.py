"""SES-3: the message that the active session expects next costs one load and one save.

No key of it is kept. Every other message is looked up. Cost is counted in calls of tables.
"""

import random
from collections.abc import Callable, Iterator

import pytest

from letterlock._ratchet.double import Hearing
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.triple import Triple, sparse_chain
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire import cbor
from letterlock._wire.message import RatchetMessage, decode_message
from letterlock._wire.suite import Suite
from letterlock.errors import AuthenticationFailed, DuplicateMessage, PeerError
from letterlock.limits import MAX_CROSSED_MESSAGES
from letterlock.stores._memory_rows import MemoryCalls
from support.pair import BOTH_SUITES, Pair, Side, flipped, live
from support.triple_session import as_plain_message, as_triple_message

SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
ONCE = ["sessions.load", "sessions.save"]
OF_CALLS = {
    "active": "sessions.load",
    "save_active": "sessions.save",
    "kept": "skipped_keys.find",
    "delete_kept": "skipped_keys.delete",
}
"""What the methods of the library's own calls do, as methods of tables."""


@pytest.fixture
def calls(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the calls of tables that have been made, by name."""
    made: list[str] = []
    for store in (pair.alice.store, pair.bob.store):
        tables = store.tables
        for name in ("sessions", "skipped_keys", "past_chains", "peers", "account", "prekeys", "replays"):
            kind = type(getattr(tables, name))
            for method in [each for each in vars(kind) if not each.startswith("_")]:
                monkeypatch.setattr(kind, method, recorded(made, f"{name}.{method}", getattr(kind, method)))
    for method, name in OF_CALLS.items():
        monkeypatch.setattr(MemoryCalls, method, recorded(made, name, getattr(MemoryCalls, method)))
    return made


def recorded(made: list[str], name: str, method: Callable[..., object]) -> Callable[..., object]:
    # The store of the other side has tables of the same class: each call is recorded once.
    if hasattr(method, "records"):
        return method

    def call(*arguments: object) -> object:
        made.append(name)
        return method(*arguments)

    call.records = True  # type: ignore[attr-defined]
    return call


def made_by(calls: list[str], call: Callable[[], object]) -> list[str]:
    calls.clear()
    call()
    return list(calls)


def ratchet_of(side: Side) -> Ratchet:
    with side.store.transaction():
        stored = PeerSessions(side.store, side.peer, BOTH_SUITES).active()
    assert stored is not None
    return live(stored.session).ratchet


def test_a_message_within_a_chain_is_one_load_and_one_save(pair: Pair, calls: list[str]) -> None:
    pair.converse()
    pair.bob.read(pair.alice.write(b"turns the ratchet"))
    for number in range(3):
        message = b""

        def write() -> None:
            nonlocal message
            message = pair.alice.write(b"%d" % number)  # noqa: B023

        assert made_by(calls, write) == ONCE
        assert made_by(calls, lambda: pair.bob.read(message)) == ONCE  # noqa: B023


def test_a_turn_of_the_ratchet_writes_one_finished_chain_more(pair: Pair, calls: list[str]) -> None:
    pair.converse()
    pair.turn()  # Bob's account has looked after its prekeys, which it does now and then
    message = pair.alice.write(b"turns the ratchet")
    turned = made_by(calls, lambda: pair.bob.read(message))
    assert turned.count("sessions.save") == turned.count("past_chains.add") == 1
    assert {each for each in turned if not each.endswith((".load", ".find", ".has"))} == {
        "sessions.save",
        "past_chains.add",
    }


@pytest.mark.pure
def test_a_forged_next_message_is_refused_after_one_load(pair: Pair, calls: list[str]) -> None:
    pair.converse()
    pair.bob.read(pair.alice.write(b"turns the ratchet"))
    message = pair.alice.write(b"next")
    before = pair.bob.dump()

    def read_forged() -> None:
        with pytest.raises(AuthenticationFailed):
            pair.bob.read(flipped(message, len(message) - 1))

    assert made_by(calls, read_forged) == ["sessions.load"]
    assert pair.bob.dump() == before
    assert made_by(calls, lambda: pair.bob.read(message)) == ONCE


def test_a_message_that_is_not_next_is_looked_up_among_the_kept_keys(pair: Pair, calls: list[str]) -> None:
    pair.converse()
    pair.bob.read(pair.alice.write(b"turns the ratchet"))
    late, ahead = pair.alice.write(b"late"), pair.alice.write(b"ahead")
    for message in (ahead, late):
        made = made_by(calls, lambda message=message: pair.bob.read(message))  # type: ignore[misc]
        assert "skipped_keys.find" in made
    with pytest.raises(DuplicateMessage):
        pair.bob.read(late)


def test_a_session_that_crossed_another_counts_its_next_messages(pair: Pair) -> None:
    """SES-12: the quick way counts down `yields` as any other way does."""
    for side in (pair.alice, pair.bob):
        side.initiate()
    first = pair.alice.write(b"first"), pair.bob.write(b"first")
    pair.bob.read(first[0])
    pair.alice.read(first[1])
    counted = []
    for number in range(MAX_CROSSED_MESSAGES + 3):
        for side in (pair.alice, pair.bob):
            side.other.read(side.write(b"%d" % number))
            side.other.read(side.write(b"and one more"))
            counted.append(yields(side.other))
    assert max(counted) > 0
    assert counted[-1] == 0


def yields(side: Side) -> int:
    with side.store.transaction():
        sessions = PeerSessions(side.store, side.peer, BOTH_SUITES).all()
    return max(getattr(each.session, "yields", 0) for each in sessions)


# --- which message is the next ----------------------------------------------------------------------------


def arrivals(pair: Pair, seed: int) -> Iterator[tuple[Side, bytes]]:
    """Yield who is to read which message next. Some are lost; others overtake each other."""
    rng = random.Random(seed)
    wire: list[tuple[Side, bytes]] = []
    for _ in range(250):
        side = rng.choice((pair.alice, pair.bob))
        count = rng.choice((1, 1, 2, 5))
        wire += [(side.other, side.write(bytes(rng.choice((1, 700))))) for _ in range(count)]
        while len(wire) > rng.randrange(4):
            arrived = wire.pop(0 if rng.random() < 0.7 else rng.randrange(len(wire)))
            if rng.random() < 0.9:
                yield arrived


@SUITES
def test_no_key_of_the_next_message_is_kept_in_any_session(suite: Suite) -> None:
    pair, expected, others = Pair(suite=suite), 0, 0
    pair.converse()
    for side, message in arrivals(pair, 7):
        decoded = decode_message(message)
        assert isinstance(decoded, RatchetMessage)
        if ratchet_of(side).is_next(decoded):
            expected += 1
            assert not is_kept(side, decoded)
        else:
            others += 1
        side.read(message)
    assert expected > 100
    assert others > 100


def is_kept(side: Side, message: RatchetMessage) -> bool:
    """Return whether the store keeps a key of a message, in either ratchet."""
    header, pq_header = message.header, message.pq_header
    with side.store.transaction():
        sessions = PeerSessions(side.store, side.peer, BOTH_SUITES).all()
        names = [(header.ratchet_key.data, header.number)]
        if pq_header is not None:
            ads = [each.session.origin.associated_data for each in sessions]
            names += [(sparse_chain(ad, pq_header.epoch - 1), pq_header.number) for ad in ads]
        find = side.store.tables.skipped_keys.find
        return any(find(side.peer.encode(), *name) is not None for name in names)


@SUITES
def test_the_next_message_is_that_of_every_chain(suite: Suite) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    pair.bob.read(pair.alice.write(b"turns the ratchet"))
    first, second = pair.alice.write(b"1"), pair.alice.write(b"2")
    message, ahead = RatchetMessage.decode(first), RatchetMessage.decode(second)
    ratchet = ratchet_of(pair.bob)
    assert ratchet.is_next(message)
    assert not ratchet.is_next(ahead)
    other_kind = as_triple_message(first) if suite is Suite.X3DH else as_plain_message(first)
    assert not ratchet.is_next(RatchetMessage.decode(other_kind))
    assert not ratchet_of(pair.alice).is_next(message)
    pair.bob.read(first)
    assert not ratchet_of(pair.bob).is_next(message)
    assert ratchet_of(pair.bob).is_next(ahead)
    pair.bob.write(b"now Bob speaks")
    assert ratchet_of(pair.bob).is_next(ahead)


def begins_an_epoch(message: RatchetMessage, ratchet: Triple) -> bool:
    return message.pq_header is not None and message.pq_header.epoch - 1 > ratchet.sparse.receiving.epoch


def test_the_first_message_of_a_chain_or_an_epoch_is_not_the_next(pair: Pair) -> None:
    """It ends another chain, of which messages may be missing."""
    pair.converse()
    turns = epochs = 0
    for number in range(60):
        side = (pair.alice, pair.bob)[number // 3 % 2]
        message = RatchetMessage.decode(side.write(bytes(1500)))
        ratchet = ratchet_of(side.other)
        if isinstance(ratchet, Triple) and begins_an_epoch(message, ratchet):
            epochs += 1
            assert not ratchet.is_next(message)
        if message.header.number == 0:
            turns += 1
            assert not ratchet.is_next(message)
        side.other.read(cbor.complete_array(message.header_bytes, message.sealed))
    assert turns == 20
    assert epochs > 2 or not isinstance(ratchet_of(pair.alice), Triple)


def test_an_unanswered_session_expects_no_message() -> None:
    pair = Pair()
    pair.alice.initiate()
    pair.bob.read(pair.alice.write(b"first"))
    answer = pair.bob.write(b"answer")
    assert not ratchet_of(pair.alice).is_next(RatchetMessage.decode(answer))
    pair.alice.read(answer)
    double = ratchet_of(pair.alice)
    assert isinstance(double.double if isinstance(double, Triple) else double, Hearing)
    with pytest.raises(PeerError):
        pair.alice.read(answer)
