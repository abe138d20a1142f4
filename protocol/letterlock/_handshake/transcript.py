"""The associated data of a session: a hash of everything that was sent or assumed in its handshake.

    AD = SHA-256(CBOR([label, version, suite, initiator, recipient, IK_A, IK_B, EK_A,
                       [id, SPK_B], null / [id, OPK_B], null / [id, PQPK_B, CT]]))         [HAND-6]

Between devices of users, one more element follows: the user ids of initiator and recipient, 64 bytes in
all.                                                                                               [HAND-17]

The published texts bind both identity keys, and suggest binding more. Binding all the keys and both addresses
stops a server from presenting one conversation as another (unknown key share), from replacing a prekey by one
with the same agreement, and from encapsulating again to another KEM key. Hashing keeps the result at 32
bytes.

Not here: the agreements and the KEM (agreement.py).
"""

import hashlib

from letterlock._primitives.curve25519 import IdentityKey, OneTimePrekey, SignedPrekey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.labels import TRANSCRIPT
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire import cbor
from letterlock._wire.address import Address
from letterlock._wire.message import HandshakeHeader
from letterlock.limits import PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Recipient:
    """The recipient's address and the public keys that the header names by id."""

    address: Address
    identity: IdentityKey
    signed: SignedPrekey
    one_time: OneTimePrekey | None
    kem: MlKem1024PublicKey | None


def associated_data(
    header: HandshakeHeader, initiator: Address, recipient: Recipient, user_ids: bytes | None = None
) -> bytes:
    """Return AD: the 32 bytes that every message of the session authenticates.

    `user_ids` are those of initiator and recipient, 64 bytes, or None between accounts without users.
    """
    one_time: cbor.Value = None
    if header.one_time_prekey_id is not None and recipient.one_time is not None:
        one_time = header.one_time_prekey_id, recipient.one_time.data
    kem: cbor.Value = None
    if header.kem is not None and recipient.kem is not None:
        kem = header.kem.prekey_id, recipient.kem.data, header.kem.ciphertext
    transcript: list[cbor.Value] = [
        TRANSCRIPT,
        PROTOCOL_VERSION,
        int(header.suite),
        initiator.fields(),
        recipient.address.fields(),
        header.identity.data,
        recipient.identity.data,
        header.ephemeral.data,
        (header.signed_prekey_id, recipient.signed.data),
        one_time,
        kem,
    ]
    if user_ids is not None:
        transcript.append(user_ids)
    return hashlib.sha256(cbor.encode(transcript)).digest()
