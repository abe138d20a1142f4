"""A publication: what a device uploads, and what a prekey server hands out bundle by bundle.

publication = [1, 4, address, identity key, signed prekey, last-resort kem prekey,
               [one-time prekey ...], [one-time kem prekey ...]]
"""

from collections.abc import Iterator
from dataclasses import dataclass

from letterlock._primitives.curve25519 import IdentityKey, OneTimePrekey, SignedPrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor, prekey
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.envelope import Kind, read_envelope
from letterlock._wire.prekey import PublicPrekey, read_prekey
from letterlock.errors import MalformedMessage
from letterlock.limits import MAX_PUBLISHED_ONE_TIME, PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Publication:
    """The public prekeys of one device, for many handshakes.

    A server stores it and gives each client one of `bundles()`, never the same twice. When they have run out
    it gives `last_resort_bundle()`. 100 pairs of one-time prekeys take 180 KiB encoded.
    """

    address: Address
    identity: IdentityKey
    signed: PublicPrekey[SignedPrekey]
    last_resort: PublicPrekey[MlKem1024PublicKey]
    one_time: tuple[PublicPrekey[OneTimePrekey], ...]
    kem_one_time: tuple[PublicPrekey[MlKem1024PublicKey], ...]

    def bundles(self) -> Iterator[PrekeyBundle]:
        """Yield one single-use bundle per pair of one-time prekeys."""
        for one_time, kem in zip(self.one_time, self.kem_one_time, strict=True):
            yield PrekeyBundle(self.address, self.identity, self.signed, one_time, kem)

    def last_resort_bundle(self) -> PrekeyBundle:
        """Return the bundle without one-time prekeys, which may be handed out again and again."""
        return PrekeyBundle(self.address, self.identity, self.signed, None, self.last_resort)

    def encode(self) -> bytes:
        """Return the publication as bytes, at most 4 MiB."""
        return cbor.encode(
            [
                PROTOCOL_VERSION,
                int(Kind.PUBLICATION),
                self.address.fields(),
                self.identity.data,
                self.signed.fields(),
                self.last_resort.fields(),
                [each.fields() for each in self.one_time],
                [each.fields() for each in self.kem_one_time],
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "Publication":
        """Read a publication. `verify_publication` checks the signatures.

        Raises MalformedMessage, UnsupportedVersion, InvalidKey.
        """
        fields = read_envelope(data, Kind.PUBLICATION, 8)
        address = Address.from_fields(fields.any())
        identity = IdentityKey(fields.blob("identity key", KEY_BYTES))
        signed = read_prekey(fields.any(), prekey.SIGNED, SignedPrekey)
        last_resort = read_prekey(fields.any(), prekey.KEM_LAST_RESORT, MlKem1024PublicKey)
        one_time = fields.array("one-time prekeys", MAX_PUBLISHED_ONE_TIME)
        kem_one_time = fields.array("one-time kem prekeys", MAX_PUBLISHED_ONE_TIME)
        if len(one_time) != len(kem_one_time):
            # WIRE-11
            raise MalformedMessage("a publication needs as many one-time curve prekeys as kem prekeys")
        publication = cls(
            address,
            identity,
            signed,
            last_resort,
            tuple(read_prekey(each, prekey.ONE_TIME, OneTimePrekey) for each in one_time),
            tuple(read_prekey(each, prekey.KEM_ONE_TIME, MlKem1024PublicKey) for each in kem_one_time),
        )
        publication._refuse_repeated_ids()
        return publication

    def _refuse_repeated_ids(self) -> None:
        ids = [self.signed.id, self.last_resort.id]
        ids += [each.id for each in self.one_time] + [each.id for each in self.kem_one_time]
        if len(set(ids)) != len(ids):
            raise MalformedMessage("two prekeys of a publication have the same id")
