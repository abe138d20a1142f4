"""The peers that this device knows, in their store. Every function runs inside the caller's transaction."""

import hashlib

from letterlock._device.peer import Peer
from letterlock._primitives.curve25519 import IdentityKey
from letterlock._records.peer import decode_peer, decode_peer_and_used, encode_peer
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PrekeyKind
from letterlock._wire.suite import Suite
from letterlock.errors import UntrustedIdentity, UsageError
from letterlock.limits import MAX_USED_PREKEYS
from letterlock.stores import Tables


def load_peer(tables: Tables, address: Address) -> Peer | None:
    """Return what is known of an address, or None. Raises CorruptStore."""
    record = tables.peers.load(address.encode())
    return None if record is None else record.decoded(decode_peer_and_used)[0]


def save_peer(tables: Tables, peer: Peer) -> None:
    """Record a peer, replacing what was known of the address."""
    tables.peers.save(peer.address.encode(), encode_peer(peer))


def save_initiated(tables: Tables, address: Address, bundle: PrekeyBundle, suite: Suite) -> None:
    """Record the owner of a bundle, and the one-time prekeys that a handshake uses of it. [SES-13]

    The owner deletes them with the first message that arrives, so nothing that we send in a second session
    could be read. Raises UsageError if one of them was used before.
    """
    names = tuple(
        hashlib.sha256(bytes([each.kind]) + each.key.data).digest()
        for each in (bundle.one_time, None if suite is Suite.X3DH else bundle.kem)
        if each is not None and each.kind in {PrekeyKind.ONE_TIME, PrekeyKind.KEM_ONE_TIME}
    )
    record = tables.peers.load(address.encode())
    if record is None:
        tables.peers.save(address.encode(), encode_peer(Peer(address, bundle.identity), names))
        return
    if not names:
        return
    peer, used = record.decoded(decode_peer_and_used)
    if not set(names).isdisjoint(used):
        raise UsageError(
            "this bundle was used before: go on with the session that it began, or ask the peer for a new one"
        )
    tables.peers.save(address.encode(), encode_peer(peer, (*used, *names)[-MAX_USED_PREKEYS:]))


def forget_peer(tables: Tables, address: Address) -> None:
    """Delete a peer whose sessions are deleted already."""
    tables.peers.delete(address.encode())


def all_peers(tables: Tables) -> list[Peer]:
    """Return every peer, in order of address. Raises CorruptStore."""
    return sorted(map(decode_peer, tables.peers.all()), key=lambda peer: peer.address)


def check_identity(tables: Tables, address: Address, identity: IdentityKey) -> bool:
    """Return whether the address is new. Raises UntrustedIdentity if it is known with another key. [SES-7]"""
    peer = load_peer(tables, address)
    if peer is not None and peer.identity != identity:
        raise UntrustedIdentity(address, identity.data)
    return peer is None
