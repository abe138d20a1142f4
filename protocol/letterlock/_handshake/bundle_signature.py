"""The one signature of a prekey bundle, by the identity key of its owner.

    signature   XEdDSA(IK, "letterlock-v1 bundle signature" || encoding of the bundle before it)   [HAND-2]

The encoding before the signature has everything that a bundle shows: its address, the identity key, the day
on which the signed prekey was made, and each prekey with its kind, id and key, or null. So a server can
neither exchange nor leave out a prekey, nor show an old one as new. X3DH signs one prekey alone, and neither
specification signs ids.

Not here: the encodings (_wire/bundle.py, _wire/publication.py); how old a bundle may be (freshness.py).
"""

from collections.abc import Sequence
from dataclasses import field

from letterlock._primitives import xeddsa
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.labels import BUNDLE_SIGNATURE
from letterlock._primitives.secret import Uncopyable
from letterlock._primitives.xeddsa import SigningKey
from letterlock._wire.bundle import BundleHead, KemPrekey, OneTime, PrekeyBundle
from letterlock._wire.publication import PrekeyPair, Publication


@dataclass(frozen=True, slots=True)
class BundleSigner(Uncopyable):
    """Signs the bundles of one publication: what they have in common, and the identity key's scalar."""

    head: BundleHead
    key: SigningKey
    entropy: Entropy = field(repr=False)

    def bundle(self, one_time: OneTime | None, kem: KemPrekey | None) -> PrekeyBundle:
        """Return the bundle of these prekeys. Draws 64 bytes of entropy."""
        head, signature = self.head, self._sign(one_time, kem)
        return PrekeyBundle(head.address, head.identity, head.made_on, head.signed, one_time, kem, signature)

    def publication(self, last_resort: KemPrekey, pairs: Sequence[tuple[OneTime, KemPrekey]]) -> Publication:
        """Return the publication of these prekeys. Draws 64 bytes of entropy for each bundle in it."""
        head, signature = self.head, self._sign(None, last_resort)
        signed = tuple(PrekeyPair(one_time, kem, self._sign(one_time, kem)) for one_time, kem in pairs)
        common = head.address, head.identity, head.made_on, head.signed
        return Publication(*common, last_resort, signature, signed)

    def _sign(self, one_time: OneTime | None, kem: KemPrekey | None) -> bytes:
        # Every signature draws a new Z: a repeated one would reveal the identity key.  PRIM-4
        signed = BUNDLE_SIGNATURE + self.head.encode_unsigned(one_time, kem)
        return self.key.sign(signed, self.entropy(xeddsa.NONCE_BYTES))


def verify_bundle(bundle: PrekeyBundle) -> None:
    """Raise InvalidSignature unless the bundle's identity key signed this bundle. [HAND-1]

    `Account.initiate` does this. A server may do it before it stores a bundle.
    """
    xeddsa.verify(bundle.identity, BUNDLE_SIGNATURE + bundle.encode_unsigned(), bundle.signature)


def verify_publication(publication: Publication) -> None:
    """Raise InvalidSignature unless the publication's identity key signed all of its bundles. [HAND-1]

    A server should do this before it stores a publication.
    """
    verify_bundle(publication.last_resort_bundle())
    for bundle in publication.bundles():
        verify_bundle(bundle)
