"""Single steps of the protocol on plain bytes, with keys, random bytes and labels chosen by the caller.

For test vectors, other implementations and analysis. Nothing here protects you: a chosen ephemeral key or
nonce that is used twice reveals private keys, and the functions check only what their docstrings say. An
application needs `letterlock.Account` and none of this.

    agreements      x25519, xeddsa_sign, xeddsa_verify, xeddsa_verify_sign_bit_form
    signatures      composite_public_key, composite_sign, composite_verify
    handshakes      x3dh_initiator, x3dh_recipient, pqxdh_material, handshake_kdf
    ratchet         kdf_rk, kdf_ck
    key derivation  hkdf_sha256, hmac_sha256
    encapsulation   mlkem768_encapsulate, with a chosen m
    fingerprints    fingerprint, safety_number, encode_scan
    whole accounts  create_account, open_account, with chosen random bytes and time
    types           Secret and the other types that public signatures mention but applications do not need

Keys are plain bytes here: 32 bytes each unless a docstring says otherwise. A private key of another length
raises ValueError, a public key of another length raises InvalidKey.
"""

from letterlock._device.device import Device
from letterlock._device.environment import Environment
from letterlock._handshake import safety_number as _fingerprints
from letterlock._handshake import x3dh as _x3dh
from letterlock._handshake.safety_number import SCAN_VERSION, SafetyNumber, encode_scan
from letterlock._primitives import composite as _composite
from letterlock._primitives import curve25519 as _curve
from letterlock._primitives import mlkem_split as _split
from letterlock._primitives import xeddsa as _xeddsa
from letterlock._primitives.curve25519 import (
    EphemeralKey,
    EphemeralKeyPair,
    IdentityKey,
    IdentityKeyPair,
    OneTimePrekey,
    OneTimePrekeyPair,
    PrivateKey,
    SharedPoint,
    SignedPrekey,
    SignedPrekeyPair,
)
from letterlock._primitives.entropy import Clock, Entropy, system_clock
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.long_key import LongPublicKey
from letterlock._primitives.mlkem import Encapsulation, KemPublicKey, KemSecret, MlKem768PublicKey
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._primitives.secret import Immutable, Secret, Uncopyable
from letterlock._ratchet import double as _double
from letterlock._ratchet import root as _root
from letterlock._ratchet.keys import ChainKey, RootKey
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES, Account
from letterlock.stores import Store

__all__ = [
    "Encapsulation",
    "Entropy",
    "Immutable",
    "KemPublicKey",
    "KemSecret",
    "LongPublicKey",
    "Secret",
    "Uncopyable",
    "composite_public_key",
    "composite_sign",
    "composite_verify",
    "create_account",
    "encode_scan",
    "fingerprint",
    "handshake_kdf",
    "hkdf_sha256",
    "hmac_sha256",
    "kdf_ck",
    "kdf_rk",
    "mlkem768_encapsulate",
    "open_account",
    "pqxdh_material",
    "public_key",
    "safety_number",
    "x3dh_initiator",
    "x3dh_recipient",
    "x25519",
    "xeddsa_sign",
    "xeddsa_verify",
    "xeddsa_verify_sign_bit_form",
]


def public_key(private: bytes) -> bytes:
    """Return the 32-byte X25519 public key of a private key (RFC 7748 section 6.1)."""
    return EphemeralKeyPair.from_private(PrivateKey(private)).public.data


def x25519(private: bytes, public: bytes) -> bytes:
    """Return the 32-byte agreement of a private and a public key (RFC 7748 section 5).

    Raises InvalidKey for a public key that is not canonical or is of low order.
    """
    return _curve.agree(PrivateKey(private), EphemeralKey(public)).expose()


def xeddsa_sign(private: bytes, message: bytes, nonce: bytes) -> bytes:
    """Return the 64-byte XEdDSA signature of a message of at most 4,096 bytes (XEdDSA section 3.3).

    `nonce` is Z, 64 bytes. Two signatures with one nonce reveal the private key. Raises UsageError for a
    longer message.
    """
    return _xeddsa.sign(IdentityKeyPair.from_private(PrivateKey(private)), message, nonce)


def xeddsa_verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless the 64-byte signature verifies as published, with sign bit 0.

    Implements XEdDSA section 3.4. Raises InvalidKey for a bad public key.
    """
    _xeddsa.verify(IdentityKey(public), message, signature)


def xeddsa_verify_sign_bit_form(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless the signature verifies in the form that carries a sign bit.

    The top bit of the 64-byte signature is the sign of the Edwards point of `public`. Other
    implementations make signatures of this form; letterlock does not.
    """
    _xeddsa.verify_sign_bit_form(IdentityKey(public), message, signature)


def composite_public_key(seed: bytes) -> bytes:
    """Return the 1,984-byte public key of a 64-byte seed: ML-DSA-65, then Ed25519."""
    return _composite_pair(seed).public.data


def composite_sign(seed: bytes, message: bytes, context: bytes) -> bytes:
    """Return a 3,373-byte signature by id-MLDSA65-Ed25519-SHA512 (draft-ietf-lamps-pq-composite-sigs).

    `seed` is 64 bytes and `context` at most 255. ML-DSA still draws its own random bytes.
    """
    return _composite_pair(seed).sign(message, context)


def composite_verify(public: bytes, message: bytes, signature: bytes, context: bytes) -> None:
    """Raise InvalidSignature unless both halves of a composite signature verify.

    Raises InvalidKey for a bad public key, of 1,984 bytes.
    """
    _composite.DeviceSigningKey.decode(public).verify(message, signature, context)


def _composite_pair(seed: bytes) -> _composite.DeviceSigningKeyPair:
    return _composite.DeviceSigningKeyPair(_composite.CompositeSeed(seed))


def x3dh_initiator(
    identity: bytes,
    ephemeral: bytes,
    their_identity: bytes,
    their_signed: bytes,
    their_one_time: bytes | None,
) -> bytes:
    """Return DH1 || DH2 || DH3 [|| DH4], 96 or 128 bytes, as the initiator computes it (X3DH section 3.3).

    `identity` and `ephemeral` are private keys; the others are the recipient's public keys. Raises
    InvalidKey.
    """
    theirs = _x3dh.RecipientPublicKeys(
        IdentityKey(their_identity),
        SignedPrekey(their_signed),
        None if their_one_time is None else OneTimePrekey(their_one_time),
    )
    ours = IdentityKeyPair.from_private(PrivateKey(identity))
    pair = EphemeralKeyPair.from_private(PrivateKey(ephemeral))
    return _x3dh.initiator_agreements(ours, pair, theirs).expose()


def x3dh_recipient(
    identity: bytes, signed: bytes, one_time: bytes | None, their_identity: bytes, their_ephemeral: bytes
) -> bytes:
    """Return DH1 || DH2 || DH3 [|| DH4], 96 or 128 bytes, as the recipient computes it (X3DH section 3.4).

    `identity`, `signed` and `one_time` are private keys; the others are the initiator's public keys. Raises
    InvalidKey.
    """
    ours = _x3dh.RecipientKeys(
        IdentityKeyPair.from_private(PrivateKey(identity)),
        SignedPrekeyPair.from_private(PrivateKey(signed)),
        None if one_time is None else OneTimePrekeyPair.from_private(PrivateKey(one_time)),
    )
    return _x3dh.recipient_agreements(
        ours, IdentityKey(their_identity), EphemeralKey(their_ephemeral)
    ).expose()


def pqxdh_material(agreements: bytes, kem_secret: bytes) -> bytes:
    """Return the agreements (96 or 128 bytes) followed by the 32-byte KEM secret (PQXDH section 3.3)."""
    return agreements + kem_secret


def handshake_kdf(material: bytes, info: bytes, length: int = 32) -> bytes:
    """Return `length` bytes of KDF(KM), of X3DH and PQXDH alike (section 2.2 of both).

    HKDF-SHA-256 with a salt of 32 zero bytes over 32 x 0xFF || material. `length` is 1 to 8,160.
    """
    return _x3dh.derive(_x3dh.KeyMaterial(material), info, length)


def kdf_rk(root: bytes, agreement: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Return the next root key and a chain key, 32 bytes each (Double Ratchet section 5.2)."""
    next_root, chain = _root.kdf_rk(RootKey(root), SharedPoint(agreement), info)
    return next_root.expose(), chain.expose()


def kdf_ck(chain: bytes) -> tuple[bytes, bytes]:
    """Return the next chain key and the message key, 32 bytes each (Double Ratchet section 5.2)."""
    next_chain, message = _double.kdf_ck(ChainKey(chain))
    return next_chain.expose(), message.expose()


def mlkem768_encapsulate(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """Return the 32-byte secret K and the 1,088-byte ciphertext for a chosen m (FIPS 203 algorithm 17).

    `ek` is 1,184 bytes and m is 32. Raises InvalidKey for a bad `ek`. Runs both steps of incremental
    encapsulation, so that published vectors test them.
    """
    header, vector = _split.split(MlKem768PublicKey(ek))
    randomness = EncapsulationRandomness(m)
    secret, first = _split.encapsulate_header(header, randomness)
    return secret.expose(), first + _split.encapsulate_vector(header, vector, randomness)


def fingerprint(identifier: bytes, identity: bytes) -> bytes:
    """Return the 32 bytes that stand for one party in a safety number. Raises InvalidKey."""
    return _fingerprints.fingerprint(identifier, IdentityKey(identity))


def safety_number(
    our_identifier: bytes,
    our_identity: bytes,
    their_identifier: bytes,
    their_identity: bytes,
    scan_version: int = SCAN_VERSION,
) -> SafetyNumber:
    """Return the safety number of two parties with any identifiers. Raises InvalidKey.

    `Account.safety_number` uses the encoded addresses as identifiers.
    """
    return _fingerprints.safety_number(
        our_identifier, IdentityKey(our_identity), their_identifier, IdentityKey(their_identity), scan_version
    )


def create_account(
    store: Store,
    address: Address,
    entropy: Entropy,
    *,
    suites: frozenset[Suite] = DEFAULT_SUITES,
    clock: Clock = system_clock,
) -> Account:
    """Do as `Account.create` does, with random bytes from `entropy`.

    `entropy(length)` returns that many bytes. ML-KEM encapsulation still draws its own. Raises AccountExists.
    """
    return Account(Device.create(store, address, Environment(suites, clock, entropy)))


def open_account(
    store: Store, entropy: Entropy, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
) -> Account:
    """Do as `Account.open` does, with random bytes from `entropy` from here on. Raises NoAccount."""
    return Account(Device.open_existing(store, Environment(suites, clock, entropy)))
