"""Linking: a device that is listed adds one that is new, and the person compares six digits on both screens.

    new device                                        old device
    CodeShown        code, over the screen      ->
                     bundle                     ->    offer_link: Offered
                     offer, sealed              <-
    OfferTaken       answer with the nonce      ->    Answered
    shows digits           the person compares        shows digits
                     package, sealed            <-    confirm
    Linked

    digits      HKDF(secret, label || SHA-256(bundle) || SHA-256(sealed offer) || nonce) mod 10^6    [USR-19]
    offer       HPKE(X-Wing key, info = label || secret || SHA-256(bundle))
    package     HPKE(X-Wing key, info = label || secret || transcript), signed                       [USR-21]

Each step returns the next state, which takes the place of the one before. So a code works once.

Not here: the encodings (_wire/linking.py); how the bytes get across; what the payload holds.
"""

import hashlib
from dataclasses import dataclass

from letterlock._primitives import hpke
from letterlock._primitives.composite import DeviceSigningKey, DeviceSigningKeyPair
from letterlock._primitives.curve25519 import IdentityKeyPair
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256
from letterlock._primitives.labels import LINKING_DIGITS, LINKING_OFFER, LINKING_PACKAGE
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock._primitives.secret import KEY_BYTES, Uncopyable
from letterlock._primitives.xeddsa import NONCE_BYTES
from letterlock._primitives.xwing import XWingKeyPair
from letterlock._wire.device_list import DeviceList, DeviceProof
from letterlock._wire.device_snapshot import Snapshot
from letterlock._wire.linking import (
    LinkingAnswer,
    LinkingBundle,
    LinkingCode,
    LinkingNonce,
    LinkingOffer,
    LinkingPackage,
    LinkingPayload,
    LinkingSecret,
)
from letterlock.limits import LINKING_LIFETIME
from letterlock.user._chain import ListChain
from letterlock.user._drafts import next_snapshot
from letterlock.user._errors import LinkingRefused
from letterlock.user._rules import check_form
from letterlock.user._signatures import listed_device, prove_possession, sign_snapshot, verify_proof

_REMEDY = "show a new code and begin again"


@dataclass(frozen=True, slots=True, repr=False)
class DeviceKeys(Uncopyable):
    """The key pairs that a new device makes before it is linked."""

    identity: IdentityKeyPair
    signing: DeviceSigningKeyPair
    receiving: XWingKeyPair

    @classmethod
    def generate(cls, entropy: Entropy) -> "DeviceKeys":
        """Return new keys. Draws 32, 64 and 32 bytes from `entropy`."""
        signing = DeviceSigningKeyPair.generate
        return cls(IdentityKeyPair.generate(entropy), signing(entropy), XWingKeyPair.generate(entropy))


# --- the new device ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class CodeShown(Uncopyable):
    """The new device shows `code`, and gives `bundle` to whoever asks."""

    keys: DeviceKeys
    nonce: LinkingNonce
    code: LinkingCode
    bundle: bytes

    @classmethod
    def begin(cls, keys: DeviceKeys, now: int, place: str, entropy: Entropy) -> "CodeShown":
        """Return the first state. The code lives ten minutes. Draws 32 bytes from `entropy` twice."""
        nonce = LinkingNonce(entropy(KEY_BYTES))
        bundle = _bundle(keys, nonce)
        secret = LinkingSecret(entropy(KEY_BYTES))
        code = LinkingCode(hashlib.sha256(bundle).digest(), secret, now + LINKING_LIFETIME, place)
        return cls(keys, nonce, code, bundle)

    @classmethod
    def restored(cls, keys: DeviceKeys, nonce: LinkingNonce, code: LinkingCode) -> "CodeShown":
        """Return the state that `begin` made from these keys, nonce and code."""
        return cls(keys, nonce, code, _bundle(keys, nonce))

    def receive(self, sealed_offer: bytes, now: int, entropy: Entropy) -> "OfferTaken":
        """Take an offer. Raises LinkingRefused, AuthenticationFailed, MalformedMessage, InvalidKey.

        Draws 64 bytes from `entropy`.
        """
        _check_time(self.code, now)
        opened = hpke.open_sealed(self.keys.receiving, _offer_info(self.code), sealed_offer)
        offer = LinkingOffer.decode(opened)
        _check_offer(offer, self.keys)
        proof = prove_possession(
            offer.snapshot, offer.device_id, self.keys.identity, self.keys.signing, entropy(NONCE_BYTES)
        )
        answer = LinkingAnswer(proof, self.nonce).encode()
        digits = linking_digits(self.code, sealed_offer, self.nonce)
        return OfferTaken(self.keys, self.code, offer, sealed_offer, answer, digits)

    def answered(self, sealed_offer: bytes, answer: bytes) -> "OfferTaken":
        """Return the state after an offer that `receive` took before, and the answer that it made then."""
        opened = hpke.open_sealed(self.keys.receiving, _offer_info(self.code), sealed_offer)
        digits = linking_digits(self.code, sealed_offer, self.nonce)
        return OfferTaken(self.keys, self.code, LinkingOffer.decode(opened), sealed_offer, answer, digits)


@dataclass(frozen=True, slots=True, repr=False)
class OfferTaken(Uncopyable):
    """The new device gives `answer` to the old one, and shows `digits`. It replaces CodeShown before that."""

    keys: DeviceKeys
    code: LinkingCode
    offer: LinkingOffer
    sealed_offer: bytes
    answer: bytes
    digits: str

    def receive(self, sealed_package: bytes) -> "Linked":
        """Take the package, once the old device confirmed.

        Raises LinkingRefused, AuthenticationFailed, MalformedMessage, InvalidDeviceList, InvalidSignature,
        InvalidKey.
        """
        transcript = _transcript(self.code, self.sealed_offer, self.answer)
        info = _package_info(self.code, transcript)
        package = LinkingPackage.decode(hpke.open_sealed(self.keys.receiving, info, sealed_package))
        chain = ListChain.verify(package.lists)
        newest = chain.newest
        # The digits that the person compared cover this snapshot, and so the user.
        if chain.version < 2 or newest.snapshot != self.offer.snapshot:
            raise LinkingRefused(f"the package is of another device list than the offer: {_REMEDY}")
        payload = package.payload.expose()
        _signer_key(chain).verify(transcript + payload, package.signature, LINKING_PACKAGE)
        return Linked(self.keys, chain, self.offer.device_id, payload)


@dataclass(frozen=True, slots=True, repr=False)
class Linked(Uncopyable):
    """The new device belongs to the user of `chain`, under `device_id`. `payload` is what it was given."""

    keys: DeviceKeys
    chain: ListChain
    device_id: int
    payload: bytes


# --- the old device ---------------------------------------------------------------------------------------


def offer_link(
    chain: ListChain, code: LinkingCode, bundle: bytes, now: int, id_and_class: tuple[int, int]
) -> "Offered":
    """Begin on the old device, with the code that its owner scanned, and the new device's id and class.

    Raises LinkingRefused for an expired code and for a bundle that is not the code's, MalformedMessage,
    InvalidKey.
    """
    _check_time(code, now)
    if hashlib.sha256(bundle).digest() != code.bundle_hash:  # USR-20
        raise LinkingRefused(f"the bundle is not the one of the code: {_REMEDY}")
    keys = LinkingBundle.decode(bundle)
    device_id, device_class = id_and_class
    device = listed_device(device_id, keys.identity, keys.signing, device_class, chain.version + 1)
    snapshot = next_snapshot(chain.newest, chain.user_id, now, add=(device,))
    offer = LinkingOffer(snapshot, device_id)
    sealed = hpke.seal(keys.receiving, _offer_info(code), offer.encode())
    return Offered(chain, code, keys, offer, sealed)


@dataclass(frozen=True, slots=True, repr=False)
class Offered(Uncopyable):
    """The old device gives `sealed` to the new one."""

    chain: ListChain
    code: LinkingCode
    bundle: LinkingBundle
    offer: LinkingOffer
    sealed: bytes

    def receive(self, answer: bytes, now: int) -> "Answered":
        """Take the answer. Raises LinkingRefused, MalformedMessage, InvalidDeviceList, InvalidSignature."""
        _check_time(self.code, now)
        return self.answered(answer)

    def answered(self, answer: bytes) -> "Answered":
        """Return the state after an answer, whenever it came. Raises as `receive` does."""
        found = LinkingAnswer.decode(answer)
        if found.nonce.commitment != self.bundle.commitment:  # USR-19
            raise LinkingRefused(f"the nonce is not the one that the bundle announced: {_REMEDY}")
        added = self.offer.snapshot.device(self.offer.device_id)
        if added is None or found.proof.device_id != added.id:
            raise LinkingRefused(f"the answer is of another device: {_REMEDY}")
        verify_proof(found.proof, added, self.offer.snapshot.encode())
        return Answered(self, found.proof, answer, linking_digits(self.code, self.sealed, found.nonce))


@dataclass(frozen=True, slots=True, repr=False)
class Answered(Uncopyable):
    """The old device shows `digits`, and asks its owner whether the new one shows the same."""

    offered: Offered
    proof: DeviceProof
    answer: bytes
    digits: str

    def confirm(
        self, signer: int, signing: DeviceSigningKeyPair, payload: bytes, now: int
    ) -> tuple[DeviceList, bytes]:
        """Return the new device list and the sealed package, once the person saw the same digits twice.

        `payload` is what the new device is given, in the application's own form. [USR-22] Raises
        LinkingRefused for a code that has expired, and UsageError if the package exceeds 16 MiB.
        """
        offered = self.offered
        _check_time(offered.code, now)
        new = sign_snapshot(offered.offer.snapshot, signer, signing, (self.proof,))
        transcript = _transcript(offered.code, offered.sealed, self.answer)
        signature = signing.sign(transcript + payload, LINKING_PACKAGE)
        lists = (*offered.chain.lists, new)
        package = LinkingPackage(lists, LinkingPayload(payload), signature).encode()
        info = _package_info(offered.code, transcript)
        return new, hpke.seal(offered.bundle.receiving, info, package)


# --- both -------------------------------------------------------------------------------------------------


def _check_time(code: LinkingCode, now: int) -> None:
    """Raise LinkingRefused for a code of more than ten minutes ago, or of a time to come. [USR-20]"""
    if not code.expires - LINKING_LIFETIME <= now < code.expires:
        raise LinkingRefused(f"the code has expired, or a clock is wrong: {_REMEDY}")


def _bundle(keys: DeviceKeys, nonce: LinkingNonce) -> bytes:
    public = (keys.identity.public, keys.signing.public, keys.receiving.public)
    return LinkingBundle(*public, nonce.commitment).encode()


def _check_offer(offer: LinkingOffer, keys: DeviceKeys) -> None:
    snapshot: Snapshot = offer.snapshot
    check_form(snapshot)
    listed = snapshot.device(offer.device_id)
    device_class = 0 if listed is None else listed.device_class
    ours = listed_device(
        offer.device_id, keys.identity.public, keys.signing.public, device_class, snapshot.version
    )
    if listed != ours:
        raise LinkingRefused(f"the offer does not add this device: {_REMEDY}")


def _signer_key(chain: ListChain) -> DeviceSigningKey:
    """Return the signing key of the device that signed the newest version, which was verified."""
    newest, before = chain.newest, chain.lists[-2]
    signer = before.snapshot.device(newest.signer)
    if signer is None:
        raise LinkingRefused(f"the signer is not listed: {_REMEDY}")
    return DeviceSigningKey(MlDsa65PublicKey(newest.ml_dsa), Ed25519PublicKey(signer.ed25519))


def _offer_info(code: LinkingCode) -> bytes:
    return LINKING_OFFER + code.secret.expose() + code.bundle_hash


def _transcript(code: LinkingCode, sealed_offer: bytes, answer: bytes) -> bytes:
    parts = (code.bundle_hash, hashlib.sha256(sealed_offer).digest(), hashlib.sha256(answer).digest())
    return hashlib.sha256(b"".join(parts)).digest()


def _package_info(code: LinkingCode, transcript: bytes) -> bytes:
    return LINKING_PACKAGE + code.secret.expose() + transcript


def linking_digits(code: LinkingCode, sealed_offer: bytes, nonce: LinkingNonce) -> str:
    """Return six digits. [USR-19]"""
    offer_hash = hashlib.sha256(sealed_offer).digest()
    info = LINKING_DIGITS + code.bundle_hash + offer_hash + nonce.expose()
    number = int.from_bytes(hkdf_sha256(bytes(32), code.secret.expose(), info, 8), "big")
    return f"{number % 1_000_000:06d}"
