"""The people in the vectors, with identities, prekeys and bundles that come from labels alone.

    Person("bob")       address, identity, prekeys by label; bundles of them
    LOW_ORDER, ...      invalid keys

The library makes everything. Only the random bytes are chosen here.
"""

from dataclasses import dataclass
from typing import Any, Final

from generators.support.labels import draw
from letterlock._handshake.agreement import Party
from letterlock._handshake.bundle_signature import BundleSigner
from letterlock._primitives.curve25519 import (
    LOW_ORDER,
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    P,
    PrivateKey,
    RatchetKeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.mlkem import KemSeed, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.xeddsa import SigningKey
from letterlock._wire.address import Address
from letterlock._wire.bundle import BundleHead, PrekeyBundle
from letterlock._wire.prekey import PrekeyKind, PublicPrekey
from letterlock._wire.publication import PrekeyPair, Publication

_SMALL: Final = {0: "0", 1: "1", P - 1: "p - 1"}

BAD_KEYS: Final = {
    **{f"the key {name}, of low order": u.to_bytes(32, "little") for u, name in _SMALL.items()},
    **{
        f"the key {each.hex()[:8]}..., of order 8": each
        for each in sorted(LOW_ORDER)
        if int.from_bytes(each, "little") not in _SMALL
    },
    "the key p, another encoding of 0": P.to_bytes(32, "little"),
    "the key p + 9, another encoding of 9": (P + 9).to_bytes(32, "little"),
    "the key 9 with bit 255 set": (9 + 2**255).to_bytes(32, "little"),
}
"""Invalid public keys, by the reason."""

FEW_BAD_KEYS: Final = {
    name: key
    for name, key in BAD_KEYS.items()
    if name.startswith(("the key 0,", "the key p + 9", "the key 9 "))
}


MADE_ON: Final = 19_675
"""The day of every signed prekey, unless a vector says otherwise: 2023-11-14, the day of NOW in plays."""


def private(label: str) -> PrivateKey:
    """Return a private key."""
    return PrivateKey(draw(label, 32))


def ratchet_pair(label: str) -> RatchetKeyPair:
    """Return a ratchet key pair."""
    return RatchetKeyPair.from_private(private(label))


def ratchet_public(label: str) -> bytes:
    """Return a ratchet key."""
    return ratchet_pair(label).public.data


def kem_pair(label: str) -> MlKem1024KeyPair:
    """Return a KEM key pair."""
    return MlKem1024KeyPair(KemSeed(draw(label, 64)))


@dataclass(frozen=True)
class Person:
    """A person whose identity comes from the name, with as many prekeys as needed.

    Ids: signed prekey 100, one-time 200 and up, KEM one-time 300 and up, last resort 400.
    """

    name: str
    device_id: int = 1
    keys: str = ""

    @property
    def label(self) -> str:
        """Return the label of the keys: the name, or another one."""
        return self.keys or self.name

    @property
    def address(self) -> Address:
        """Return the address."""
        return Address(self.name, self.device_id)

    @property
    def json(self) -> list[Any]:
        """Return the address as vectors have it."""
        return [self.name, self.device_id]

    @property
    def identity(self) -> IdentityKeyPair:
        """Return the identity key pair."""
        return IdentityKeyPair.from_private(private(f"{self.label} identity"))

    @property
    def party(self) -> Party:
        """Return address and identity as a handshake needs them."""
        return Party(self.address, self.identity)

    def secret(self, kind: PrekeyKind, id_: int) -> bytes:
        """Return the private half of a prekey: 32 bytes, or a seed of 64."""
        label = f"{self.label} prekey {int(kind)} {id_}"
        return draw(label, 64 if kind >= PrekeyKind.KEM_ONE_TIME else 32)

    def nonce(self, *ids: int | None, made_on: int) -> bytes:
        """Return Z of the signature of a bundle of prekeys with these ids."""
        return draw(f"{self.label} signature {ids} {made_on}", 64)

    def signed_pair(self, id_: int = 100) -> SignedPrekeyPair:
        """Return the key pair of a signed prekey."""
        return SignedPrekeyPair.from_private(PrivateKey(self.secret(PrekeyKind.SIGNED, id_)))

    def signed(self, id_: int = 100) -> PublicPrekey[SignedPrekey]:
        """Return a signed prekey."""
        return PublicPrekey(PrekeyKind.SIGNED, id_, self.signed_pair(id_).public)

    def one_time(self, id_: int = 200) -> PublicPrekey[OneTimePrekey]:
        """Return a one-time prekey."""
        kind = PrekeyKind.ONE_TIME
        return PublicPrekey(
            kind, id_, OneTimePrekeyPair.from_private(PrivateKey(self.secret(kind, id_))).public
        )

    def kem(self, id_: int = 300) -> PublicPrekey[MlKem1024PublicKey]:
        """Return a KEM prekey: the last resort from id 400 on, one-time below."""
        kind = PrekeyKind.KEM_LAST_RESORT if id_ >= 400 else PrekeyKind.KEM_ONE_TIME
        return PublicPrekey(kind, id_, MlKem1024KeyPair(KemSeed(self.secret(kind, id_))).public)

    def bundle(
        self,
        *,
        signed: int = 100,
        one_time: int | None = 200,
        kem: int | None = None,
        made_on: int = MADE_ON,
    ) -> PrekeyBundle:
        """Return a bundle of the prekeys with these ids, with one signature."""
        head = BundleHead(self.address, self.identity.public, made_on, self.signed(signed))
        nonce = self.nonce(signed, one_time, kem, made_on=made_on)
        signer = BundleSigner(head, SigningKey.of(self.identity), lambda _: nonce)
        return signer.bundle(
            None if one_time is None else self.one_time(one_time), None if kem is None else self.kem(kem)
        )

    def publication(self, pairs: int) -> Publication:
        """Return a publication with so many pairs of one-time prekeys."""
        last = self.bundle(one_time=None, kem=400)
        bundles = [self.bundle(one_time=200 + each, kem=300 + each) for each in range(pairs)]
        common = last.address, last.identity, last.made_on, last.signed
        made = [
            PrekeyPair(each.one_time, each.kem, each.signature)
            for each in bundles
            if each.one_time and each.kem
        ]
        return Publication(*common, self.kem(400), last.signature, tuple(made))


ALICE: Final = Person("alice")
NEW_ALICE: Final = Person("alice", keys="alice, with new keys")
BOB: Final = Person("bob")
CAROL: Final = Person("carol", 3)
MALLORY: Final = Person("mallory")
