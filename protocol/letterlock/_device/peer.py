"""A peer as this device knows it: an address and the identity key recorded for it."""

from letterlock._primitives.curve25519 import IdentityKey
from letterlock._primitives.dataclass import dataclass
from letterlock._wire.address import Address


@dataclass(frozen=True, slots=True)
class Peer:
    """An address and the identity key recorded for it at first contact, or accepted since."""

    address: Address
    identity: IdentityKey
