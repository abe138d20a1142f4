"""One linking, for vectors: both devices, and everything that they send each other, with bytes from labels.

    scene = Scene("a label")                    alice's device 1 adds device 2
    scene.offer()                               the offer before it is sealed
    scene.sealed_offer(offer)
    scene.answer()                              the new device's answer
    scene.sealed_package(scene.package())

Each method takes what a test changes, and makes the rest as spec/user.md says.

Not here: the families (families/linking/).
"""

import hashlib
import hmac
from dataclasses import replace
from functools import cache
from typing import Final

from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.hpke import seal_to
from generators.support.labels import draw
from generators.support.owner import FULL, NOW, Owner, keys
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import Snapshot

OFFER: Final = b"letterlock-v1 linking offer"
PACKAGE: Final = b"letterlock-v1 linking package"
DIGITS: Final = b"letterlock-v1 linking digits"
LIFETIME: Final = 600
NEW: Final = 2
"""The id of the new device."""


def sha256(*parts: bytes) -> bytes:
    """Return the SHA-256 of bytes that are joined."""
    return hashlib.sha256(b"".join(parts)).digest()


@cache
def _owner() -> Owner:
    """Return the user of every linking: signatures take most of the time of a generator."""
    return Owner("alice of linking")


class Scene:
    """A linking between device 1 of a user and a device that becomes device 2."""

    def __init__(self, label: str, device_class: int = FULL) -> None:
        self.label = label
        self.owner = _owner()
        self.device_class = device_class
        self.new = self.owner.keys(NEW)
        self.receiving = draw(f"{label} receiving", 32)
        self.receiving_public = XWingKeyPair(XWingSeed(self.receiving)).public.data
        self.nonce, self.secret = draw(f"{label} nonce", 32), draw(f"{label} secret", 32)
        self.bundle = encode(self.bundle_fields())
        self.code = encode([1, 11, sha256(self.bundle), self.secret, NOW + LIFETIME, ""])
        self.snapshot = self.owner.draft(add=[(NEW, device_class)])

    def bundle_fields(self) -> list[Value]:
        """Return the elements of the bundle."""
        signing = self.new.signing.public
        public = [self.new.identity.public.data, signing.ed25519.data, signing.ml_dsa.data]
        return [1, 10, *public, self.receiving_public, sha256(self.nonce)]

    def device(self) -> Json:
        """Return the private keys and the nonce of the new device, as operations have them."""
        return {
            "identity": self.new.identity.private.expose().hex(),
            "signing": draw(f"{self.new.label} signing", 64).hex(),
            "receiving": self.receiving.hex(),
            "nonce": self.nonce.hex(),
        }

    # --- the offer ------------------------------------------------------------------------------

    def offer(self, snapshot: Snapshot | None = None, device_id: int = NEW) -> bytes:
        """Return an offer."""
        return encode([1, 12, (snapshot or self.snapshot).encode(), device_id])

    def with_device(self, **changes: object) -> Snapshot:
        """Return the snapshot with other fields of the new device."""
        devices = self.snapshot.devices
        changed = tuple(replace(each, **changes) if each.id == NEW else each for each in devices)  # type: ignore[arg-type]
        return replace(self.snapshot, devices=changed)

    def offer_info(self) -> bytes:
        """Return what an offer is bound to."""
        return OFFER + self.secret + sha256(self.bundle)

    def sealed_offer(self, offer: bytes | None = None, info: bytes | None = None) -> bytes:
        """Return a sealed offer."""
        text = self.offer() if offer is None else offer
        return seal_to(
            self.receiving_public, f"{self.label} offer", self.offer_info() if info is None else info, text
        )

    def digits(self, sealed_offer: bytes) -> str:
        """Return the six digits."""
        key = hmac.digest(bytes(32), self.secret, "sha256")
        info = DIGITS + sha256(self.bundle) + sha256(sealed_offer) + self.nonce
        number = int.from_bytes(hmac.digest(key, info + b"\1", "sha256")[:8], "big")
        return f"{number % 1_000_000:06d}"

    # --- the answer -----------------------------------------------------------------------------

    def proof(self, snapshot: Snapshot | None = None) -> DeviceProof:
        """Return the new device's proof."""
        return self.new.prove(snapshot or self.snapshot, NEW)

    def answer_fields(self, proof: DeviceProof | None = None) -> list[Value]:
        """Return the elements of the answer."""
        shown = proof or self.proof()
        signatures: list[Value] = [shown.ml_dsa, shown.identity_signature, shown.signature]
        return [1, 13, shown.device_id, *signatures, self.nonce]

    def answer(self, proof: DeviceProof | None = None) -> bytes:
        """Return the answer."""
        return encode(self.answer_fields(proof))

    # --- the package ----------------------------------------------------------------------------

    def list_with_new(self, signer: int = 1) -> DeviceList:
        """Return the device list that adds the new device."""
        return self.owner.sign(self.snapshot, signer)

    def transcript(self) -> bytes:
        """Return the hash of what both have sent."""
        return sha256(sha256(self.bundle), sha256(self.sealed_offer()), sha256(self.answer()))

    def sign(self, covered: bytes, context: bytes = PACKAGE, device: int = 1) -> bytes:
        """Return a package's signature."""
        return self.owner.keys(device).signing.sign(covered, context)

    def package_fields(self, payload: bytes, signature: bytes | None = None) -> list[Value]:
        """Return the elements of a package."""
        lists: list[Value] = [each.encode() for each in (*self.owner.lists, self.list_with_new())]
        return [1, 14, lists, payload, signature or self.sign(self.transcript() + payload)]

    def package_info(self) -> bytes:
        """Return what a package is bound to."""
        return PACKAGE + self.secret + self.transcript()

    def sealed_package(self, package: bytes, info: bytes | None = None, public: bytes | None = None) -> bytes:
        """Return a sealed package."""
        bound = self.package_info() if info is None else info
        return seal_to(public or self.receiving_public, f"{self.label} package", bound, package)


def stranger_key(label: str) -> bytes:
    """Return a receiving key of a device that has no part in the linking."""
    return XWingKeyPair(XWingSeed(draw(f"{label} receiving", 32))).public.data


__all__ = ["NEW", "NOW", "OFFER", "PACKAGE", "Scene", "keys", "sha256", "stranger_key"]
