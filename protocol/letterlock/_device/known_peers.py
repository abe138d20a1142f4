"""The peers that this device knows, in their store. Every function runs inside the caller's transaction."""

from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._records.peer import decode_peer, encode_peer
from letterlock._wire.address import Address
from letterlock.errors import UntrustedIdentity
from letterlock.stores import Tables


def load_peer(tables: Tables, address: Address) -> Peer | None:
    """Return what is known of an address, or None. Raises CorruptStore."""
    record = tables.peers.load(address.encode())
    return None if record is None else decode_peer(record)


def save_peer(tables: Tables, peer: Peer) -> None:
    """Record a peer, replacing what was known of the address."""
    tables.peers.save(peer.address.encode(), encode_peer(peer))


def all_peers(tables: Tables) -> list[Peer]:
    """Return every peer, in order of address. Raises CorruptStore."""
    return sorted(map(decode_peer, tables.peers.all()), key=lambda peer: peer.address)


def check_identity(tables: Tables, address: Address, identity: IdentityKey) -> bool:
    """Return whether the address is new. Raises UntrustedIdentity if it is known with another key. [SES-7]"""
    peer = load_peer(tables, address)
    if peer is not None and peer.identity != identity:
        raise UntrustedIdentity(address, identity.data)
    return peer is None
