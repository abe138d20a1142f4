"""What a store in memory was given, it gives back without decoding; it equals what decoding would give."""

from typing import Any

import pytest

from letterlock import Account, Address, MemoryStore
from letterlock._device.account_record import AccountRecord
from letterlock._primitives.curve25519 import OneTimePrekeyPair, SignedPrekeyPair
from letterlock._primitives.mlkem import MlKem1024KeyPair
from letterlock._records.account import decode_account, encode_account
from letterlock._records.peer import decode_peer_and_used
from letterlock._records.prekey import decode_curve_prekey, decode_kem_prekey
from letterlock._wire.prekey import PrekeyKind
from letterlock.limits import MAX_EXPANDED_PREKEYS
from letterlock.stores import Record

ALICE, BOB = Address("alice"), Address("bob")


class Forgotten(Exception):
    """A record had to be decoded."""


def known(record: Record) -> Any:
    def decode(_: Record) -> Any:
        raise Forgotten

    return record.decoded(decode)


@pytest.fixture
def stores() -> tuple[MemoryStore, MemoryStore]:
    """The store of an account that has initiated, and that of the other."""
    ours, theirs = MemoryStore(), MemoryStore()
    alice, bob = Account.create(ours, ALICE), Account.create(theirs, BOB)
    alice.initiate(BOB, bob.bundle())
    return ours, theirs


def test_an_account_and_a_peer_are_known(stores: tuple[MemoryStore, MemoryStore]) -> None:
    with stores[0].transaction():
        account, peer = stores[0].tables.account.load(), stores[0].tables.peers.load(BOB.encode())
    assert account is not None
    assert peer is not None
    assert type(known(account)) is AccountRecord
    assert encode_account(known(account)).expose() == account.expose()
    assert known(peer) == decode_peer_and_used(Record(peer.expose()))


@pytest.mark.parametrize(
    ("kind", "pair"), [(PrekeyKind.ONE_TIME, OneTimePrekeyPair), (PrekeyKind.SIGNED, SignedPrekeyPair)]
)
def test_curve_prekeys_are_known(
    stores: tuple[MemoryStore, MemoryStore], kind: PrekeyKind, pair: Any
) -> None:
    (record,) = records(stores[1], kind)
    again = decode_curve_prekey(Record(record.expose()), pair)
    assert type(known(record)) is pair
    assert (known(record).private, known(record).public) == (again.private, again.public)


@pytest.mark.parametrize("kind", [PrekeyKind.KEM_ONE_TIME, PrekeyKind.KEM_LAST_RESORT])
def test_kem_prekeys_are_known(stores: tuple[MemoryStore, MemoryStore], kind: PrekeyKind) -> None:
    (record,) = records(stores[1], kind)
    again = decode_kem_prekey(Record(record.expose()))
    assert type(known(record)) is MlKem1024KeyPair
    assert (known(record).seed, known(record).public) == (again.seed, again.public)


@pytest.mark.parametrize(
    ("count", "are_known"), [(MAX_EXPANDED_PREKEYS, True), (MAX_EXPANDED_PREKEYS + 1, False)]
)
def test_few_kem_prekeys_stay_expanded(count: int, are_known: bool) -> None:
    """An expanded one takes many times the memory of its seed."""
    store = MemoryStore()
    Account.create(store, BOB).publish(count)
    for record in records(store, PrekeyKind.KEM_ONE_TIME):
        if are_known:
            known(record)
        else:
            with pytest.raises(Forgotten):
                known(record)
    for record in records(store, PrekeyKind.ONE_TIME):
        known(record)


def records(store: MemoryStore, kind: PrekeyKind) -> list[Record]:
    with store.transaction():
        tables = store.tables
        ids = [id_ for _, id_ in tables.prekeys.expiries(kind)]
        if not ids:
            account = tables.account.load()
            assert account is not None
            current = decode_account(account)
            ids = [current.signed_id if kind is PrekeyKind.SIGNED else current.last_resort_id]
        return [row.record for id_ in ids if (row := tables.prekeys.load(kind, id_)) is not None]
