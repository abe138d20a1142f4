"""What the tests of prekeys share: the record of an account, counts of prekeys, the bundles of a server."""

from letterlock._device.account_record import AccountRecord
from letterlock._records.account import decode_account
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock.stores._interface import Store


def account_record(store: Store) -> AccountRecord:
    """Return what an account keeps about itself."""
    with store.transaction():
        record = store.tables.account.load()
    assert record is not None
    return decode_account(record)


def counts(store: Store) -> dict[str, int]:
    with store.transaction():
        return {kind.name: store.tables.prekeys.count(kind) for kind in PrekeyKind}


def bundles(publication: Publication) -> dict[str, PrekeyBundle]:
    """The four kinds of bundle that a server can put together."""
    whole, other = publication.bundles()
    last = publication.last_resort_bundle()
    signed = (last.address, last.identity, last.signed)
    return {
        "both one-time": whole,
        "curve one-time, last resort": PrekeyBundle(*signed, other.one_time, last.kem),
        "kem one-time alone": PrekeyBundle(*signed, None, other.kem),
        "last resort alone": last,
    }


USED = {
    "both one-time": {"ONE_TIME": 1, "KEM_ONE_TIME": 1},
    "curve one-time, last resort": {"ONE_TIME": 1, "KEM_ONE_TIME": 0},
    "kem one-time alone": {"ONE_TIME": 0, "KEM_ONE_TIME": 1},
    "last resort alone": {"ONE_TIME": 0, "KEM_ONE_TIME": 0},
}
