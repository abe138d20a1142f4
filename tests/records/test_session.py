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
from support.flat_record import HEAD_BYTES, Fields, fields_of, joined, number, with_text
from support.pair import ALICE, BOB, Pair, live, plain

_unanswered = states()["Unanswered"]
assert isinstance(_unanswered, Unanswered)


def triple(state: State) -> Triple:
    """Return a triple ratchet around a double one; test_triple.py has every state of the braid."""
    shared = PqSharedSecret(b"\x66" * 32)
    sparse_state = sparse.start(LETTERLOCK, shared, is_initiator=True)
    return Triple(state, sparse_state, braid.initiator(LETTERLOCK, shared))


def of(name: str) -> Fields:
    """Return the fields of a session's record."""
    return fields_of(encode_session(SESSIONS[name]).expose())


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


@pytest.mark.parametrize("name", SESSIONS)
def test_the_records_are_those_of_the_specification(name: str) -> None:
    session = live(SESSIONS[name])
    fields, ratchet = of(name), session.ratchet
    double = ratchet.double if isinstance(ratchet, Triple) else ratchet
    promote_next, yields, handshake = False, 0, session.origin.handshake_id or b""
    if isinstance(session, Established):
        promote_next, yields = session.promote_next, session.yields
    else:
        handshake = session.header_bytes
    assert fields["format"] == b"\2"
    assert number(fields, "suite") == session.origin.suite
    assert number(fields, "state") == [Unanswered, Hearing, Speaking].index(type(double))
    assert number(fields, "flags") & 1 == promote_next
    assert number(fields, "yields") == yields
    assert number(fields, "born") == session.origin.born
    assert fields["ad"] == AD
    assert fields["handshake"] == handshake
    expected: dict[str, Any] = {
        "private": b"",
        "public": b"",
        "cks": b"",
        "ns": 0,
        "pn": 0,
        "ckr": b"",
        "nr": 0,
    }
    if isinstance(double, Hearing | Speaking):
        chain = double.receiving
        theirs = chain.ratchet_key
        expected |= {"pn": double.previous_length, "ckr": chain.key.expose(), "nr": chain.number}
    else:
        assert isinstance(double, Unanswered)
        theirs = double.theirs
    assert fields["root"] == double.root.expose()
    if isinstance(double, Unanswered | Speaking):
        ours, sent = double.ours, double.sending
        expected |= {"private": ours.private.expose(), "public": ours.public.data}
        expected |= {"cks": sent.key.expose(), "ns": sent.number}
    assert fields["theirs"] == theirs.data
    for field, value in expected.items():
        found = number(fields, field) if isinstance(value, int) else fields[field]
        assert found == (value if isinstance(value, int) else value.ljust(32, b"\0")), field


def refused(record: bytes) -> None:
    with pytest.raises(CorruptStore) as caught:
        decode_session(Record(record))
    assert ROOT.expose().hex() not in str(caught.value)


CHANGES: dict[str, dict[str, int]] = {
    "format zero": {"format": 0},
    "the earlier format": {"format": 1},
    "a later format": {"format": 3},
    "a CBOR array": {"format": 0x87},
    "no suite": {"suite": 0},
    "a later suite": {"suite": 3},
    "no state": {"state": 4},
    "a session that ended": {"state": 3},
    "the last state": {"state": 255},
    "a flag that means nothing": {"flags": 4},
    "all flags": {"flags": 255},
    "yields for too long": {"yields": MAX_CROSSED_MESSAGES + 1},
    "yields for ever": {"yields": MAX_COUNTER},
    "born too late": {"born": 2**63},
    "born at the end": {"born": 2**64 - 1},
    "archived too late": {"archived": 2**63},
}


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_edited_record_is_a_corrupt_store(name: str, change: str) -> None:
    refused(joined(of(name), **CHANGES[change]))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_of_the_other_suite_is_a_corrupt_store(name: str) -> None:
    fields = of(name)
    refused(joined(fields, suite=3 - number(fields, "suite")))
    if fields["suite"] == b"\1":
        refused(joined(fields, flags=number(fields, "flags") | 2))  # it has no sparse ratchet to initiate


UNUSED = {0: ("pn", "ckr", "nr"), 1: ("private", "public", "cks", "ns"), 2: ()}
"""The fields that a state of the double ratchet does not have."""


@pytest.mark.parametrize("name", SESSIONS)
def test_an_unused_field_must_be_zero(name: str) -> None:
    """STO-20: otherwise one session would have several records."""
    fields = of(name)
    for field in UNUSED[number(fields, "state")]:
        length = len(fields[field])
        assert fields[field] == bytes(length)
        for at in (0, length - 1):
            refused(joined(fields | {field: bytes(at) + b"\1" + bytes(length - at - 1)}))


@pytest.mark.parametrize("name", SESSIONS)
def test_another_state_of_the_double_ratchet_does_not_decode(name: str) -> None:
    fields = of(name)
    for other in {0, 1, 2} - {number(fields, "state")}:
        refused(joined(fields, state=other))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_cut_or_lengthened_record_is_a_corrupt_store(name: str) -> None:
    data = encode_session(SESSIONS[name]).expose()
    for wrong in [data[:length] for length in range(len(data))] + [data + b"\0", data * 2, b"\2" + data]:
        refused(wrong)


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("length", [1, 31, 33, 4096])
def test_a_handshake_id_has_32_bytes(name: str, length: int) -> None:
    record = with_text(of(name), "handshake", bytes(length))
    if name.startswith("initiated"):  # a header, of any length
        assert isinstance(decode_session(Record(record)), Initiated)
    else:
        refused(record)


@pytest.mark.parametrize("name", SESSIONS)
def test_a_handshake_has_the_length_that_the_head_says(name: str) -> None:
    fields = of(name)
    length = number(fields, "handshake length")
    for other in {0, 1, 32, length + 1, length - 1, 2**32 - 1} - {length, -1}:
        refused(joined(fields, handshake_length=other))


@pytest.mark.parametrize("name", SESSIONS)
def test_a_header_of_more_than_4096_bytes_is_refused(name: str) -> None:
    refused(with_text(of(name), "handshake", bytes(4097)))


@pytest.mark.parametrize("name", [name for name in SESSIONS if name.startswith("initiated")])
def test_an_unanswered_session_is_not_due_for_promotion_and_yields_to_nobody(name: str) -> None:
    fields = of(name)
    refused(joined(fields, flags=number(fields, "flags") | 1))
    refused(joined(fields, yields=1))


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


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32, b"\1" + bytes(31)])
def test_an_invalid_public_key_is_a_corrupt_store(name: str, key: bytes) -> None:
    fields = of(name)
    refused(joined(fields, theirs=key))
    if number(fields, "state") != 1:
        refused(joined(fields, public=key))


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
        whole = record.expose()
        assert len(whole) == HEAD_BYTES + len(origin.handshake_id or b"")
        unused = {*range(3, 8), *range(16, 24), *range(56, 260)}  # flags, yields, when archived, every key
        for at in unused:
            refused(whole[:at] + b"\1" + whole[at + 1 :])
        for state in (0, 1, 2, 4):
            refused(whole[:2] + bytes([state]) + whole[3:])
        for wrong in (whole[:-1], whole + b"\0", whole + bytes(344)):
            refused(wrong)
