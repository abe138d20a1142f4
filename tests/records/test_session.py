"""Records of sessions: each decodes to the session it was made of, and an edited one is CorruptStore."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from letterlock._ratchet import braid, sparse
from letterlock._ratchet.double import Hearing, Speaking, State, Unanswered
from letterlock._ratchet.pq_keys import PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.triple import Triple
from letterlock._records.account import decode_account, encode_account
from letterlock._records.peer import decode_peer
from letterlock._records.session import decode_session, encode_session
from letterlock._session.session import Ended, Established, Initiated, Origin, Session
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore, LetterlockError, StoreError
from letterlock.limits import MAX_COUNTER, MAX_CROSSED_MESSAGES
from letterlock.stores._interface import Record
from support.double_pair import ROOT, hearing, speaking, states
from support.pair import ALICE, BOB, Pair, plain

_unanswered = states()["Unanswered"]
assert isinstance(_unanswered, Unanswered)


def triple(state: State) -> Triple:
    """Return a triple ratchet around a double one; test_triple.py has every state of the braid."""
    shared = PqSharedSecret(b"\x66" * 32)
    sparse_state = sparse.start(LETTERLOCK, shared, is_initiator=True)
    return Triple(state, sparse_state, braid.initiator(LETTERLOCK, shared))


def double_of(name: str, fields: list[Any]) -> list[Any]:
    """Return the fields of the double ratchet in a record."""
    found: list[Any] = fields[6][0] if name in TRIPLES else fields[6]
    return found


def with_double(name: str, fields: list[Any], value: Any) -> list[Any]:
    return [*fields[:6], [value, *fields[6][1:]] if name in TRIPLES else value, *fields[7:]]


AD = bytes(range(32))
DIGEST = hashlib.sha256(b"handshake").digest()
OURS, THEIRS = Origin(Suite.X3DH, AD, None), Origin(Suite.X3DH, AD, DIGEST)
TRIPLES: dict[str, Session] = {
    "initiated, triple": Initiated(replace(OURS, suite=Suite.PQXDH), b"a header", triple(_unanswered)),
    "established by us, triple": Established(replace(OURS, suite=Suite.PQXDH), triple(hearing(7))),
    "due for promotion, triple": Established(
        replace(THEIRS, suite=Suite.PQXDH), triple(speaking(MAX_COUNTER, MAX_COUNTER)), promote_next=True
    ),
}
SESSIONS: dict[str, Session] = {
    "initiated": Initiated(OURS, b"a header", _unanswered),
    "established by us": Established(OURS, hearing(7)),
    "established by them": Established(THEIRS, speaking(3, 4)),
    "due for promotion": Established(THEIRS, hearing(MAX_COUNTER), promote_next=True),
    "at the last number": Established(OURS, speaking(MAX_COUNTER, MAX_COUNTER)),
    "born later, and yields": Established(
        replace(THEIRS, born=2**63 - 1), hearing(7), yields=MAX_CROSSED_MESSAGES
    ),
    **TRIPLES,
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_record_decodes_to_the_session_it_was_made_of(name: str) -> None:
    session = SESSIONS[name]
    record = encode_session(session)
    again = decode_session(record)
    assert plain(again) == plain(session)
    assert type(again.origin.suite) is Suite  # an IntEnum equals its number, so compare the type
    assert encode_session(decode_session(record)) == record


@pytest.mark.parametrize("state", [hearing(7), speaking(7, 7)], ids=lambda state: type(state).__name__)
def test_the_previous_chain_may_have_the_greatest_length(state: Hearing | Speaking) -> None:
    """PN has the same bound as N, 2^32 - 1, and a record can hold it."""
    session = Established(OURS, replace(state, previous_length=MAX_COUNTER))
    assert plain(decode_session(encode_session(session))) == plain(session)


def test_the_records_are_those_of_the_specification() -> None:
    fields = cbor2.loads(encode_session(SESSIONS["initiated"]).expose())
    assert fields[:6] == [2, 0, 1, AD, b"a header", 0]
    assert (fields[6][0], len(fields[6])) == (0, 7)
    assert fields[7:] == [0, 0]
    fields = cbor2.loads(encode_session(SESSIONS["due for promotion"]).expose())
    assert fields[:6] == [2, 1, 1, AD, DIGEST, 1]
    assert (fields[6][0], len(fields[6]), fields[6][1]) == (1, 6, ROOT.expose())
    fields = cbor2.loads(encode_session(SESSIONS["at the last number"]).expose())
    assert fields[:6] == [2, 1, 1, AD, b"", 0]
    assert (fields[6][0], len(fields[6])) == (2, 10)
    fields = cbor2.loads(encode_session(SESSIONS["due for promotion, triple"]).expose())
    assert fields[:6] == [2, 1, 2, AD, DIGEST, 1]
    assert [len(each) for each in fields[6]] == [10, 6, 7]
    fields = cbor2.loads(encode_session(SESSIONS["born later, and yields"]).expose())
    assert fields[7:] == [2**63 - 1, MAX_CROSSED_MESSAGES]
    fields = cbor2.loads(encode_session(SESSIONS["due for promotion, triple"]).expose())
    assert fields[6][0] == cbor2.loads(encode_session(SESSIONS["at the last number"]).expose())[6]


EDITS: dict[str, Callable[[list[Any]], Any]] = {
    "another format": lambda it: [3, *it[1:]],
    "the earlier format at this length": lambda it: [1, *it[1:]],
    "this format at the earlier length": lambda it: it[:7],
    "format zero": lambda it: [0, *it[1:]],
    "another kind": lambda it: [2, 1 - it[1], *it[2:]],
    "an unknown kind": lambda it: [2, 2, *it[2:]],
    "an unknown suite": lambda it: [*it[:2], 0, *it[3:]],
    "a later suite": lambda it: [*it[:2], 3, *it[3:]],
    "short ad": lambda it: [*it[:3], it[3][1:], *it[4:]],
    "no ad": lambda it: [*it[:3], None, *it[4:]],
    "promote_next is 2": lambda it: [*it[:5], 2, *it[6:]],
    "promote_next is true": lambda it: [*it[:5], True, *it[6:]],
    "a long header": lambda it: [*it[:4], bytes(4097), *it[5:]],
    "one element more": lambda it: [*it, 0],
    "one element fewer": lambda it: it[:-1],
    "of the other suite": lambda it: [*it[:2], 3 - it[2], *it[3:]],
    "no ratchet": lambda it: [*it[:6], [], *it[7:]],
    "ratchet cut": lambda it: [*it[:6], it[6][:-1], *it[7:]],
    "ratchet lengthened": lambda it: [*it[:6], [*it[6], 0], *it[7:]],
    "ratchet in an array": lambda it: [*it[:6], [it[6]], *it[7:]],
    "born before all": lambda it: [*it[:7], -1, it[8]],
    "born too late": lambda it: [*it[:7], 2**63, it[8]],
    "born is true": lambda it: [*it[:7], True, it[8]],
    "yields less than nothing": lambda it: [*it[:8], -1],
    "yields for too long": lambda it: [*it[:8], MAX_CROSSED_MESSAGES + 1],
    "yields is true": lambda it: [*it[:8], True],
    "not an array": lambda it: {"session": it},
}
DOUBLE_EDITS: dict[str, Callable[[list[Any]], Any]] = {
    "no ratchet": lambda _: [],
    "no array": lambda _: None,
    "unknown ratchet kind": lambda it: [3, *it[1:]],
    "ratchet kind is text": lambda it: ["1", *it[1:]],
    "ratchet kind is true": lambda it: [True, *it[1:]],
    "ratchet kind is an array": lambda it: [[], *it[1:]],
    "ratchet without root": lambda it: [it[0], b"", *it[2:]],
    "ratchet cut": lambda it: it[:-1],
    "ratchet lengthened": lambda it: [*it, 0],
    "counter too far": lambda it: [*it[:-1], MAX_COUNTER + 1],
    "counter below zero": lambda it: [*it[:-1], -1],
}


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("edit", DOUBLE_EDITS)
def test_an_edited_double_ratchet_is_a_corrupt_store(name: str, edit: str) -> None:
    fields = cbor2.loads(encode_session(SESSIONS[name]).expose())
    changed = with_double(name, fields, DOUBLE_EDITS[edit](double_of(name, fields)))
    with pytest.raises(CorruptStore) as caught:
        decode_session(Record(cbor2.dumps(changed)))
    assert ROOT.expose().hex() not in str(caught.value)


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_record_is_a_corrupt_store(name: str, edit: str) -> None:
    fields = EDITS[edit](cbor2.loads(encode_session(SESSIONS[name]).expose()))
    with pytest.raises(CorruptStore) as caught:
        decode_session(Record(cbor2.dumps(fields)))
    assert ROOT.expose().hex() not in str(caught.value)


@pytest.mark.parametrize("name", SESSIONS)
def test_a_cut_or_lengthened_record_is_a_corrupt_store(name: str) -> None:
    data = encode_session(SESSIONS[name]).expose()
    for wrong in [data[:length] for length in range(len(data))] + [data + b"\0", b"\xff" + data]:
        with pytest.raises(CorruptStore):
            decode_session(Record(wrong))


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("length", [1, 31, 33, 4096])
def test_a_handshake_id_has_32_bytes(name: str, length: int) -> None:
    fields = cbor2.loads(encode_session(SESSIONS[name]).expose())
    record = Record(cbor2.dumps([*fields[:4], bytes(length), *fields[5:]]))
    if name.startswith("initiated"):  # a header, of any length
        assert isinstance(decode_session(record), Initiated)
    else:
        with pytest.raises(CorruptStore):
            decode_session(record)


def test_an_unanswered_session_cannot_be_due_for_promotion() -> None:
    fields = cbor2.loads(encode_session(SESSIONS["initiated"]).expose())
    with pytest.raises(CorruptStore):
        decode_session(Record(cbor2.dumps([*fields[:5], 1, *fields[6:]])))


def test_a_session_that_was_not_answered_yields_to_nobody() -> None:
    fields = cbor2.loads(encode_session(SESSIONS["initiated"]).expose())
    with pytest.raises(CorruptStore):
        decode_session(Record(cbor2.dumps([*fields[:8], 1])))


@pytest.mark.parametrize("name", sorted(SESSIONS.keys() - {"born later, and yields"}))
def test_a_session_that_was_stored_before_it_counted_births_reads(name: str) -> None:
    """STO-6: format 1 had neither `born` nor `yields`, and every other field in the same place."""
    fields = cbor2.loads(encode_session(SESSIONS[name]).expose())
    assert fields[7:] == [0, 0]
    earlier = Record(cbor2.dumps([1, *fields[1:7]]))
    assert plain(decode_session(earlier)) == plain(SESSIONS[name])
    for wrong in (0, 2, 3, True, None):
        with pytest.raises(CorruptStore):
            decode_session(Record(cbor2.dumps([wrong, *fields[1:7]])))


@pytest.mark.parametrize("other", [0, 2, True, None])
def test_an_account_or_peer_of_another_format_is_a_corrupt_store(other: object) -> None:
    pair = Pair()
    pair.converse()
    store: Any = pair.bob.store  # Alice's record of Bob names the prekeys that she used
    with store.transaction():
        peer, account = store.tables.peers.load(ALICE.encode()), store.tables.account.load()
    assert encode_account(decode_account(account)) == account
    assert decode_peer(peer).address == ALICE
    for decode, record in ((decode_peer, peer), (decode_account, account)):
        _, *rest = cbor2.loads(record.expose())
        with pytest.raises(CorruptStore):
            decode(Record(cbor2.dumps([other, *rest])))


def test_an_invalid_public_key_is_a_corrupt_store() -> None:
    for name in ("established by us", "established by us, triple"):
        fields = cbor2.loads(encode_session(SESSIONS[name]).expose())
        double_of(name, fields)[2] = bytes(32)
        with pytest.raises(CorruptStore):
            decode_session(Record(cbor2.dumps(fields)))


def test_every_record_has_its_format_and_no_other() -> None:
    pair = Pair()
    pair.introduce()
    with pair.bob.store.transaction():
        account, (peer,) = pair.bob.store.tables.account.load(), pair.bob.store.tables.peers.all()
    assert account is not None
    decoders: list[tuple[Callable[[Record], object], Record]] = [
        (decode_account, account),
        (decode_peer, peer),
        (decode_session, encode_session(SESSIONS["initiated"])),
    ]
    for decode, record in decoders:
        decode(record)
        fields = cbor2.loads(record.expose())
        assert fields[0] == (2 if decode is decode_session else 1)
        for wrong in (0, 3, None):
            with pytest.raises(CorruptStore):
                decode(Record(cbor2.dumps([wrong, *fields[1:]])))


@pytest.mark.parametrize("decode", [decode_session, decode_account, decode_peer])
@pytest.mark.parametrize("data", [b"", b"\x80", b"\xf6", b"\x00", b"\xff", bytes(1000), b"\xd9\xd9\xf7\x80"])
def test_arbitrary_bytes_are_a_corrupt_store(decode: Callable[[Record], object], data: bytes) -> None:
    with pytest.raises(CorruptStore):
        decode(Record(data))


@pytest.mark.parametrize("damaged", ["account", "peer", "session", "prekey"])
def test_an_account_reports_a_damaged_record(damaged: str) -> None:
    """One kind of record at a time is damaged, and each call that needs it raises CorruptStore."""
    pair = Pair()
    pair.converse()
    bundle = pair.alice.account.bundle()
    store: Any = pair.alice.store
    junk = Record(b"\x81\x00")
    with store.transaction():
        match damaged:
            case "account":
                store.tables.account.save(junk)
            case "peer":
                store.tables.peers.save(BOB.encode(), junk)
            case "session":
                (row,) = store.tables.sessions.load(BOB.encode(), 1)
                store.tables.sessions.save(type(row)(row.id, row.address, row.rank, junk))
            case _:
                for kind, rows in list(store._rows.prekeys.items()):
                    for row in list(rows.values()):
                        store.tables.prekeys.replace(type(row)(kind, row.id, row.expires, junk))
    account = pair.alice.account
    calls: dict[str, list[Callable[[], object]]] = {
        "account": [account.bundle, pair.alice.reopen],
        "peer": [account.peers, lambda: account.safety_number(BOB), pair.alice.initiate],
        "session": [lambda: pair.alice.write(b"x"), lambda: pair.alice.read(pair.bob.write(b"y"))],
        "prekey": [account.bundle, lambda: pair.alice.read(first_message(pair, bundle))],
    }
    for call in calls[damaged]:
        with pytest.raises(CorruptStore) as caught:
            call()
        assert isinstance(caught.value, StoreError | LetterlockError)


def first_message(pair: Pair, bundle: Any) -> bytes:
    pair.bob.initiate(bundle)
    return pair.bob.write(b"first")


@pytest.mark.parametrize("suite", Suite)
def test_a_session_that_ended_has_no_ratchet(suite: Suite) -> None:
    for origin in (OURS, THEIRS):
        ended = Ended(replace(origin, suite=suite, born=7))
        record = encode_session(ended)
        assert decode_session(record) == ended
        fields = cbor2.loads(record.expose())
        for at, wrong in ((5, 1), (6, [0]), (8, 1), (1, 3)):
            with pytest.raises(CorruptStore):
                decode_session(Record(cbor2.dumps([*fields[:at], wrong, *fields[at + 1 :]])))
