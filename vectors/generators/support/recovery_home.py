"""A user with a phone and a recovery device, from labels: unsigned lists, changes, cards and boxes.

    lists = HOME.lists()                version 1: device 1 is a phone, 9 the recovery device, 4 a kiosk
    HOME.change(33, ...)                a call that the recovery device signs
    HOME.box(lists)                     what the phone seals to the recovery device

Not here: locks (recovery_scene.py).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from generators.support.encoding import Value, encode
from generators.support.hpke import seal_to
from generators.support.kdf import hkdf
from generators.support.labels import draw
from generators.support.owner import FULL, LIMITED, NOW, RECOVERY, DeviceKeys, SigningPair, document_key, keys
from generators.support.recovery_scene import sha256
from letterlock._primitives.curve25519 import IdentityKeyPair, PrivateKey
from letterlock._primitives.xwing import XWingKeyPair, XWingSeed
from letterlock._wire.device_list import DeviceList
from letterlock._wire.device_snapshot import Snapshot
from letterlock.user._drafts import first_snapshot, next_snapshot

CHANGE: Final = b"letterlock-v1 change of a lock"
CARD: Final = b"letterlock-v1 recovery card"
BOX: Final = b"letterlock-v1 recovery box"
SEALED_SEED: Final = b"letterlock-v1 document seed"
PHONE, TABLET, KIOSK, DEVICE = 1, 3, 4, 9
IDENTITY, ML_DSA, ED25519 = range(3)
HALF = 8
"""Never listed: it has the Ed25519 key of the recovery device, and an ML-DSA key of its own."""


class RecoveryDevice(DeviceKeys):
    """The keys that a recovery key gives. `changed` is one of the four, for which there is another one."""

    def __init__(self, key: bytes, changed: int | None = None) -> None:
        self.label = f"recovery device {key.hex()}"
        whole = hkdf(b"", key, b"letterlock-v1 recovery device", 128)
        keys_ = [whole[at : at + 32] for at in range(0, 128, 32)]
        if changed is not None:
            keys_[changed] = draw(f"another key {changed} than that of a recovery device", 32)
        identity, ml_dsa, ed25519, receiving = keys_
        self.identity = IdentityKeyPair.from_private(PrivateKey(identity))
        self.signing = SigningPair(ml_dsa + ed25519)
        self.receiving = XWingKeyPair(XWingSeed(receiving)).public.data


@dataclass(frozen=True)
class Home:
    """A user, by name."""

    name: str

    @property
    def key(self) -> bytes:
        """The recovery key."""
        return draw(f"recovery key of {self.name}", 32)

    @cached_property
    def recovery(self) -> RecoveryDevice:
        """The keys of the recovery device."""
        return RecoveryDevice(self.key)

    def device(self, number: int) -> DeviceKeys:
        """Return the keys of a device."""
        if number == HALF:
            return RecoveryDevice(self.key, ML_DSA)
        return self.recovery if number == DEVICE else keys(f"{self.name} {number}")

    def lists(
        self, revoke: tuple[int, ...] = (), generations: int = 2, changed: int | None = None
    ) -> list[Snapshot]:
        """Return all versions: the first one, one for each later document key, and perhaps a revocation.

        `changed` is a key of the recovery device that is another one.
        """
        classes = ((PHONE, FULL), (KIOSK, LIMITED), (DEVICE, RECOVERY))
        recovery = RecoveryDevice(self.key, changed)
        devices = tuple(
            (recovery if number == DEVICE else self.device(number)).listed(number, class_)
            for number, class_ in classes
        )
        made = [first_snapshot(devices, document_key(f"{self.name} 1"), NOW)]
        for generation in range(2, generations + 1):
            made.append(self._after(made, generation))
        return [*made, self._after(made, generations + 1, revoke)] if revoke else made

    def lists_with_tablet(self) -> list[Snapshot]:
        """Return the same, and a version that adds device 3."""
        made = self.lists()
        newest = DeviceList(made[-1], (), 1, b"", b"")
        tablet = self.device(TABLET).listed(TABLET, FULL, len(made) + 1)
        return [*made, next_snapshot(newest, self.user_id, NOW, add=(tablet,))]

    def _after(self, made: list[Snapshot], generation: int, revoke: tuple[int, ...] = ()) -> Snapshot:
        newest = DeviceList(made[-1], (), 1, b"", b"")
        new_key = document_key(f"{self.name} {generation}")
        return next_snapshot(newest, self.user_id_of(made), NOW, revoke=revoke, document_key=new_key)

    @staticmethod
    def user_id_of(lists: list[Snapshot]) -> bytes:
        """Return the id of the user of some lists."""
        return sha256(lists[0].encode())

    @cached_property
    def user_id(self) -> bytes:
        """The id of the user."""
        return self.user_id_of(self.lists())

    # --- what devices sign ----------------------------------------------------------------------

    def signature(self, message: bytes, context: bytes, device: int = DEVICE) -> list[Value]:
        """Return the ML-DSA key of a device, and its signature."""
        signing = self.device(device).signing
        return [signing.public.ml_dsa.data, signing.sign(message, context)]

    def change(
        self, call: int, fields: list[Value], *, server: int = 1, device: int = DEVICE,
        context: bytes = CHANGE, signed: list[Value] | None = None,
    ) -> bytes:  # fmt: skip
        """Return a change. `signed` is signed in the place of server, call and fields."""
        covered = encode([server, call, *fields] if signed is None else signed)
        return encode([1, call, *fields, *self.signature(covered, context, device)])

    def card(
        self, *, receiving: bytes | None = None, signed: bytes | None = None, device: int = DEVICE,
        context: bytes = CARD, user_id: bytes | None = None,
    ) -> bytes:  # fmt: skip
        """Return the card. `signed` is signed in the place of what it shows."""
        shown: list[Value] = [user_id or self.user_id, receiving or self.recovery.receiving]
        covered = encode(shown) if signed is None else signed
        return encode([1, *shown, *self.signature(covered, context, device)])

    # --- the box --------------------------------------------------------------------------------

    def seed(self, generation: int) -> bytes:
        """Return the seed of a document key."""
        return draw(f"document key {self.name} {generation}", 32)

    def sealed_seed(self, generation: int) -> bytes:
        """Return the seed of a generation, sealed under the one after it."""
        bound = self.user_id + generation.to_bytes(4, "big")
        key = hkdf(b"", self.seed(generation + 1), SEALED_SEED + bound, 32)
        associated = bound + sha256(document_key(f"{self.name} {generation}"))
        return ChaCha20Poly1305(key).encrypt(bytes(12), self.seed(generation), associated)

    def payload(self, generations: int = 2, pins: list[Value] | None = None) -> bytes:
        """Return what a linking package would hold."""
        sealed: list[Value] = [self.sealed_seed(each) for each in reversed(range(1, generations))]
        return encode([1, self.name, self.seed(generations), sealed, pins or []])

    def contents(
        self, payload: bytes, *, device: int = PHONE, named: int | None = None, signed: bytes | None = None,
        context: bytes = BOX,
    ) -> bytes:  # fmt: skip
        """Return the contents of a box. `named` is another device id than that of the signer."""
        covered = self.user_id + payload if signed is None else signed
        ml_dsa, signature = self.signature(covered, context, device)
        return encode([1, named or device, ml_dsa, signature, payload])

    def box(self, contents: bytes, *, info: bytes | None = None, receiving: bytes | None = None) -> bytes:
        """Return a box."""
        bound = BOX + self.user_id if info is None else info
        return seal_to(receiving or self.recovery.receiving, f"box of {self.name}", bound, contents)


HOME: Final = Home("alice of recovery")
STRANGER: Final = Home("mallory of recovery")
