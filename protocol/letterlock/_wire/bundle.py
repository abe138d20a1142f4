"""A prekey bundle: everything that is needed to start a session with a device that is offline.

bundle = [1, 3, address, identity key, signed prekey, one-time prekey / null, kem prekey / null]
"""

from dataclasses import dataclass

from letterlock._primitives.curve25519 import IdentityKey, OneTimePrekey, SignedPrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor, prekey
from letterlock._wire.address import Address
from letterlock._wire.envelope import Kind, read_envelope
from letterlock._wire.prekey import PublicPrekey, read_prekey
from letterlock.limits import PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class PrekeyBundle:
    """The public prekeys of one device, for one handshake (PQXDH section 3.3).

    `one_time` is None when the server has run out of them; the handshake then goes without. `kem` is a
    one-time or a last-resort prekey, and None only in a bundle for the X3DH suite. About 1.9 KiB encoded.
    """

    address: Address
    identity: IdentityKey
    signed: PublicPrekey[SignedPrekey]
    one_time: PublicPrekey[OneTimePrekey] | None
    kem: PublicPrekey[MlKem1024PublicKey] | None

    def encode(self) -> bytes:
        """Return the bundle as bytes, at most 8 KiB."""
        return cbor.encode(
            [
                PROTOCOL_VERSION,
                int(Kind.BUNDLE),
                self.address.fields(),
                self.identity.data,
                self.signed.fields(),
                None if self.one_time is None else self.one_time.fields(),
                None if self.kem is None else self.kem.fields(),
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "PrekeyBundle":
        """Read a bundle. `verify_bundle` and `Account.initiate` check the signatures.

        Raises MalformedMessage, UnsupportedVersion, InvalidKey.
        """
        fields = read_envelope(data, Kind.BUNDLE, 7)
        address = Address.from_fields(fields.any())
        identity = IdentityKey(fields.blob("identity key", KEY_BYTES))
        signed = read_prekey(fields.any(), prekey.SIGNED, SignedPrekey)
        one_time, kem = fields.any(), fields.any()
        return cls(
            address,
            identity,
            signed,
            None if one_time is None else read_prekey(one_time, prekey.ONE_TIME, OneTimePrekey),
            None if kem is None else read_prekey(kem, prekey.KEM, MlKem1024PublicKey),
        )
