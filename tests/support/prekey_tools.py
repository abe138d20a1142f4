"""What the tests of prekeys share: how many there are, and the bundles a server can make of them."""

from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.publication import Publication
from letterlock.stores._interface import Store


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
