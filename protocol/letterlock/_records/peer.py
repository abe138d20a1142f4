"""The record of a peer.

peer    [1, address, identity key]
        [2, address, identity key, used prekeys]    32 bytes for each, oldest first; at least one
"""

from typing import Final, cast

from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.known import record_of
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.limits import MAX_USED_PREKEYS
from letterlock.stores import Record

_FORMAT: Final = 1
_WITH_USED: Final = 2
_USED_BYTES: Final = 32


def encode_peer(peer: Peer, used: tuple[bytes, ...] = ()) -> Record:
    """Return a peer's record, with the names (32 bytes) of those of its one-time prekeys that we used."""
    fields: list[cbor.Value] = [_FORMAT, peer.address.fields(), peer.identity.data]
    if used:
        fields = [_WITH_USED, *fields[1:], b"".join(used)]
    return record_of(cbor.encode(fields), (peer, used))


def decode_peer(record: Record) -> Peer:
    """Return the peer of a record. Raises CorruptStore."""
    return decode_peer_and_used(record)[0]


def decode_peer_and_used(record: Record) -> tuple[Peer, tuple[bytes, ...]]:
    """Return the peer of a record and its used one-time prekeys, oldest first. Raises CorruptStore."""
    try:
        return _read(cbor.decode(record.expose()))
    except PeerError as error:
        raise CorruptStore("a peer's record cannot be read: restore the store from a copy") from error


def _length(value: object) -> int:
    return len(cast("list[object]", value)) if type(value) is list else 0


def _read(value: object) -> tuple[Peer, tuple[bytes, ...]]:
    has_used = _length(value) == 4
    fields = Fields(value, 4 if has_used else 3, "peer")
    fields.constant("format", _WITH_USED if has_used else _FORMAT)
    address = Address.from_fields(fields.any())
    peer = Peer(address, IdentityKey(fields.blob("identity key", KEY_BYTES)))
    if not has_used:
        return peer, ()
    used = fields.blob_between("used prekeys", _USED_BYTES, MAX_USED_PREKEYS * _USED_BYTES)
    if len(used) % _USED_BYTES:
        raise MalformedMessage("used prekeys of a peer are cut short")
    return peer, tuple(used[at : at + _USED_BYTES] for at in range(0, len(used), _USED_BYTES))
