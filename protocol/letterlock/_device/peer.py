"""Whom we know: the identity key trusted for an address.

peer    [1, address, identity key]
"""

from dataclasses import dataclass
from typing import Final

from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, PeerError, UntrustedIdentity
from letterlock.stores._interface import Record, Store

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """An address and the identity key recorded for it at first contact, or accepted since."""

    address: Address
    identity: IdentityKey


def load_peer(store: Store, address: Address) -> Peer | None:
    """Return what is known of an address, or None. Raises CorruptStore."""
    record = store.tables.peers.load(address.encode())
    return None if record is None else decode_peer(record)


def save_peer(store: Store, peer: Peer) -> None:
    """Record a peer, in place of what was known of the address."""
    fields = [_FORMAT, peer.address.fields(), peer.identity.data]
    store.tables.peers.save(peer.address.encode(), Record(cbor.encode(fields)))


def check_identity(store: Store, address: Address, identity: IdentityKey) -> bool:
    """Return whether the address is new. Raises UntrustedIdentity if it is known with another key. [SES-7]"""
    peer = load_peer(store, address)
    if peer is not None and peer.identity != identity:
        raise UntrustedIdentity(address, identity.data)
    return peer is None


def decode_peer(record: Record) -> Peer:
    """Return the peer of a record. Raises CorruptStore."""
    try:
        fields = Fields(cbor.decode(record.expose()), 3, "peer")
        fields.constant("format", _FORMAT)
        address = Address.from_fields(fields.any())
        return Peer(address, IdentityKey(fields.blob("identity key", KEY_BYTES)))
    except PeerError as error:
        raise CorruptStore("a peer's record does not read: restore the store from a copy") from error
