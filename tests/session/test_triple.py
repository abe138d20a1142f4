"""PQR-3 to PQR-8 on whole accounts: sessions of the PQXDH suite in every stage of an epoch."""

import itertools
from dataclasses import replace

import pytest

from letterlock._ratchet.braid import indices_in
from letterlock._ratchet.triple import Triple
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt
from letterlock._session.session import Established
from letterlock._wire import cbor
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    DuplicateMessage,
    MalformedMessage,
)
from letterlock.stores import MemoryStore
from support.braid_pair import texts_in
from support.kept_keys import kept_count, kept_keys
from support.native import without_native
from support.pair import Pair, Side, live, unchanged
from support.trace_calls import record_primitives
from support.triple_session import (
    LONG,
    as_plain_message,
    as_triple_message,
    braid_of,
    ratchet_of,
    sessions_of,
    turns,
)


def skipped(side: Side) -> int:
    return kept_count(side.store)


def sparse_epoch(message: bytes) -> int:
    """Return the epoch of the sparse chain that gives a message its key."""
    pq_header = RatchetMessage.decode(message).pq_header
    assert pq_header is not None
    return pq_header.epoch - 1


# --- the post-quantum half cannot be stripped ---------------------------------------------------------


def test_a_pqxdh_session_refuses_a_plain_message(pair: Pair) -> None:
    pair.converse()
    for _ in range(3):
        message = pair.alice.write(b"whole")
        with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
            pair.bob.read(as_plain_message(message))
        assert pair.bob.read(message) == b"whole"


def test_a_pqxdh_session_refuses_a_late_message_made_plain(pair: Pair) -> None:
    """Its double-ratchet key is in the store, but that alone is not enough."""
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(as_plain_message(late))
    assert pair.bob.read(late) == b"late"


def test_an_x3dh_session_refuses_a_triple_message(x3dh_pair: Pair) -> None:
    x3dh_pair.converse(Suite.X3DH)
    late, message = x3dh_pair.alice.write(b"late"), x3dh_pair.alice.write(b"plain")
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(as_triple_message(message))
    assert x3dh_pair.bob.read(message) == b"plain"
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(as_triple_message(late))
    assert x3dh_pair.bob.read(late) == b"late"


def test_a_message_of_the_other_kind_costs_no_work(
    pair: Pair, x3dh_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.converse()
    x3dh_pair.converse(Suite.X3DH)
    changed = [(pair, as_plain_message), (x3dh_pair, as_triple_message)]
    messages = [(each, change(each.alice.write(b"whole"))) for each, change in changed]
    trace = record_primitives(monkeypatch)
    for each, message in messages:
        with each.bob.store.transaction():
            stored = each.bob.account._sessions(each.alice.account.address).active()
        assert stored is not None
        with pytest.raises(AuthenticationFailed):
            decrypt(live(stored.session), RatchetMessage.decode(message))
    assert trace.calls == []


@pytest.mark.parametrize("known", [False, True], ids=["first", "repeat"])
@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_an_initial_message_around_the_other_kind_is_malformed(suite: Suite, known: bool) -> None:
    pair = Pair(suite=suite)
    pair.alice.initiate()
    if known:
        assert pair.bob.read(pair.alice.write(b"before")) == b"before"
    message = pair.alice.write(b"whole")
    initial = InitialMessage.decode(message)
    inner = cbor.complete_array(initial.message.header_bytes, initial.message.sealed)
    changed = as_triple_message(inner) if suite is Suite.X3DH else as_plain_message(inner)
    with unchanged(pair.bob.store), pytest.raises(MalformedMessage):
        pair.bob.read(cbor.complete_array(initial.header.encode_header(), changed))
    assert pair.bob.read(message) == b"whole"


# --- late ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backwards", [False, True])
def test_late_messages_of_all_epochs_are_read(pair: Pair, backwards: bool) -> None:
    """PQR-3: when an epoch ends, messages of its chain that have not arrived stay readable, once each."""
    pair.converse()
    late: dict[Side, list[tuple[bytes, bytes]]] = {pair.alice: [], pair.bob: []}
    epochs = set[int]()
    for number in range(16):
        for side in (pair.alice, pair.bob):
            text = b"%s %d" % (side.address.name.encode(), number)
            message = side.write(text)
            epochs.add(sparse_epoch(message))
            late[side.other].append((message, text))
            side.say(bytes(LONG))
            side.other.hear()
    assert epochs >= {0, 1, 2, 3}
    for side, messages in late.items():
        assert skipped(side) == 2 * len(messages)
        for left, (message, text) in enumerate(messages[::-1] if backwards else messages, 1):
            assert side.read(message) == text
            assert skipped(side) == 2 * (len(messages) - left)  # both halves of its key are used up
        for message, _ in messages:
            with unchanged(side.store), pytest.raises(DuplicateMessage):
                side.read(message)
    turns(pair, 2)


def test_messages_around_the_end_of_an_epoch_are_read_in_any_order() -> None:
    """Two messages at the end of an epoch and two of the next are read in all 24 orders."""
    for order in itertools.permutations(range(4)):
        pair = Pair()
        pair.converse()
        messages = [pair.alice.write(b"%d" % n) for n in (0, 1)]
        while ratchet_of(pair.alice).sparse.sending.following is None:
            pair.bob.say(bytes(LONG))
            pair.alice.hear()
            messages.append(pair.alice.write(bytes(LONG)))
            pair.bob.read(messages[-1])
        turns(pair, 1)
        messages[2:] = [pair.alice.write(b"%d" % n) for n in (2, 3)]
        assert [sparse_epoch(message) for message in messages] == [0, 0, 1, 1]
        for n in order:
            assert pair.bob.read(messages[n]) == b"%d" % n
        assert pair.bob.read(pair.alice.write(b"next")) == b"next"
        assert skipped(pair.bob) == 0


def test_a_message_without_its_double_ratchet_key_is_a_duplicate(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Triple, "max_skipped_keys", 3)
    pair.converse()
    messages = [pair.alice.write(b"%d" % n) for n in range(4)]
    with without_native():  # it has a limit of its own
        assert pair.bob.read(messages[3]) == b"3"
    assert skipped(pair.bob) == 3  # both halves of the third key, and the sparse half of the second
    for n in (0, 1):
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.read(messages[n])
    assert pair.bob.read(messages[2]) == b"2"
    assert skipped(pair.bob) == 1
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(messages[2])


def test_a_message_without_its_sparse_key_is_a_duplicate(pair: Pair) -> None:
    """The double-ratchet key alone opens nothing, and it stays in the store."""
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    key = RatchetMessage.decode(late).header.ratchet_key.data
    assert isinstance(pair.bob.store, MemoryStore)
    (sparse,) = [kept for kept in kept_keys(pair.bob.store) if kept.chain != key]
    assert (sparse.chain[31], sparse.number) == (0xFF, 2)
    with pair.bob.store.transaction():
        pair.bob.store.tables.skipped_keys.delete(sparse)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(late)


def test_a_forged_late_message_uses_up_neither_key(pair: Pair) -> None:
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(late[:-1] + bytes([late[-1] ^ 1]))
    assert skipped(pair.bob) == 2
    assert pair.bob.read(late) == b"late"


def test_a_kept_sparse_key_is_used_up_by_the_message_that_it_opens(pair: Pair) -> None:
    """A restored peer may give two messages one sparse number. The kept key opens only one of them."""
    pair.converse()
    before = ratchet_of(pair.alice)
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    assert skipped(pair.bob) == 2
    stored = sessions_of(pair.alice)[0]
    assert isinstance(stored.session, Established)
    restored = replace(ratchet_of(pair.alice), sparse=before.sparse)
    with pair.alice.store.transaction():
        alices = PeerSessions(pair.alice.store, pair.alice.peer, frozenset(Suite))
        alices._save(stored.id, stored.rank, replace(stored.session, ratchet=restored))
    again = pair.alice.write(b"with the number of the late one")
    pq_headers = [RatchetMessage.decode(each).pq_header for each in (late, again)]
    assert [each.number for each in pq_headers if each is not None] == [2, 2]
    assert pair.bob.read(again) == b"with the number of the late one"
    assert skipped(pair.bob) == 1
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(late)


def test_codewords_of_a_late_message_are_collected(pair: Pair) -> None:
    """A late message changes no session's rank, but the braid still needs its codewords."""
    pair.converse()
    pair.turn()
    messages = [pair.alice.write(b"%d" % n) for n in range(3)]
    pair.bob.read(messages[2])
    before = braid_of(pair.bob)
    assert pair.bob.read(messages[0]) == b"0"
    got = [indices_in(texts_in(state)["incoming"]) for state in (before, braid_of(pair.bob))]
    assert got[1] == [*got[0], 1]


# --- in an archived session ---------------------------------------------------------------------------


def test_a_sparse_number_used_in_the_active_session_is_free_in_an_archived_one(pair: Pair) -> None:
    """All sessions count sparse numbers alike, so a number does not show whose message it is."""
    pair.converse()
    old = [pair.alice.write(b"%d" % n) for n in range(3)]
    pair.bob.read(old[0])
    pair.bob.say(b"turn")
    pair.alice.hear()
    old.append(pair.alice.write(b"under another key"))
    pair.bob.initiate()
    pair.bob.say(b"a new session")
    pair.alice.hear()
    for n in range(8):
        pair.alice.say(b"%d" % n)
        pair.bob.hear()
    assert ratchet_of(pair.bob).sparse.receiving.number == 8
    assert pair.bob.read(old[3]) == b"under another key"
    assert [pair.bob.read(message) for message in old[1:3]] == [b"1", b"2"]
    for message in old:
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.read(message)


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_a_late_message_does_not_clear_promote_next(suite: Suite) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    stored = sessions_of(pair.bob)[0]
    assert isinstance(stored.session, Established)
    due = Established(stored.session.origin, stored.session.ratchet, promote_next=True)
    with pair.bob.store.transaction():
        PeerSessions(pair.bob.store, pair.bob.peer, frozenset(Suite))._save(stored.id, stored.rank, due)
    pair.bob.initiate()
    pair.bob.reopen()
    assert pair.bob.read(late) == b"late"
    archived = sessions_of(pair.bob)[1]
    assert (archived.id, archived.rank) == (stored.id, stored.rank)
    assert isinstance(archived.session, Established)
    assert archived.session.promote_next
