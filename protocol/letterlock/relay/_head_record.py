"""A Head as bytes, for databases that keep it in one value.

    head       [version, hash, user id, [device ...]]
    device     [id, Ed25519 key, identity key, class, version that added it]

Not here: what a relay checks of a list before it stores it.
"""

from typing import Any, cast

from letterlock._wire.cbor import Value, decode, encode
from letterlock.errors import CorruptStore, PeerError
from letterlock.relay._store import Head, ListedKey


def encode_head(head: Head) -> bytes:
    """Return a head as bytes."""
    devices: list[Value] = [
        [each.device, each.ed25519, each.identity, each.device_class, each.added] for each in head.devices
    ]
    return encode([head.version, head.hash, head.user_id, devices])


def decode_head(record: bytes) -> Head:
    """Return the head of a record. Raises CorruptStore."""
    try:
        version, hash_, user_id, devices = cast("Any", decode(record))
        return Head(version, hash_, user_id, tuple(ListedKey(*device) for device in devices))
    except (PeerError, TypeError, ValueError):
        raise CorruptStore("the head of a device list is damaged: restore the relay's database") from None


def left_out(before: Head, head: Head) -> list[int]:
    """Return the ids of devices that `head` no longer lists, or lists with other keys. A class may change."""
    return [each.device for each in before.devices if not each.is_same(head.device(each.device))]
