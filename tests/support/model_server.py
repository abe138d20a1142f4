"""The prekey server of the model: it keeps in memory what devices upload, and hands it out as bundles.

When pairs run out it hands out last-resort bundles. It is not trusted: it may hand out the same bundle twice,
or leave prekeys out of one, or put prekeys of two bundles together.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from letterlock._handshake.bundle_signature import verify_publication
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.publication import Publication


class Stock(Enum):
    """What a server puts into a bundle."""

    WHOLE = auto()
    """A bundle with one-time prekeys of both kinds while there are any, as an honest server does."""
    LAST_RESORT = auto()
    NO_CURVE = auto()
    NO_KEM = auto()
    AGAIN = auto()
    """The bundle that was handed out last."""


@dataclass
class UploadedPrekeys:
    """What the server has of one device."""

    publication: Publication
    pairs: list[PrekeyBundle] = field(default_factory=list)
    last: PrekeyBundle | None = None


class PrekeyServer:
    """The uploaded prekeys of each device."""

    def __init__(self) -> None:
        self._uploads: dict[Address, UploadedPrekeys] = {}
        self.signed: set[bytes] = set()
        """Every bundle that a device has signed."""

    def upload(self, encoded: bytes) -> None:
        """Take a publication; what is left of earlier ones goes if the signed prekey is another. HAND-16"""
        publication = Publication.decode(encoded)
        verify_publication(publication)
        upload = self._uploads.get(publication.address)
        if upload is None or upload.publication.signed != publication.signed:
            upload = self._uploads[publication.address] = UploadedPrekeys(publication)
        upload.publication = publication
        self.signed.update(
            each.encode() for each in (publication.last_resort_bundle(), *publication.bundles())
        )
        upload.pairs += publication.bundles()

    def hand_out(self, address: Address, stock: Stock = Stock.WHOLE) -> PrekeyBundle:
        """Return a bundle as it arrives at whoever asked for it."""
        upload = self._uploads[address]
        if stock is not Stock.AGAIN or upload.last is None:
            upload.last = self._bundle(upload, stock)
        return PrekeyBundle.decode(upload.last.encode())

    def _bundle(self, upload: UploadedPrekeys, stock: Stock) -> PrekeyBundle:
        last = upload.publication.last_resort_bundle()
        if stock is Stock.LAST_RESORT or not upload.pairs:
            return last
        whole = upload.pairs.pop(0)
        if stock is Stock.NO_CURVE:
            return replace(whole, one_time=None)
        return replace(whole, kem=last.kem) if stock is Stock.NO_KEM else whole
