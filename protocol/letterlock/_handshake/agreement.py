"""Both ends of a handshake, in either suite.

    initiate    a bundle: verify it, agree, encapsulate      -> header to send, SK, AD            [HAND-1]
    respond     an initial message's header: agree, decapsulate           -> SK, AD
    refuse_*, require_*   the checks that come first

The ephemeral private key, the agreements and the KEM secret live no longer than these calls.

Not here: which prekeys exist and when they are deleted (_device/); the initial message (_wire/message.py,
account.py).
"""

from collections.abc import Callable
from typing import Protocol

from letterlock._handshake import pqxdh, x3dh
from letterlock._handshake.bundle_signature import verify_bundle
from letterlock._handshake.freshness import require_fresh
from letterlock._handshake.transcript import Recipient, associated_data
from letterlock._handshake.x3dh import KeyMaterial, RecipientKeys, RecipientPublicKeys, SharedSecret
from letterlock._primitives.curve25519 import (
    EphemeralKeyPair,
    IdentityKey,
    IdentityKeyPair,
    OneTimePrekeyPair,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.mlkem import Encapsulation, MlKem1024KeyPair, MlKem1024PublicKey
from letterlock._primitives.secret import Uncopyable
from letterlock._wire.address import Address
from letterlock._wire.bundle import PrekeyBundle
from letterlock._wire.message import HandshakeHeader, KemHeader
from letterlock._wire.suite import Suite
from letterlock.errors import AddressMismatch, SuiteRefused, UnknownPrekey


class Encapsulate(Protocol):
    """A function that encapsulates to a KEM key: with fresh random bytes, or as a test vector says."""

    def __call__(self, key: MlKem1024PublicKey, /) -> Encapsulation:
        """Return a secret and its ciphertext, from which only the holder of the seed gets the secret."""
        ...


def encapsulate_afresh(key: MlKem1024PublicKey, /) -> Encapsulation:
    """Encapsulate with fresh random bytes, as every application does."""
    return key.encapsulate()


def _without_users(_identity: IdentityKey, /) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What initiating takes from outside: the time, in seconds since 1970 (UTC), and random bytes.

    `user_ids` is called with the identity key of a bundle that has passed all checks. It returns what
    `associated_data` takes, or raises if that key may have no session.                             [HAND-17]
    """

    now: int
    entropy: Entropy
    encapsulate: Encapsulate = encapsulate_afresh
    user_ids: Callable[[IdentityKey], bytes | None] = _without_users


@dataclass(frozen=True, slots=True)
class Party(Uncopyable):
    """This account: the address that the transcript binds, and the identity key pair."""

    address: Address
    identity: IdentityKeyPair


@dataclass(frozen=True, slots=True)
class Prekeys(Uncopyable):
    """Our own prekeys that an initial message names."""

    signed: SignedPrekeyPair
    one_time: OneTimePrekeyPair | None
    kem: MlKem1024KeyPair | None


@dataclass(frozen=True, slots=True)
class Agreement(Uncopyable):
    """What both ends share after the handshake: the secret SK and the 32 bytes of associated data AD."""

    secret: SharedSecret
    associated_data: bytes


@dataclass(frozen=True, slots=True)
class Initiation(Uncopyable):
    """What the initiator has: the agreement, the header to send, and the prekey that starts the ratchet."""

    agreement: Agreement
    header: HandshakeHeader
    signed_prekey: SignedPrekey


def refuse_own_address(us: Party, address: Address) -> None:
    """Raise AddressMismatch for our own address. [HAND-11]"""
    if address == us.address:
        raise AddressMismatch("this is the account's own address: name the address of the bundle's owner")


def refuse_own_identity(us: Party, identity: IdentityKey) -> None:
    """Raise AddressMismatch for our own identity key. [HAND-11]"""
    # A peer may send us our own key back; it must not become the key recorded for that peer.  SES-7
    if identity == us.identity.public:
        raise AddressMismatch("this carries the account's own identity key: ask the peer for its own")


def require_allowed(suite: Suite, suites: frozenset[Suite]) -> None:
    """Raise SuiteRefused for an initial message in a suite that is not allowed. [HAND-3]"""
    if suite not in suites:
        raise SuiteRefused(f"this account does not allow suite {suite.name}: ask the peer for another")


def initiate(
    us: Party, bundle: PrekeyBundle, recipient: Address, suite: Suite, circumstances: Circumstances
) -> Initiation:
    """Agree with the owner of a bundle (PQXDH section 3.3).

    Draws 32 bytes of entropy; the KEM draws its own. Raises AddressMismatch, InvalidSignature, StaleBundle,
    SuiteRefused, InvalidKey.
    """
    refuse_own_address(us, recipient)
    refuse_own_identity(us, bundle.identity)
    if bundle.address != recipient:
        text = "the bundle belongs to another address: ask its owner for the right one"
        raise AddressMismatch(text, recipient, bundle.address)
    verify_bundle(bundle)  # HAND-1: before any key of the bundle is used
    require_fresh(bundle, circumstances.now)
    if suite is not Suite.X3DH and bundle.kem is None:
        raise SuiteRefused("the bundle has no post-quantum prekey: ask its owner for a newer one")
    user_ids = circumstances.user_ids(bundle.identity)
    encapsulation = None
    if suite is not Suite.X3DH and bundle.kem is not None:  # HAND-3: only this suite leaves the KEM out
        encapsulation = circumstances.encapsulate(bundle.kem.key)
    ephemeral = EphemeralKeyPair.generate(circumstances.entropy)
    return initiate_with(us, bundle, ephemeral, encapsulation, user_ids)


def initiate_with(
    us: Party,
    bundle: PrekeyBundle,
    ephemeral: EphemeralKeyPair,
    encapsulation: Encapsulation | None,
    user_ids: bytes | None = None,
) -> Initiation:
    """Do as `initiate` does, without checks, with a chosen ephemeral key and encapsulation: for vectors."""
    one_time = None if bundle.one_time is None else bundle.one_time.key
    theirs = RecipientPublicKeys(bundle.identity, bundle.signed.key, one_time)
    agreements = x3dh.initiator_agreements(us.identity, ephemeral, theirs)
    kem = None
    if encapsulation is not None and bundle.kem is not None:
        kem = KemHeader(bundle.kem.id, encapsulation.ciphertext)
    header = HandshakeHeader(
        suite=Suite.X3DH if kem is None else Suite.PQXDH,
        identity=us.identity.public,
        ephemeral=ephemeral.public,
        signed_prekey_id=bundle.signed.id,
        one_time_prekey_id=None if bundle.one_time is None else bundle.one_time.id,
        kem=kem,
    )
    kem_key = None if bundle.kem is None else bundle.kem.key
    recipient = Recipient(bundle.address, bundle.identity, bundle.signed.key, one_time, kem_key)
    agreement = Agreement(
        _shared_secret(agreements, encapsulation), associated_data(header, us.address, recipient, user_ids)
    )
    return Initiation(agreement, header, bundle.signed.key)


def respond(
    us: Party, initiator: Address, header: HandshakeHeader, prekeys: Prekeys, user_ids: bytes | None = None
) -> Agreement:
    """Agree with the sender of an initial message (PQXDH section 3.4).

    `prekeys` are those that the header names, and `user_ids` is as in `associated_data`. A forged header
    gives a secret under which no message authenticates. Raises InvalidKey, MalformedMessage, UnknownPrekey.
    """
    if (header.one_time_prekey_id is None) != (prekeys.one_time is None):
        raise UnknownPrekey("the one-time prekey of this message is not ours: send the peer a new bundle")
    if (header.kem is None) != (prekeys.kem is None):
        # Without this check the handshake could go on without the KEM, which is a downgrade.
        raise UnknownPrekey("the kem prekey of this message is not ours: send the peer a new bundle")
    agreements = x3dh.recipient_agreements(
        RecipientKeys(us.identity, prekeys.signed, prekeys.one_time), header.identity, header.ephemeral
    )
    encapsulation = None
    if header.kem is not None and prekeys.kem is not None:
        ciphertext = header.kem.ciphertext
        encapsulation = Encapsulation(prekeys.kem.decapsulate(ciphertext), ciphertext)
    recipient = Recipient(
        us.address,
        us.identity.public,
        prekeys.signed.public,
        None if prekeys.one_time is None else prekeys.one_time.public,
        None if prekeys.kem is None else prekeys.kem.public,
    )
    return Agreement(
        _shared_secret(agreements, encapsulation), associated_data(header, initiator, recipient, user_ids)
    )


def _shared_secret(agreements: KeyMaterial, encapsulation: Encapsulation | None) -> SharedSecret:
    if encapsulation is None:
        return x3dh.shared_secret(agreements)
    return pqxdh.shared_secret(agreements, encapsulation.secret)
