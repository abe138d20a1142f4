"""A publication: what a device uploads, and what a prekey server hands out bundle by bundle.

publication = [2, 4, address, identity key, made on, signed prekey,
               last-resort kem prekey, signature of the last-resort bundle, [pair ...]]
pair        = [one-time prekey, one-time kem prekey, signature of their bundle]
"""

from collections.abc import Iterator

from letterlock._primitives.curve25519 import SIGNATURE_BYTES, IdentityKey, OneTimePrekey, SignedPrekey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire import cbor, prekey
from letterlock._wire.address import Address
from letterlock._wire.bundle import BundleHead, PrekeyBundle, read_head
from letterlock._wire.envelope import Kind, read_envelope
from letterlock._wire.fields import Fields
from letterlock._wire.prekey import PublicPrekey, read_prekey
from letterlock.errors import MalformedMessage
from letterlock.limits import BUNDLE_VERSION, MAX_PUBLISHED_ONE_TIME


@dataclass(frozen=True, slots=True)
class PrekeyPair:
    """A one-time prekey of each kind, and the signature (64 bytes) of the bundle that they make."""

    one_time: PublicPrekey[OneTimePrekey]
    kem: PublicPrekey[MlKem1024PublicKey]
    signature: bytes

    def fields(self) -> cbor.Value:
        """Return the pair as it stands inside a publication."""
        return [self.one_time.fields(), self.kem.fields(), self.signature]


@dataclass(frozen=True, slots=True)
class Publication:
    """The public prekeys of one device, for many handshakes.

    A server stores its bundles whole, and gives each client one of `bundles()`, never the same twice. When
    they have run out it gives `last_resort_bundle()`. A publication with another signed prekey replaces
    everything that the server holds of the device; with the same one, its bundles are added. [HAND-16] 100
    pairs of one-time prekeys take 170 KiB encoded. `made_on` is as in `PrekeyBundle`.
    """

    address: Address
    identity: IdentityKey
    made_on: int
    signed: PublicPrekey[SignedPrekey]
    last_resort: PublicPrekey[MlKem1024PublicKey]
    last_resort_signature: bytes
    pairs: tuple[PrekeyPair, ...]

    def bundles(self) -> Iterator[PrekeyBundle]:
        """Yield one single-use bundle per pair of one-time prekeys."""
        common = self.address, self.identity, self.made_on, self.signed
        for pair in self.pairs:
            yield PrekeyBundle(*common, pair.one_time, pair.kem, pair.signature)

    def last_resort_bundle(self) -> PrekeyBundle:
        """Return the bundle without one-time prekeys, which may be handed out again and again."""
        common = self.address, self.identity, self.made_on, self.signed
        return PrekeyBundle(*common, None, self.last_resort, self.last_resort_signature)

    def encode(self) -> bytes:
        """Return the publication as bytes, at most 4 MiB."""
        return cbor.encode(
            [
                BUNDLE_VERSION,
                int(Kind.PUBLICATION),
                *BundleHead(self.address, self.identity, self.made_on, self.signed).fields(),
                self.last_resort.fields(),
                self.last_resort_signature,
                [each.fields() for each in self.pairs],
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "Publication":
        """Read a publication. `verify_publication` checks the signatures.

        Raises MalformedMessage, UnsupportedVersion, InvalidKey.
        """
        fields = read_envelope(data, Kind.PUBLICATION, 9)
        head = read_head(fields)
        last_resort = read_prekey(fields.any(), prekey.KEM_LAST_RESORT, MlKem1024PublicKey)
        signature = fields.blob("signature of the last-resort bundle", SIGNATURE_BYTES)
        pairs = tuple(map(_read_pair, fields.array("pairs of prekeys", MAX_PUBLISHED_ONE_TIME)))
        publication = cls(
            head.address, head.identity, head.made_on, head.signed, last_resort, signature, pairs
        )
        publication._refuse_repeated_ids()
        return publication

    def _refuse_repeated_ids(self) -> None:
        # WIRE-11
        ids = [self.signed.id, self.last_resort.id]
        ids += [each.one_time.id for each in self.pairs] + [each.kem.id for each in self.pairs]
        if len(set(ids)) != len(ids):
            raise MalformedMessage("two prekeys of a publication have the same id")


def _read_pair(value: object) -> PrekeyPair:
    fields = Fields(value, 3, "pair of prekeys")
    return PrekeyPair(
        read_prekey(fields.any(), prekey.ONE_TIME, OneTimePrekey),
        read_prekey(fields.any(), prekey.KEM_ONE_TIME, MlKem1024PublicKey),
        fields.blob("signature", SIGNATURE_BYTES),
    )
