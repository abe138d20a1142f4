"""The prekey server of the model: it keeps what devices upload, in memory, and hands it out as bundles.

It runs out, and then hands out last-resort bundles. It is not to be trusted: it may hand out the same
one-time prekeys twice, or one kind and not the other.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from letterlock._primitives.curve25519 import OneTimePrekey
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.prekey import PublicPrekey
from letterlock._wire.publication import Publication


class Stock(Enum):
    """What a server puts into a bundle."""

    WHOLE = auto()
    """One-time prekeys of both kinds, or what is left of them: what an honest one does."""
    LAST_RESORT = auto()
    NO_CURVE = auto()
    NO_KEM = auto()
    AGAIN = auto()
    """The bundle that was handed out last."""


@dataclass
class StoredSideData:
    """What the server has of one device."""

    publication: Publication
    one_time: list[PublicPrekey[OneTimePrekey]] = field(default_factory=list)
    kem_one_time: list[PublicPrekey[MlKem1024PublicKey]] = field(default_factory=list)
    last: PrekeyBundle | None = None


class PrekeyServer:
    """A shelf for each device."""

    def __init__(self) -> None:
        self._shelves: dict[Address, StoredSideData] = {}

    def upload(self, encoded: bytes, *, instead: bool = False) -> None:
        """Take a publication; what is left of earlier ones stays, or goes if this is `instead` of them."""
        publication = Publication.decode(encoded)
        publication.verify()
        shelf = self._shelves.get(publication.address)
        if shelf is None or instead:
            shelf = self._shelves[publication.address] = StoredSideData(publication)
        shelf.publication = publication
        shelf.one_time += publication.one_time
        shelf.kem_one_time += publication.kem_one_time

    def hand_out(self, address: Address, stock: Stock = Stock.WHOLE) -> PrekeyBundle:
        """Return a bundle as it arrives at whoever asked for it."""
        shelf = self._shelves[address]
        if stock is not Stock.AGAIN or shelf.last is None:
            shelf.last = self._bundle(shelf, stock)
        return PrekeyBundle.decode(shelf.last.encode())

    def _bundle(self, shelf: StoredSideData, stock: Stock) -> PrekeyBundle:
        last = shelf.publication.last_resort_bundle()
        one_time, kem = None, last.kem
        if stock in {Stock.WHOLE, Stock.NO_KEM} and shelf.one_time:
            one_time = shelf.one_time.pop(0)
        if stock in {Stock.WHOLE, Stock.NO_CURVE} and shelf.kem_one_time:
            kem = shelf.kem_one_time.pop(0)
        return PrekeyBundle(last.address, last.identity, last.signed, one_time, kem)
