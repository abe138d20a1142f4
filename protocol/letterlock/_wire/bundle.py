"""A prekey bundle: everything that is needed to start a session with a device that is offline.

bundle = [2, 3, address, identity key, made on, signed prekey, one-time prekey / null, kem prekey / null,
          signature]

Not here: signing and verifying (_handshake/bundle_signature.py).
"""

from typing import TypeAlias

from letterlock._primitives.curve25519 import SIGNATURE_BYTES, IdentityKey, OneTimePrekey, SignedPrekey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor, prekey
from letterlock._wire.address import Address
from letterlock._wire.envelope import Kind, read_envelope
from letterlock._wire.fields import Fields
from letterlock._wire.prekey import PublicPrekey, read_prekey
from letterlock.limits import BUNDLE_VERSION, MAX_DAY

OneTime: TypeAlias = PublicPrekey[OneTimePrekey]
KemPrekey: TypeAlias = PublicPrekey[MlKem1024PublicKey]


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What the bundles of one publication have in common."""

    address: Address
    identity: IdentityKey
    made_on: int
    signed: PublicPrekey[SignedPrekey]

    def fields(self) -> list[cbor.Value]:
        """Return the elements that stand after version and kind, in a bundle and in a publication."""
        return [self.address.fields(), self.identity.data, self.made_on, self.signed.fields()]

    def encode_unsigned(self, one_time: OneTime | None, kem: KemPrekey | None) -> bytes:
        """Return the encoding of a bundle up to the head of its signature, which is its last element."""
        prekeys = [None if each is None else each.fields() for each in (one_time, kem)]
        return cbor.encode_array_prefix(BUNDLE_VERSION, int(Kind.BUNDLE), *self.fields(), *prekeys)


def read_head(fields: Fields) -> BundleHead:
    """Read what `BundleHead.fields` gives. Raises MalformedMessage, InvalidKey."""
    address = Address.from_fields(fields.any())
    identity = IdentityKey(fields.blob("identity key", KEY_BYTES))
    made_on = fields.uint("day of the signed prekey", MAX_DAY)
    return BundleHead(address, identity, made_on, read_prekey(fields.any(), prekey.SIGNED, SignedPrekey))


@dataclass(frozen=True, slots=True)
class PrekeyBundle:
    """The public prekeys of one device, for one handshake (PQXDH section 3.3).

    `made_on` is the day on which the signed prekey was made: the number of whole days since 1970 (UTC).
    `one_time` is None when the server has run out of them; the handshake then goes without. `kem` is a
    one-time or a last-resort prekey, and None only in a bundle for the X3DH suite. `signature`, 64 bytes,
    covers all of it. About 1.8 KiB encoded.
    """

    address: Address
    identity: IdentityKey
    made_on: int
    signed: PublicPrekey[SignedPrekey]
    one_time: PublicPrekey[OneTimePrekey] | None
    kem: PublicPrekey[MlKem1024PublicKey] | None
    signature: bytes

    def encode_unsigned(self) -> bytes:
        """Return the encoding up to the head of the signature, which covers these bytes after a label."""
        head = BundleHead(self.address, self.identity, self.made_on, self.signed)
        return head.encode_unsigned(self.one_time, self.kem)

    def encode(self) -> bytes:
        """Return the bundle as bytes, at most 8 KiB."""
        return cbor.complete_array(self.encode_unsigned(), self.signature)

    @classmethod
    def decode(cls, data: bytes) -> "PrekeyBundle":
        """Read a bundle. `verify_bundle` and `Account.initiate` check the signature.

        Raises MalformedMessage, UnsupportedVersion, InvalidKey.
        """
        fields = read_envelope(data, Kind.BUNDLE, 9)
        head, one_time, kem = read_head(fields), fields.any(), fields.any()
        return cls(
            head.address,
            head.identity,
            head.made_on,
            head.signed,
            None if one_time is None else read_prekey(one_time, prekey.ONE_TIME, OneTimePrekey),
            None if kem is None else read_prekey(kem, prekey.KEM, MlKem1024PublicKey),
            fields.blob("signature", SIGNATURE_BYTES),
        )
