"""The account's own record.

    account    [1, address, private, public, next prekey id, signed prekey id, last-resort id, rotated]

`rotated` is when the current signed and last-resort prekeys were made, in seconds since 1970 (UTC).
"""

from typing import Final

from letterlock._device.account_record import AccountRecord
from letterlock._handshake.agreement import Party
from letterlock._primitives.curve25519 import IdentityKey, IdentityKeyPair, PrivateKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._records.known import record_of
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.fields import Fields
from letterlock.errors import CorruptStore, PeerError
from letterlock.limits import MAX_ID
from letterlock.stores import Record

_FORMAT: Final = 1
_MAX_TIME: Final = 2**63 - 1


def encode_account(account: AccountRecord) -> Record:
    """Return the account's record."""
    identity = account.party.identity
    fields: list[cbor.Value] = [
        _FORMAT,
        account.party.address.fields(),
        identity.private.expose(),
        identity.public.data,
        account.next_id,
        account.signed_id,
        account.last_resort_id,
        account.rotated,
    ]
    return record_of(cbor.encode(fields), account)


def decode_account(record: Record) -> AccountRecord:
    """Return the account of a record. Raises CorruptStore."""
    try:
        fields = Fields(cbor.decode(record.expose()), 8, "account")
        fields.constant("format", _FORMAT)
        address = Address.from_fields(fields.any())
        private = PrivateKey(fields.blob("private key", KEY_BYTES))
        public = IdentityKey(fields.blob("public key", KEY_BYTES))
        party = Party(address, IdentityKeyPair(private, public))
        return AccountRecord(
            party,
            fields.uint("next id", MAX_ID + 1),
            fields.uint("signed prekey id", MAX_ID),
            fields.uint("last-resort id", MAX_ID),
            fields.uint("rotated", _MAX_TIME),
        )
    except PeerError as error:
        raise CorruptStore("the account's record cannot be read: restore the store from a copy") from error
