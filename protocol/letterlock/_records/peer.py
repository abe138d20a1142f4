"""The record of a peer.

peer    [1, address, identity key]
"""

from typing import Final

from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, PeerError
from letterlock.stores import Record

_FORMAT: Final = 1


def encode_peer(peer: Peer) -> Record:
    """Return a peer's record."""
    return Record(cbor.encode([_FORMAT, peer.address.fields(), peer.identity.data]))


def decode_peer(record: Record) -> Peer:
    """Return the peer of a record. Raises CorruptStore."""
    try:
        fields = Fields(cbor.decode(record.expose()), 3, "peer")
        fields.constant("format", _FORMAT)
        address = Address.from_fields(fields.any())
        return Peer(address, IdentityKey(fields.blob("identity key", KEY_BYTES)))
    except PeerError as error:
        raise CorruptStore("a peer's record cannot be read: restore the store from a copy") from error
