"""Who we are: the account's own record.

    account    [1, address, private, public, next prekey id, signed prekey id, last-resort id, rotated]

`rotated` is when the current signed and last-resort prekeys were made, in seconds since 1970 (UTC).
"""

from dataclasses import dataclass
from typing import Final

from letterlock._handshake.agreement import Party
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, PrivateKey
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, PeerError, UsageError
from letterlock.limits import MAX_ID
from letterlock.stores._interface import Record

_FORMAT: Final = 1
_MAX_TIME: Final = 2**63 - 1
_ID_START_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class Profile(Uncopyable):
    """Identity, the next unused prekey id, and which prekeys are current; no prekey has id 0."""

    party: Party
    next_id: int
    signed_id: int = 0
    last_resort_id: int = 0
    rotated: int = 0

    def take_ids(self, count: int) -> range:
        """Return the next `count` unused ids. Raises UsageError after the last of 2**32. [HAND-10]"""
        if self.next_id + count - 1 > MAX_ID:
            raise UsageError("all prekey ids are used up: create a new account")
        return range(self.next_id, self.next_id + count)


def new_profile(address: Address, entropy: Entropy) -> Profile:
    """Return a new identity. Draws 35 bytes: 32 for the key, 3 for where ids start.

    Ids start at random, so that they do not tell how long an account exists, and low, so that they last.
    """
    identity = IdentityKeyPair.generate(entropy)
    return Profile(Party(address, identity), 1 + int.from_bytes(entropy(_ID_START_BYTES), "big"))


def encode_profile(profile: Profile) -> Record:
    """Return the account's record."""
    identity = profile.party.identity
    return Record(
        cbor.encode(
            [
                _FORMAT,
                profile.party.address.fields(),
                identity.private.expose(),
                identity.public.data,
                profile.next_id,
                profile.signed_id,
                profile.last_resort_id,
                profile.rotated,
            ]
        )
    )


def decode_profile(record: Record) -> Profile:
    """Return the profile of a record. Raises CorruptStore."""
    try:
        fields = Fields(cbor.decode(record.expose()), 8, "account")
        fields.constant("format", _FORMAT)
        address = Address.from_fields(fields.any())
        private = PrivateKey(fields.blob("private key", KEY_BYTES))
        public = IdentityKey(fields.blob("public key", KEY_BYTES))
        party = Party(address, IdentityKeyPair(private, public))
        return Profile(
            party,
            fields.uint("next id", MAX_ID + 1),
            fields.uint("signed prekey id", MAX_ID),
            fields.uint("last-resort id", MAX_ID),
            fields.uint("rotated", _MAX_TIME),
        )
    except PeerError as error:
        raise CorruptStore("the account's record does not read: restore the store from a copy") from error
