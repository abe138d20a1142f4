"""How a device asks for its own user's newer lists when it gets no token: it may have been revoked.

    newer           [1, 21, name, device, challenge, after, signature]   ->  [1, newest version, [list ...]]

    signature       Ed25519(the device's signing key, "letterlock-v1 relay newer lists" ||
                    CBOR[name of the relay, name, device, challenge, after])                       [RLY-45]

The answer is that of `lists` (relay_lists.py).

Not here: challenges (relay_login.py).
"""

from dataclasses import dataclass
from typing import Self

from letterlock._primitives.ed25519 import SIGNATURE_BYTES
from letterlock._primitives.labels import RELAY_NEWER
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody, read_address
from letterlock._wire.relay_limits import MAX_CHALLENGE, SMALL_BODY
from letterlock.limits import MAX_COUNTER


def newer_input(relay: str, address: Address, challenge: bytes, after: int) -> bytes:
    """Return the bytes that a device signs to ask for newer lists. [RLY-45]

    `relay` is the relay's name, as in `login_input`. `after` is a version that lists the device.
    """
    return RELAY_NEWER + cbor.encode([relay, address.name, address.device_id, challenge, after])


@dataclass(frozen=True, slots=True)
class NewerRequest(RelayBody):
    """Asks for the lists after a version that lists the device. `signature` has 64 bytes."""

    FORM = Form("a request for newer lists", 7, SMALL_BODY, 8)
    NUMBER = 21

    address: Address
    challenge: bytes
    after: int
    signature: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        address = self.address
        return [address.name, address.device_id, self.challenge, self.after, self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            read_address(fields),
            fields.blob_between("challenge", 1, MAX_CHALLENGE),
            fields.uint_between("version", 1, MAX_COUNTER),
            fields.blob("signature", SIGNATURE_BYTES),
        )
