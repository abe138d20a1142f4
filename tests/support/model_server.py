"""The prekey server of the model: it keeps in memory what devices upload, and hands it out as bundles.

When one-time prekeys run out it hands out last-resort bundles. It is not trusted: it may hand out the same
one-time prekeys twice, or one kind without the other.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from letterlock._handshake.prekey_signature import verify_publication
from letterlock._primitives.curve25519 import OneTimePrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PublicPrekey
from letterlock._wire.publication import Publication


class Stock(Enum):
    """What a server puts into a bundle."""

    WHOLE = auto()
    """One-time prekeys of both kinds, or what is left of them, as an honest server does."""
    LAST_RESORT = auto()
    NO_CURVE = auto()
    NO_KEM = auto()
    AGAIN = auto()
    """The bundle that was handed out last."""


@dataclass
class UploadedPrekeys:
    """What the server has of one device."""

    publication: Publication
    one_time: list[PublicPrekey[OneTimePrekey]] = field(default_factory=list)
    kem_one_time: list[PublicPrekey[MlKem1024PublicKey]] = field(default_factory=list)
    last: PrekeyBundle | None = None


class PrekeyServer:
    """The uploaded prekeys of each device."""

    def __init__(self) -> None:
        self._uploads: dict[Address, UploadedPrekeys] = {}

    def upload(self, encoded: bytes, *, instead: bool = False) -> None:
        """Take a publication; what is left of earlier ones stays, or goes if this is `instead` of them."""
        publication = Publication.decode(encoded)
        verify_publication(publication)
        upload = self._uploads.get(publication.address)
        if upload is None or instead:
            upload = self._uploads[publication.address] = UploadedPrekeys(publication)
        upload.publication = publication
        upload.one_time += publication.one_time
        upload.kem_one_time += publication.kem_one_time

    def hand_out(self, address: Address, stock: Stock = Stock.WHOLE) -> PrekeyBundle:
        """Return a bundle as it arrives at whoever asked for it."""
        upload = self._uploads[address]
        if stock is not Stock.AGAIN or upload.last is None:
            upload.last = self._bundle(upload, stock)
        return PrekeyBundle.decode(upload.last.encode())

    def _bundle(self, upload: UploadedPrekeys, stock: Stock) -> PrekeyBundle:
        last = upload.publication.last_resort_bundle()
        one_time, kem = None, last.kem
        if stock in {Stock.WHOLE, Stock.NO_KEM} and upload.one_time:
            one_time = upload.one_time.pop(0)
        if stock in {Stock.WHOLE, Stock.NO_CURVE} and upload.kem_one_time:
            kem = upload.kem_one_time.pop(0)
        return PrekeyBundle(last.address, last.identity, last.signed, one_time, kem)
