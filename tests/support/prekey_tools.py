"""What the tests of prekeys share: the record of an account, counts of prekeys, the bundles of a server."""

import hashlib

from letterlock._device.account_record import AccountRecord
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.xeddsa import SigningKey
from letterlock._records.account import decode_account
from letterlock._wire.bundle import BundleHead, KemPrekey, OneTime, PrekeyBundle
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


def head_of(like: PrekeyBundle | Publication) -> BundleHead:
    return BundleHead(like.address, like.identity, like.made_on, like.signed)


def signed_by(
    identity: IdentityKeyPair, head: BundleHead, one_time: OneTime | None, kem: KemPrekey | None
) -> PrekeyBundle:
    """Return a bundle that this identity key has signed, whatever is in it. Z comes from the bundle."""
    drawn = hashlib.shake_256(identity.private.expose() + head.encode_unsigned(one_time, kem))
    return BundleSigner(head, SigningKey.of(identity), drawn.digest).bundle(one_time, kem)


def mixed(
    owner: Store, like: PrekeyBundle | Publication, one_time: OneTime | None, kem: KemPrekey | None
) -> PrekeyBundle:
    """Return a bundle of other prekeys, signed with the key of its owner: no server can make it."""
    return signed_by(account_record(owner).party.identity, head_of(like), one_time, kem)


def bundles(owner: Store, publication: Publication) -> dict[str, PrekeyBundle]:
    """The four kinds of bundle that an owner can sign. An account makes the first and the last."""
    whole, other = publication.bundles()
    last = publication.last_resort_bundle()
    return {
        "both one-time": whole,
        "curve one-time, last resort": mixed(owner, last, other.one_time, last.kem),
        "kem one-time alone": mixed(owner, last, None, other.kem),
        "last resort alone": last,
    }


USED = {
    "both one-time": {"ONE_TIME": 1, "KEM_ONE_TIME": 1},
    "curve one-time, last resort": {"ONE_TIME": 1, "KEM_ONE_TIME": 0},
    "kem one-time alone": {"ONE_TIME": 0, "KEM_ONE_TIME": 1},
    "last resort alone": {"ONE_TIME": 0, "KEM_ONE_TIME": 0},
}
