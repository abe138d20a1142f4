"""The post-quantum half of a session's record: each decodes again, and an edited one is CorruptStore."""

import dataclasses
from typing import Any, Final

import cbor2
import pytest

from letterlock._primitives.mlkem import KemSeed
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet import sparse
from letterlock._ratchet.authenticator import Authenticator
from letterlock._ratchet.braid_states import (
    Braid,
    Ct1Acknowledged,
    Ct1Received,
    Ct1Sampled,
    Ct2Sampled,
    EkReceivedCt1Sampled,
    EkSentCt1Received,
    HeaderReceived,
    HeaderSent,
    KeysSampled,
    KeysUnsampled,
    NoHeaderReceived,
)
from letterlock._ratchet.pq_keys import AuthenticatorKey, AuthenticatorRoot, EpochSecret, PqSharedSecret
from letterlock._ratchet.pq_profile import LETTERLOCK
from letterlock._ratchet.sparse import Sparse
from letterlock._ratchet.triple import Triple
from letterlock._records.session import decode_session, encode_session
from letterlock._records.triple import STATES, decode_braid
from letterlock._session.session import Established, Origin
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore
from letterlock.limits import MAX_COUNTER
from letterlock.stores._interface import Record
from support.double_pair import hearing
from support.pair import plain

ROOT: Final = b"\x11" * 32
KEY: Final = b"\x12" * 32
AUTH: Final = Authenticator(AuthenticatorRoot(ROOT), AuthenticatorKey(KEY))
SEED: Final = KemSeed(b"\x13" * 64)
M: Final = EncapsulationRandomness(b"\x14" * 32)
GOT: Final = (7, 0, 65535)
GOT_BYTES: Final = b"\x00\x07\x00\x00\xff\xff"


def indices(count: int) -> bytes:
    return b"".join(number.to_bytes(2, "big") for number in range(count))


BRAIDS: Final[list[tuple[Braid, list[Any]]]] = [
    (KeysUnsampled(1, AUTH), [0, 1, ROOT, KEY, None, None, None]),
    (KeysSampled(2, AUTH, SEED, 3), [1, 2, ROOT, KEY, SEED.expose(), 3, None]),
    (HeaderSent(3, AUTH, SEED, 4, GOT), [2, 3, ROOT, KEY, SEED.expose(), 4, GOT_BYTES]),
    (Ct1Received(MAX_COUNTER, AUTH, SEED, 65535), [3, MAX_COUNTER, ROOT, KEY, SEED.expose(), 65535, None]),
    (EkSentCt1Received(5, AUTH, SEED, ()), [4, 5, ROOT, KEY, SEED.expose(), None, b""]),
    (NoHeaderReceived(6, AUTH, (1,)), [5, 6, ROOT, KEY, None, None, b"\x00\x01"]),
    (HeaderReceived(7, AUTH), [6, 7, ROOT, KEY, None, None, None]),
    (Ct1Sampled(8, AUTH, M, 0, GOT), [7, 8, ROOT, KEY, M.expose(), 0, GOT_BYTES]),
    (EkReceivedCt1Sampled(9, AUTH, 30), [8, 9, ROOT, KEY, None, 30, None]),
    (Ct1Acknowledged(10, AUTH, M, tuple(range(36))), [9, 10, ROOT, KEY, M.expose(), None, indices(36)]),
    (Ct2Sampled(11, AUTH, 1), [10, 11, ROOT, KEY, None, 1, None]),
]
EVERY = pytest.mark.parametrize(
    ("state", "fields"), BRAIDS, ids=[type(state).__name__ for state, _ in BRAIDS]
)


def sparse_states() -> dict[str, Sparse]:
    """Return sparse chains at each point of an epoch."""
    first = sparse.start(LETTERLOCK, PqSharedSecret(b"\x15" * 32), is_initiator=True)
    secret = EpochSecret(b"\x16" * 32)
    sent, _, _ = sparse.send(LETTERLOCK, first, 0)
    added = sparse.add_epoch(LETTERLOCK, sent, 1, secret)
    moved, place, _ = sparse.send(LETTERLOCK, added, 1)
    assert (moved.previous, place.number) == (1, 1)
    received = sparse.receive(LETTERLOCK, moved, sparse.SparsePlace(1, 1, 0)).state
    full = dataclasses.replace(added.sending, epoch=MAX_COUNTER - 1, number=MAX_COUNTER)
    return {
        "at the start": first,
        "of a recipient": sparse.start(LETTERLOCK, PqSharedSecret(b"\x15" * 32), is_initiator=False),
        "after a message": sent,
        "with the next epoch": added,
        "sending in the next epoch": moved,
        "receiving in the next epoch": received,
        "at the last number": Sparse(received.root, MAX_COUNTER, full, full, MAX_COUNTER, is_initiator=True),
    }


SPARSE: Final = sparse_states()


BRAID_OF: Final[dict[str, Braid]] = {
    "with the next epoch": Ct2Sampled(1, AUTH, 1),
    "sending in the next epoch": NoHeaderReceived(2, AUTH),
    "receiving in the next epoch": KeysUnsampled(2, AUTH),
    "at the last number": Ct2Sampled(MAX_COUNTER, AUTH, 1),
}
"""A braid in the same epoch as the chains of that name; the other chains go with a braid at the start."""

HAS_SECRET: Final = (Ct1Sampled, EkReceivedCt1Sampled, Ct1Acknowledged, Ct2Sampled)


def chains_of(braid: Braid) -> Sparse:
    """Return sparse chains in the epoch of a braid. [STO-8]"""
    has_next = isinstance(braid, HAS_SECRET)
    like = SPARSE["with the next epoch" if has_next else "at the start"]
    before = braid.epoch - 1
    sending, receiving = (dataclasses.replace(each, epoch=before) for each in (like.sending, like.receiving))
    latest = braid.epoch if has_next else braid.epoch - 1
    return dataclasses.replace(like, latest=latest, sending=sending, receiving=receiving)


def session(braid: Braid = BRAIDS[0][0], chains: Sparse | None = None) -> Established:
    ratchet = Triple(hearing(), chains_of(braid) if chains is None else chains, braid)
    return Established(Origin(Suite.PQXDH, bytes(32), None), ratchet)


def session_at(name: str) -> Established:
    return session(BRAID_OF.get(name, BRAIDS[0][0]), SPARSE[name])


def record_of(made: Established) -> list[Any]:
    fields: list[Any] = cbor2.loads(encode_session(made).expose())
    return fields


def read(fields: list[Any], index: int, value: Any) -> Any:
    """Decode a record with another value as its sparse chains (1) or its braid (2)."""
    ratchet = [*fields[6]]
    ratchet[index] = value
    return decode_session(Record(cbor2.dumps([*fields[:6], ratchet, *fields[7:]])))


def test_each_state_of_the_braid_has_its_number() -> None:
    assert [type(state) for state, _ in BRAIDS] == list(STATES)
    assert [fields[0] for _, fields in BRAIDS] == list(range(11))


@EVERY
def test_a_braid_is_recorded_as_specified_and_decodes_again(state: Braid, fields: list[Any]) -> None:
    made = session(state)
    record = encode_session(made)
    assert record_of(made)[6][2] == fields
    assert plain(decode_session(record)) == plain(made)
    assert encode_session(decode_session(record)) == record


def test_sparse_chains_are_recorded_as_specified() -> None:
    for name, state in SPARSE.items():
        root, latest, sending, receiving, previous, is_initiator = record_of(session_at(name))[6][1]
        assert (root, latest, previous) == (state.root.expose(), state.latest, state.previous)
        assert is_initiator == (0 if name == "of a recipient" else 1)
        assert type(is_initiator) is int
        for found, chain in ((sending, state.sending), (receiving, state.receiving)):
            following = None if chain.following is None else chain.following.expose()
            assert found == [chain.epoch, chain.key.expose(), chain.number, following]
    has_next = [state.sending.following is not None for state in SPARSE.values()]
    assert set(has_next) == {True, False}


# --- edited records -----------------------------------------------------------------------------------

NO_COUNTERS: Final[list[Any]] = [-1, MAX_COUNTER + 1, None, True, "1", b"", [], 1.0]
NO_KEYS: Final[list[Any]] = [b"", b"\x11" * 31, b"\x11" * 33, None, 0, "x" * 32, [b"\x11" * 32]]
NOT_NULL: Final[list[Any]] = [0, b"", False, "", [], bytes(32), bytes(64), b"\x00\x01", 65535]

NO_GOT: Final[dict[str, Any]] = {
    "null": None,
    "one byte": b"\x00",
    "odd": b"\x00\x01\x02",
    "a repeat": b"\x00\x01\x00\x01",
    "a repeat later": GOT_BYTES + b"\x00\x07",
    "37 indices": indices(37),
    "a number": 0,
    "a text": "ab",
    "an array": [0, 1],
}


def wrong_values(fields: list[Any]) -> list[tuple[int, Any]]:
    """Return wrong values for each element of a braid's record, with the index of the element."""
    no_states: list[Any] = [-1, 11, None, True, "0", b"", []]
    wrong: list[tuple[int, Any]] = [(0, value) for value in no_states]
    wrong += [(1, value) for value in NO_COUNTERS]
    wrong += [(at, value) for at in (2, 3) for value in NO_KEYS]
    held, sent, got = fields[4:]
    if held is None:
        wrong += [(4, value) for value in NOT_NULL]
    else:
        size = len(held)
        lengths = {0, 16, 31, 32, 33, 63, 64, 65, 96} - {size}
        wrong += [(4, value) for value in (None, 0, "x" * size, *(bytes(length) for length in lengths))]
    wrong += [(5, value) for value in (NOT_NULL if sent is None else [*NO_COUNTERS, 65536])]
    wrong += [(6, value) for value in (NOT_NULL if got is None else [*NO_GOT.values()])]
    return wrong


@EVERY
def test_a_braid_with_one_wrong_element_is_a_corrupt_store(state: Braid, fields: list[Any]) -> None:
    whole = record_of(session(state))
    assert plain(read(whole, 2, fields)) == plain(session(state))
    for at, value in wrong_values(fields):
        with pytest.raises(CorruptStore) as caught:
            read(whole, 2, [*fields[:at], value, *fields[at + 1 :]])
        assert ROOT.hex() not in str(caught.value)
        assert str(ROOT) not in str(caught.value)


@EVERY
def test_a_braid_with_another_state_number_decodes_only_if_the_fields_fit(
    state: Braid, fields: list[Any]
) -> None:
    whole = record_of(session(state))
    names = {field.name for field in dataclasses.fields(state)}
    for number, other in enumerate(STATES):
        changed = [number, *fields[1:]]
        if {field.name for field in dataclasses.fields(other)} == names:
            assert type(decode_braid(changed)) is other
        else:
            with pytest.raises(CorruptStore):
                read(whole, 2, changed)


@EVERY
def test_a_braid_of_another_length_is_a_corrupt_store(state: Braid, fields: list[Any]) -> None:
    whole = record_of(session(state))
    wrong: list[Any] = [[], fields[:-1], fields[1:], [*fields, None], [fields], None, b"", {0: fields}]
    for value in wrong:
        with pytest.raises(CorruptStore):
            read(whole, 2, value)


SPARSE_WRONG: Final[dict[int, list[Any]]] = {
    0: NO_KEYS,
    1: NO_COUNTERS,
    4: NO_COUNTERS,
    5: [-1, 2, None, True, False, b"", "1"],
}
CHAIN_WRONG: Final[dict[int, list[Any]]] = {
    0: NO_COUNTERS,
    1: NO_KEYS,
    2: NO_COUNTERS,
    3: [each for each in NO_KEYS if each is not None],
}


@pytest.mark.parametrize("name", SPARSE)
def test_sparse_chains_with_one_wrong_element_are_a_corrupt_store(name: str) -> None:
    whole = record_of(session_at(name))
    fields = whole[6][1]
    assert plain(read(whole, 1, fields)) == plain(session_at(name))
    changed = [
        [*fields[:at], value, *fields[at + 1 :]] for at, values in SPARSE_WRONG.items() for value in values
    ]
    for chain in (2, 3):
        for at, values in CHAIN_WRONG.items():
            chains = [[*fields[chain][:at], value, *fields[chain][at + 1 :]] for value in values]
            changed += [[*fields[:chain], each, *fields[chain + 1 :]] for each in chains]
        for other in (None, [], b"", fields[chain][:-1], [*fields[chain], None], [fields[chain]]):
            changed.append([*fields[:chain], other, *fields[chain + 1 :]])
    changed += [[], fields[:-1], fields[1:], [*fields, 0], [fields]]
    for value in changed:
        with pytest.raises(CorruptStore):
            read(whole, 1, value)


def test_the_halves_of_a_ratchet_cannot_change_places() -> None:
    whole = record_of(session())
    double, chains, braid = whole[6]
    for ratchet in ([double, braid, chains], [chains, double, braid], [double, chains], double):
        with pytest.raises(CorruptStore):
            decode_session(Record(cbor2.dumps([*whole[:6], ratchet])))
