"""PQR-3 to PQR-8 on whole accounts: sessions of the PQXDH suite, through all that happens in an epoch."""

import itertools
from dataclasses import replace

import pytest

from letterlock._ratchet.braid_states import HeaderReceived, NoHeaderReceived
from letterlock._ratchet.triple import Triple
from letterlock._session.peer_sessions import PeerSessions
from letterlock._session.sealing import decrypt
from letterlock._session.session import Established
from letterlock._wire import cbor
from letterlock._wire.message import InitialMessage, RatchetMessage
from letterlock._wire.pq_header import PqType
from letterlock._wire.suite import Suite
from letterlock.errors import (
    AuthenticationFailed,
    BraidFailed,
    DuplicateMessage,
    MalformedMessage,
)
from support.pair import Pair, Side, unchanged
from support.store_tools import undone
from support.trace_calls import record_primitives
from support.triple_session import (
    LONG,
    as_plain_message,
    as_triple_message,
    braid_of,
    chatter,
    forge,
    ratchet_of,
    sessions_of,
    turns,
)


def skipped(side: Side) -> int:
    return sum(map(len, side.dump()["skipped_keys"].values()))


def sparse_epoch(letter: bytes) -> int:
    """Return the epoch of the sparse chain that a letter's key is of."""
    pq_header = RatchetMessage.decode(letter).pq_header
    assert pq_header is not None
    return pq_header.epoch - 1


# --- nothing is stripped ------------------------------------------------------------------------------


def test_a_plain_message_is_not_for_a_pqxdh_session(pair: Pair) -> None:
    pair.converse()
    for _ in range(3):
        letter = pair.alice.write(b"whole")
        with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
            pair.bob.read(as_plain_message(letter))
        assert pair.bob.read(letter) == b"whole"


def test_a_late_message_cannot_be_stripped_either(pair: Pair) -> None:
    """Its double-ratchet key lies in the store, and is not enough."""
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(as_plain_message(late))
    assert pair.bob.read(late) == b"late"


def test_a_triple_message_is_not_for_an_x3dh_session(x3dh_pair: Pair) -> None:
    x3dh_pair.converse(Suite.X3DH)
    late, letter = x3dh_pair.alice.write(b"late"), x3dh_pair.alice.write(b"plain")
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(as_triple_message(letter))
    assert x3dh_pair.bob.read(letter) == b"plain"
    with unchanged(x3dh_pair.bob.store), pytest.raises(AuthenticationFailed):
        x3dh_pair.bob.read(as_triple_message(late))
    assert x3dh_pair.bob.read(late) == b"late"


def test_the_other_kind_of_message_costs_no_work(
    pair: Pair, x3dh_pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.converse()
    x3dh_pair.converse(Suite.X3DH)
    changed = [(pair, as_plain_message), (x3dh_pair, as_triple_message)]
    letters = [(each, change(each.alice.write(b"whole"))) for each, change in changed]
    trace = record_primitives(monkeypatch)
    for each, letter in letters:
        with each.bob.store.transaction():
            entry = each.bob.account._sessions(each.alice.account.address).active()
        assert entry is not None
        with pytest.raises(AuthenticationFailed):
            decrypt(entry.session, RatchetMessage.decode(letter))
    assert trace.calls == []


@pytest.mark.parametrize("known", [False, True], ids=["first", "repeat"])
@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_inside_an_initial_message_the_other_kind_is_malformed(suite: Suite, known: bool) -> None:
    pair = Pair(suite=suite)
    pair.alice.initiate()
    if known:
        assert pair.bob.read(pair.alice.write(b"before")) == b"before"
    letter = pair.alice.write(b"whole")
    initial = InitialMessage.decode(letter)
    inner = cbor.complete_array(initial.message.header_bytes, initial.message.sealed)
    changed = as_triple_message(inner) if suite is Suite.X3DH else as_plain_message(inner)
    with unchanged(pair.bob.store), pytest.raises(MalformedMessage):
        pair.bob.read(cbor.complete_array(initial.header.encode_header(), changed))
    assert pair.bob.read(letter) == b"whole"


# --- late ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backwards", [False, True])
def test_late_messages_of_all_epochs_are_read(pair: Pair, backwards: bool) -> None:
    """PQR-3: the chain of each epoch is sealed, and what was missing of it stays readable, once."""
    pair.converse()
    late: dict[Side, list[tuple[bytes, bytes]]] = {pair.alice: [], pair.bob: []}
    epochs = set[int]()
    for number in range(16):
        for side in (pair.alice, pair.bob):
            text = b"%s %d" % (side.address.name.encode(), number)
            letter = side.write(text)
            epochs.add(sparse_epoch(letter))
            late[side.other].append((letter, text))
            side.say(bytes(LONG))
            side.other.hear()
    assert epochs >= {0, 1, 2, 3}
    for side, letters in late.items():
        assert skipped(side) == 2 * len(letters)
        for left, (letter, text) in enumerate(letters[::-1] if backwards else letters, 1):
            assert side.read(letter) == text
            assert skipped(side) == 2 * (len(letters) - left)  # both keys are used up
        for letter, _ in letters:
            with unchanged(side.store), pytest.raises(DuplicateMessage):
                side.read(letter)
    turns(pair, 2)


def test_any_order_of_messages_over_an_epoch_s_end_is_read() -> None:
    """Two letters at the end of an epoch and two of the next one, in all 24 orders."""
    for order in itertools.permutations(range(4)):
        pair = Pair()
        pair.converse()
        letters = [pair.alice.write(b"%d" % n) for n in (0, 1)]
        while ratchet_of(pair.alice).sparse.sending.following is None:
            pair.bob.say(bytes(LONG))
            pair.alice.hear()
            letters.append(pair.alice.write(bytes(LONG)))
            pair.bob.read(letters[-1])
        turns(pair, 1)
        letters[2:] = [pair.alice.write(b"%d" % n) for n in (2, 3)]
        assert [sparse_epoch(letter) for letter in letters] == [0, 0, 1, 1]
        for n in order:
            assert pair.bob.read(letters[n]) == b"%d" % n
        assert pair.bob.read(pair.alice.write(b"next")) == b"next"
        assert skipped(pair.bob) == 0


def test_a_message_with_one_of_its_two_keys_gone_is_a_duplicate(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Triple, "max_skipped_keys", 3)
    pair.converse()
    letters = [pair.alice.write(b"%d" % n) for n in range(4)]
    assert pair.bob.read(letters[3]) == b"3"
    assert skipped(pair.bob) == 3  # both of the third, and the sparse one of the second
    for n in (0, 1):
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.read(letters[n])
    assert pair.bob.read(letters[2]) == b"2"
    assert skipped(pair.bob) == 1
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(letters[2])


def test_the_other_half_is_not_enough_either(pair: Pair) -> None:
    """With the double ratchet's key alone nothing opens, and the key stays."""
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    key = RatchetMessage.decode(late).header.ratchet_key.data
    rows = [row for of in pair.bob.store._rows.skipped_keys.values() for _, row in of.values()]  # type: ignore[union-attr]
    (sparse,) = [row for row in rows if row.chain != key]
    assert (sparse.chain[31], sparse.number) == (0xFF, 2)
    with pair.bob.store.transaction():
        pair.bob.store.tables.skipped_keys.delete(sparse)
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(late)


def test_a_forged_late_message_leaves_both_keys(pair: Pair) -> None:
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    with unchanged(pair.bob.store), pytest.raises(AuthenticationFailed):
        pair.bob.read(late[:-1] + bytes([late[-1] ^ 1]))
    assert skipped(pair.bob) == 2
    assert pair.bob.read(late) == b"late"


def test_a_kept_sparse_key_goes_with_the_message_that_it_opens(pair: Pair) -> None:
    """A peer may give two messages one sparse number, if it went back; the key opens one of them, once."""
    pair.converse()
    before = ratchet_of(pair.alice)
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    assert skipped(pair.bob) == 2
    entry = sessions_of(pair.alice)[0]
    assert isinstance(entry.session, Established)
    back = replace(ratchet_of(pair.alice), sparse=before.sparse)
    with pair.alice.store.transaction():
        alices = PeerSessions(pair.alice.store, pair.alice.peer, frozenset(Suite))
        alices._save(entry.id, entry.rank, replace(entry.session, ratchet=back))
    again = pair.alice.write(b"with the number of the late one")
    parts = [RatchetMessage.decode(each).pq_header for each in (late, again)]
    assert [each.number for each in parts if each is not None] == [2, 2]
    assert pair.bob.read(again) == b"with the number of the late one"
    assert skipped(pair.bob) == 1
    with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
        pair.bob.read(late)


def test_codewords_of_a_late_message_are_of_use(pair: Pair) -> None:
    """What it says of the sessions is old, what it brings for the braid is not."""
    pair.converse()
    pair.turn()
    letters = [pair.alice.write(b"%d" % n) for n in range(3)]
    pair.bob.read(letters[2])
    before = braid_of(pair.bob)
    assert pair.bob.read(letters[0]) == b"0"
    assert getattr(braid_of(pair.bob), "got", None) == (*getattr(before, "got", ()), 1)


# --- in an archive --------------------------------------------------------------------------------------


def test_a_number_that_the_active_session_has_used_is_free_in_the_archive(pair: Pair) -> None:
    """Sparse numbers are alike in all sessions: they say nothing of which one a message belongs to."""
    pair.converse()
    old = [pair.alice.write(b"%d" % n) for n in range(3)]
    pair.bob.read(old[0])
    pair.bob.say(b"turn")
    pair.alice.hear()
    old.append(pair.alice.write(b"under another key"))
    pair.bob.initiate()
    pair.bob.say(b"begins anew")
    pair.alice.hear()
    for n in range(8):
        pair.alice.say(b"%d" % n)
        pair.bob.hear()
    assert ratchet_of(pair.bob).sparse.receiving.number == 8
    assert pair.bob.read(old[3]) == b"under another key"
    assert [pair.bob.read(letter) for letter in old[1:3]] == [b"1", b"2"]
    for letter in old:
        with unchanged(pair.bob.store), pytest.raises(DuplicateMessage):
            pair.bob.read(letter)


@pytest.mark.parametrize("suite", list(Suite), ids=lambda suite: suite.name)
def test_a_late_message_does_not_undo_that_a_session_insists(suite: Suite) -> None:
    pair = Pair(suite=suite)
    pair.converse()
    late, first = pair.alice.write(b"late"), pair.alice.write(b"first")
    pair.bob.read(first)
    entry = sessions_of(pair.bob)[0]
    assert isinstance(entry.session, Established)
    insisting = Established(entry.session.origin, entry.session.ratchet, promote_next=True)
    with pair.bob.store.transaction():
        PeerSessions(pair.bob.store, pair.bob.peer, frozenset(Suite))._save(entry.id, entry.rank, insisting)
    pair.bob.initiate()
    assert pair.bob.read(late) == b"late"
    archived = sessions_of(pair.bob)[1]
    assert (archived.id, archived.rank) == (entry.id, entry.rank)
    assert isinstance(archived.session, Established)
    assert archived.session.promote_next


# --- an authentic peer that contradicts itself ------------------------------------------------------------


def test_an_authentic_contradiction_changes_nothing(pair: Pair) -> None:
    """PQR-5: at every message of some epochs the sender lies about its codewords, under the right key."""
    pair.converse()
    refused = set[int]()
    for number, (side, letter) in zip(range(120), chatter(pair, 1), strict=False):
        forged, type_ = forge(side.other)
        with undone(side.store):
            before = side.dump()
            try:
                side.read(forged)
            except BraidFailed:
                refused.add(type_)
                assert side.dump() == before, number
            else:
                assert side.dump() != before
        side.read(letter)
        honest, _ = forge(side.other, spoil=False)
        with undone(side.store):
            assert side.read(honest) == b"forged"
    # What is wrong in ct1 comes out with ct2, whose MAC covers both.
    assert refused == {PqType.HDR, PqType.EK, PqType.EK_CT1_ACK, PqType.CT2}


def test_it_is_the_peer_s_contradiction_in_an_archived_session_too(pair: Pair) -> None:
    """The active session's opinion, that it was forged, does not count."""
    pair.converse()
    while not isinstance(braid_of(pair.alice), NoHeaderReceived):
        turns(pair, 1)
    pair.alice.say(b"so that Bob knows, and begins the next epoch")
    pair.bob.hear()
    forged, type_ = forge(pair.bob)
    assert type_ == PqType.HDR
    pair.alice.initiate()
    with unchanged(pair.alice.store), pytest.raises(BraidFailed, match="initiate a new session"):
        pair.alice.read(forged)


def test_a_first_message_that_contradicts_itself_uses_nothing_up(pair: Pair) -> None:
    pair.alice.initiate()
    forged, _ = forge(pair.alice)
    with unchanged(pair.bob.store), pytest.raises(BraidFailed):
        pair.bob.read(forged)
    assert pair.bob.account.peers() == []
    assert pair.bob.read(pair.alice.write(b"sound")) == b"sound"
    assert isinstance(braid_of(pair.bob), HeaderReceived)
