"""Accounts: one side in Python, the other natively, on the same stores. What the native way must leave alone.

Not here: long conversations, step by step (test_conversations.py).
"""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import cbor2
import pytest

from letterlock._primitives.mlkem import Encapsulation, MlKem1024PublicKey
from letterlock._primitives.native import NATIVE, Native
from letterlock._ratchet.keys import SkippedKeys
from letterlock._ratchet.ratchet import SkippedRange
from letterlock._session import in_order, peer_sessions
from letterlock._session.peer_sessions import PeerSessions
from letterlock._wire.message import RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    PeerError,
    TooManySkipped,
    UsageError,
)
from letterlock.limits import KEPT_LIFETIME, MAX_SKIP
from letterlock.stores import MemoryStore, SkippedKey
from letterlock.stores._sqlite.skipped_row import opened_row
from support.native import USERS, without_native
from support.pair import AnyStore, Pair, Side, dump, flipped, memory_stores, plain, sqlite_stores

if NATIVE is None:
    pytest.skip("letterlock-fast is not installed, or switched off", allow_module_level=True)
FAST: Native = NATIVE

PACKAGE = Path(peer_sessions.__file__).parents[1]
SUITES = pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)


def test_every_user_of_the_native_module_can_be_kept_from_it() -> None:
    imports = re.compile(r"^from letterlock\._primitives\.native import .*\bNATIVE\b", re.MULTILINE)
    users = {path for path in PACKAGE.rglob("*.py") if imports.search(path.read_text(encoding="utf-8"))}
    assert users == {Path(user.__file__ or "") for user in USERS}


@SUITES
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_two_stores_are_the_same_whoever_computes(
    suite: Suite, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same conversation, loss and forgeries included, natively and in Python: rows and messages agree.

    Crashes too: every now and then, both sides open their stores again.
    """
    once: list[Encapsulation] = []
    encapsulate = MlKem1024PublicKey.encapsulate

    def encapsulate_once(key: MlKem1024PublicKey) -> Encapsulation:
        once.append(once[0] if once else encapsulate(key))  # OpenSSL draws at random, and both keys are equal
        return once[0]

    monkeypatch.setattr(MlKem1024PublicKey, "encapsulate", encapsulate_once)
    wires, held = [], []
    for way in ("native", "python"):
        stores = memory_stores() if kind == "memory" else sqlite_stores(tmp_path / way)
        (tmp_path / way).mkdir()
        pair = Pair(stores, suite=suite, seed=5)
        if way == "native":
            wires.append(play(pair))
        else:
            with without_native():
                wires.append(play(pair))
        held.append([records(side) for side in (pair.alice, pair.bob)])
        pair.close()
    assert wires[0] == wires[1]
    assert held[0] == held[1]


def play(pair: Pair) -> list[bytes]:
    """Return every message and every text that was read, or the name of the error."""
    rng, seen = random.Random(7), []
    pair.introduce()
    for _ in range(120):
        side = rng.choice([pair.alice, pair.bob])
        texts = [rng.randbytes(rng.choice([0, 40, 3000])) for _ in range(rng.choice([1, 1, 2, 4]))]
        seen += [side.say(text) for text in texts]
        if rng.random() < 0.2:
            spoil(side.other, rng)
        while side.other.post.messages and rng.random() < 0.9:
            seen.append(outcome(side.other.hear))
        if rng.random() < 0.1:
            pair.reopen()
    return seen


def spoil(side: Side, rng: random.Random) -> None:
    at = rng.randrange(len(side.post.messages))
    match rng.randrange(4):
        case 0:
            side.post.drop(at)
        case 1:
            side.post.repeat(at)
        case 2:
            side.post.shuffle(rng)
        case _:
            message = side.post.messages[at]
            side.post.flip(at, rng.randrange(len(message)), 1 << rng.randrange(8))


def outcome(call: Callable[[], bytes]) -> bytes:
    try:
        return call()
    except PeerError as error:
        return type(error).__name__.encode()


def records(side: Side) -> object:
    """Return what a side holds of its sessions, as bytes: their records and the rows of their kept keys."""
    with side.store.transaction():
        rows = side.store.tables.sessions.load(side.peer.encoded, 41)
        held = [(row.id, row.rank, row.record.expose()) for row in rows]
    return held, kept_rows(side.store)


def kept_rows(store: AnyStore) -> object:
    """Return the rows of kept keys, as bytes.

    In a file each sealing has a fresh nonce, so they are opened; and each file has its own tags for chains.
    """
    if isinstance(store, MemoryStore):
        return dump(store)["skipped_keys"]
    rows = sorted(dump(store)["letterlock_skipped"])
    return [plain(replace(opened_row(store._database.cipher, row), chain=b"")) for row in rows]


def late(pair: Pair) -> list[bytes]:
    """Return messages of which Bob has read the last one, and kept the keys of the others."""
    pair.converse()
    pair.turn()
    messages = [pair.alice.write(b"%d" % number) for number in range(5)]
    assert pair.bob.read(messages[-1]) == b"4"
    return messages


@SUITES
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_forgery_of_a_late_message_changes_nothing(suite: Suite, kind: str, tmp_path: Path) -> None:
    # RAT-6
    pair = Pair(memory_stores() if kind == "memory" else sqlite_stores(tmp_path), suite=suite)
    messages = late(pair)
    before = dump(pair.bob.store)
    for at in (4, 60, len(messages[1]) - 1):
        with pytest.raises(PeerError):
            pair.bob.read(flipped(messages[1], at, 1))
    assert dump(pair.bob.store) == before
    assert pair.bob.read(messages[1]) == b"1"


@SUITES
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_late_message_leaves_no_key_of_its_own(suite: Suite, kind: str, tmp_path: Path) -> None:
    # RAT-7
    pair = Pair(memory_stores() if kind == "memory" else sqlite_stores(tmp_path), suite=suite)
    messages = late(pair)
    record = active(pair.bob)[1]
    places = [FAST.places(record, message) for message in messages[:4]]
    assert {len(each) for each in places} == {2 if suite is Suite.PQXDH else 1}
    with mock.patch.object(peer_sessions, "decode_any_session", side_effect=AssertionError):
        for count, message in enumerate(messages[:4]):
            assert all(find(pair.bob, place) for each in places[count:] for place in each)
            pair.bob.read(message)
            assert not any(find(pair.bob, place) for place in places[count])
    assert kept_rows(pair.bob.store) in ([], {active(pair.bob)[0]: {}})


@SUITES
def test_a_late_message_without_one_of_its_keys_is_left_to_python(suite: Suite) -> None:
    for at in range(2 if suite is Suite.PQXDH else 1):
        pair = Pair(suite=suite)
        messages = late(pair)
        place = FAST.places(active(pair.bob)[1], messages[2])[at]
        found = find(pair.bob, place)
        assert found is not None
        with pair.bob.store.transaction():
            pair.bob.store.tables.skipped_keys.delete(found)
        before = dump(pair.bob.store)
        with pytest.raises(DuplicateMessage):
            pair.bob.read(messages[2])
        assert dump(pair.bob.store) == before


@SUITES
def test_keys_that_were_kept_too_long_ago_open_nothing(suite: Suite) -> None:
    # SES-16
    pair = Pair(suite=suite)
    messages = late(pair)
    pair.clock.now += KEPT_LIFETIME
    assert pair.bob.read(messages[1]) == b"1"
    pair.clock.now += 1
    before = dump(pair.bob.store)
    with pytest.raises(DuplicateMessage):
        pair.bob.read(messages[2])
    assert dump(pair.bob.store) == before


@SUITES
def test_a_late_message_of_an_archived_session_is_left_to_python(suite: Suite) -> None:
    pair = Pair(suite=suite)
    messages = late(pair)
    pair.bob.initiate()
    before = active(pair.bob)
    assert pair.bob.read(messages[1]) == b"1"
    assert active(pair.bob) == before
    with pytest.raises(DuplicateMessage):
        pair.bob.read(messages[1])


def active(side: Side) -> tuple[int, bytes]:
    with side.store.transaction():
        (row,) = side.store.tables.sessions.load(side.peer.encoded, 1)
        return row.id, row.record.expose()


def find(side: Side, place: tuple[bytes, int]) -> SkippedKey | None:
    with side.store.transaction():
        return side.store.tables.skipped_keys.find(side.peer.encoded, *place)


@SUITES
def test_in_order_no_session_is_decoded(suite: Suite) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    pair.turn()
    with mock.patch.object(peer_sessions, "decode_any_session", side_effect=AssertionError):
        for _ in range(40):  # fewer than the messages between two looks at what is due
            pair.turn()


def test_a_ratchet_key_of_a_finished_chain_is_left_to_python() -> None:
    # A peer that used an old key again would otherwise be read here, and refused in Python.
    pair = Pair()
    pair.converse()
    message = pair.alice.write(b"a new chain")
    key = RatchetMessage.decode(message).header.ratchet_key.data
    with pair.bob.store.transaction():
        tables = pair.bob.store.tables
        tables.past_chains.add(tables.sessions.load(pair.bob.peer.encoded, 1)[0].id, key, 10)
    before = dump(pair.bob.store)
    with pytest.raises(DuplicateMessage):
        pair.bob.read(message)
    assert dump(pair.bob.store) == before


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_gap_before_a_message_that_is_kept_is_left_to_python(number: int) -> None:
    # No honest peer causes this. Python opens the message with the key that is kept, or refuses it.
    pair = Pair()
    pair.converse()
    messages = [pair.alice.write(b"a new chain") for _ in range(4)]
    key = RatchetMessage.decode(messages[number]).header.ratchet_key.data
    with pair.bob.store.transaction():
        tables = pair.bob.store.tables
        id_ = tables.sessions.load(pair.bob.peer.encoded, 1)[0].id
        tables.skipped_keys.add(id_, [[SkippedRange(key, number, SkippedKeys(bytes(32)))]], 0)
    before = dump(pair.bob.store)
    for message in messages[number:]:
        with pytest.raises((AuthenticationFailed, DuplicateMessage)):
            pair.bob.read(message)
    assert dump(pair.bob.store) == before


@SUITES
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_gap_and_what_it_skipped_are_read_without_decoding_the_session(
    suite: Suite, kind: str, tmp_path: Path
) -> None:
    pair = Pair(memory_stores() if kind == "memory" else sqlite_stores(tmp_path), suite=suite)
    pair.converse()
    pair.turn()
    messages = [pair.alice.write(b"%d" % number) for number in range(100)]
    with mock.patch.object(peer_sessions, "decode_any_session", side_effect=AssertionError):
        assert pair.bob.read(messages[70]) == b"70"
        assert pair.bob.read(messages[99]) == b"99"
        for number in (98, 0, 69, 71):
            assert pair.bob.read(messages[number]) == b"%d" % number
    for number in (98, 0, 69, 71):
        with pytest.raises(DuplicateMessage):
            pair.bob.read(messages[number])


@SUITES
def test_too_many_skipped_are_refused_as_in_python(suite: Suite) -> None:
    # RAT-5
    pair = Pair(suite=suite)
    pair.converse()
    pair.bob.read(pair.alice.write(b"text"))
    messages = [pair.alice.write(b"text") for _ in range(MAX_SKIP + 2)]
    before = dump(pair.bob.store)
    with pytest.raises(TooManySkipped):
        pair.bob.read(messages[MAX_SKIP + 1])
    assert dump(pair.bob.store) == before
    assert pair.bob.read(messages[MAX_SKIP]) == b"text"
    assert pair.bob.read(messages[MAX_SKIP + 1]) == b"text"


@SUITES
def test_a_forgery_beyond_a_gap_keeps_no_key(suite: Suite) -> None:
    # RAT-6
    pair = Pair(suite=suite)
    pair.converse()
    message = [pair.alice.write(b"text") for _ in range(50)][-1]
    before = dump(pair.bob.store)
    with pytest.raises(AuthenticationFailed):
        pair.bob.read(flipped(message, len(message) - 1, 1))
    assert dump(pair.bob.store) == before
    assert pair.bob.read(message) == b"text"


@SUITES
def test_a_message_whose_handshake_was_taken_away_is_refused(suite: Suite) -> None:
    # SES-15
    pair = Pair(suite=suite)
    pair.introduce()
    for _ in range(3):
        initial = pair.alice.write(b"not answered yet")
        stripped = cbor2.loads(initial)[-1]
        with pytest.raises(AuthenticationFailed):
            pair.bob.read(stripped)
        assert pair.bob.read(initial) == b"not answered yet"


@SUITES
def test_a_late_message_whose_handshake_was_taken_away_is_refused(suite: Suite) -> None:
    # SES-15
    pair = Pair(suite=suite)
    pair.introduce()
    late, *_, last = [pair.alice.write(b"not answered yet") for _ in range(3)]
    assert pair.bob.read(last) == b"not answered yet"
    before = dump(pair.bob.store)
    with pytest.raises(AuthenticationFailed):
        pair.bob.read(cbor2.loads(late)[-1])
    assert dump(pair.bob.store) == before
    assert pair.bob.read(late) == b"not answered yet"


def test_a_suite_that_is_not_allowed_any_more_is_left_to_python() -> None:
    # SES-8
    pair = Pair(suite=Suite.X3DH)
    pair.converse()
    pair.alice.reopen(suites=frozenset({Suite.PQXDH}))
    with pytest.raises(UsageError, match="no session with this address"):
        pair.alice.write(b"text")


def test_a_late_message_of_such_a_suite_is_left_to_python() -> None:
    # SES-8
    pair = Pair(suite=Suite.X3DH)
    messages = late(pair)
    pair.bob.reopen(suites=frozenset({Suite.PQXDH}))
    before = dump(pair.bob.store)
    with pytest.raises(PeerError):
        pair.bob.read(messages[0])
    assert dump(pair.bob.store) == before


@SUITES
@pytest.mark.parametrize("length", [in_order.LONGEST - 200, in_order.LONGEST, in_order.LONGEST + 1])
def test_texts_around_the_limit(suite: Suite, length: int) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    for _ in range(3):
        assert pair.bob.read(pair.alice.write(bytes(length))) == bytes(length)
        assert pair.alice.read(pair.bob.write(bytes(length))) == bytes(length)


def test_nothing_is_drawn_for_what_python_sends() -> None:
    """A text that is too long for the native way draws once, as it does in Python."""
    pair = Pair(seed=1)
    pair.converse()
    drawn: list[int] = []
    entropy = pair.entropy("more")

    def noted(length: int) -> bytes:
        drawn.append(length)
        return entropy(length)

    with pair.alice.store.transaction():
        sessions = PeerSessions(pair.alice.store, pair.alice.peer, frozenset(Suite))
        sessions.encrypt(bytes(in_order.LONGEST + 1), noted)
        sessions.encrypt(b"short", noted)
    assert drawn == [32, 8, 8]
