"""How a device shows a relay who it is, and gets a token.

    challenge       [1, 1, name, device]                                        ->  [1, challenge]
    authenticate    [1, 2, name, device, challenge, counter, signature]
                                            ->  [1, token, seconds, highest counter before, list version]

    signature       Ed25519(the device's signing key, "letterlock-v1 relay login" ||
                    CBOR[name of the relay, name, device, challenge, counter])                      [RLY-5]
    account key     first 16 bytes of SHA-256("letterlock-v1 relay account" || name)                [RLY-1]

A token travels in the header `Authorization: Bearer`, in base64url without padding.

Not here: what a challenge and a token hold, which is the relay's own affair (relay/).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Self

from letterlock._primitives.ed25519 import SIGNATURE_BYTES
from letterlock._primitives.labels import RELAY_ACCOUNT, RELAY_LOGIN
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock._wire.relay_body import Form, RelayBody, read_address
from letterlock._wire.relay_limits import (
    ACCOUNT_KEY_BYTES,
    MAX_CHALLENGE,
    MAX_SHOWN_COUNTER,
    MAX_TOKEN,
    SMALL_BODY,
)
from letterlock.limits import MAX_COUNTER


def account_key(name: str) -> bytes:
    """Return the 16 bytes that stand for the account of this name in a relay's database. [RLY-1]"""
    return hashlib.sha256(RELAY_ACCOUNT + name.encode()).digest()[:ACCOUNT_KEY_BYTES]


def login_input(relay: str, address: Address, challenge: bytes, counter: int) -> bytes:
    """Return the bytes that a device signs to get a token. [RLY-5]

    `relay` is the relay's name: the authority of its URL, in lower case, such as `relay.example:8443`.
    """
    return RELAY_LOGIN + cbor.encode([relay, address.name, address.device_id, challenge, counter])


def token_text(token: bytes) -> str:
    """Return a token as it stands in a header, at most 683 characters."""
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_token_text(text: str) -> bytes | None:
    """Return the token that a header holds, or None if it holds none."""
    if not 1 <= len(text) <= 2 * MAX_TOKEN:
        return None
    try:
        token = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    # Each token has one text: without padding, and with no bits left over.
    return token if len(token) <= MAX_TOKEN and token_text(token) == text else None


@dataclass(frozen=True, slots=True)
class ChallengeRequest(RelayBody):
    """Asks for a challenge for a device. A relay answers alike whether or not the device exists."""

    FORM = Form("a request for a challenge", 4, SMALL_BODY, 5)
    NUMBER = 1

    address: Address

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        return [self.address.name, self.address.device_id]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(read_address(fields))


@dataclass(frozen=True, slots=True)
class ChallengeAnswer(RelayBody):
    """1 to 128 bytes to be signed within five minutes."""

    FORM = Form("a challenge", 2, SMALL_BODY, 3)

    challenge: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.challenge]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(fields.blob_between("challenge", 1, MAX_CHALLENGE))


@dataclass(frozen=True, slots=True)
class AuthenticateRequest(RelayBody):
    """A signed challenge, and the counter of the device's store. `signature` has 64 bytes."""

    FORM = Form("a login", 7, SMALL_BODY, 8)
    NUMBER = 2

    address: Address
    challenge: bytes
    counter: int
    signature: bytes

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the number of the call."""
        address = self.address
        return [address.name, address.device_id, self.challenge, self.counter, self.signature]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            read_address(fields),
            fields.blob_between("challenge", 1, MAX_CHALLENGE),
            fields.uint("counter", MAX_SHOWN_COUNTER),
            fields.blob("signature", SIGNATURE_BYTES),
        )


@dataclass(frozen=True, slots=True)
class AuthenticateAnswer(RelayBody):
    """A token for `seconds`, the greatest counter that the relay had seen before, and the newest list."""

    FORM = Form("an answer to a login", 5, SMALL_BODY, 6)

    token: bytes = field(repr=False)
    seconds: int
    highest: int
    version: int

    def elements(self) -> list[cbor.Value]:
        """Return the elements after the version."""
        return [self.token, self.seconds, self.highest, self.version]

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read what `elements` gives. Raises MalformedMessage."""
        return cls(
            fields.blob_between("token", 1, MAX_TOKEN),
            fields.uint("seconds", MAX_COUNTER),
            fields.uint("highest counter", MAX_SHOWN_COUNTER),
            fields.uint_between("list version", 1, MAX_COUNTER),
        )
