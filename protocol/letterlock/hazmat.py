"""The sharp door: the protocol's parts, with chosen keys, random bytes and labels.

For test vectors, other implementations and analysis. Nothing here protects you: a chosen ephemeral key or
nonce used twice gives keys away, and the functions on plain bytes check only what their names say. An
application needs `letterlock.Account` and none of this.

    agreements      x25519, xeddsa_sign, xeddsa_verify, xeddsa_verify_sign_bit_form
    handshakes      x3dh_initiator, x3dh_recipient, pqxdh_material, handshake_kdf
    ratchet         kdf_rk, kdf_ck, and the states of `letterlock._ratchet.double`
    key derivation  hkdf, hmac
    encapsulation   mlkem768_encapsulate, with a chosen m
    fingerprints    fingerprint, safety_number, encode_scan
    whole accounts  create_account, open_account, with chosen random bytes and time

All keys are plain bytes here, 32 unless said otherwise; `info` strings are the caller's.
"""

from letterlock._handshake import safety_number as _fingerprints
from letterlock._handshake import x3dh as _x3dh
from letterlock._handshake.safety_number import SCAN_VERSION, SafetyNumber, encode_scan
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
from letterlock._primitives.mlkem import MlKem768PublicKey
from letterlock._primitives.mlkem_split import EncapsulationRandomness
from letterlock._ratchet import chain as _chain
from letterlock._ratchet import root as _root
from letterlock._ratchet.chain import ChainKey
from letterlock._ratchet.root import RootKey
from letterlock._wire.address import Address
from letterlock._wire.suite import Suite
from letterlock.account import DEFAULT_SUITES, Account, Environment
from letterlock.stores._interface import Store

__all__ = [
    "create_account",
    "encode_scan",
    "fingerprint",
    "handshake_kdf",
    "hkdf",
    "hmac",
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
    """Return the X25519 public key of a private key."""
    return EphemeralKeyPair.from_private(PrivateKey(private)).public.data


def x25519(private: bytes, public: bytes) -> bytes:
    """Return the agreement of a private and a public key (RFC 7748 section 5). Raises InvalidKey."""
    return _curve.agree(PrivateKey(private), EphemeralKey(public)).expose()


def xeddsa_sign(private: bytes, message: bytes, nonce: bytes) -> bytes:
    """Return the 64-byte XEdDSA signature with a chosen 64-byte nonce Z: never use one twice."""
    return _xeddsa.sign(IdentityKeyPair.from_private(PrivateKey(private)), message, nonce)


def xeddsa_verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless the signature verifies as published (sign bit 0)."""
    _xeddsa.verify(IdentityKey(public), message, signature)


def xeddsa_verify_sign_bit_form(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless it verifies in the form whose top bit is the key's Edwards sign."""
    _xeddsa.verify_sign_bit_form(IdentityKey(public), message, signature)


def x3dh_initiator(
    identity: bytes,
    ephemeral: bytes,
    their_identity: bytes,
    their_signed: bytes,
    their_one_time: bytes | None,
) -> bytes:
    """Return DH1 || DH2 || DH3 [|| DH4] from two private and two or three public keys (X3DH section 3.3)."""
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
    """Return the same bytes from two or three private and two public keys (X3DH section 3.4)."""
    ours = _x3dh.RecipientKeys(
        IdentityKeyPair.from_private(PrivateKey(identity)),
        SignedPrekeyPair.from_private(PrivateKey(signed)),
        None if one_time is None else OneTimePrekeyPair.from_private(PrivateKey(one_time)),
    )
    return _x3dh.recipient_agreements(
        ours, IdentityKey(their_identity), EphemeralKey(their_ephemeral)
    ).expose()


def pqxdh_material(agreements: bytes, kem_secret: bytes) -> bytes:
    """Return the agreements followed by the KEM secret of 32 bytes (PQXDH section 3.3)."""
    return agreements + kem_secret


def handshake_kdf(material: bytes, info: bytes, length: int = 32) -> bytes:
    """Return KDF(KM) of X3DH and PQXDH (section 2.2): HKDF with zero salt over 32 x 0xFF and the material."""
    return _x3dh.derive(_x3dh.KeyMaterial(material), info, length)


def kdf_rk(root: bytes, agreement: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Return the next root key and a chain key (Double Ratchet section 5.2)."""
    next_root, chain = _root.kdf_rk(RootKey(root), SharedPoint(agreement), info)
    return next_root.expose(), chain.expose()


def kdf_ck(chain: bytes) -> tuple[bytes, bytes]:
    """Return the next chain key and the message key (Double Ratchet section 5.2)."""
    next_chain, message = _chain.kdf_ck(ChainKey(chain))
    return next_chain.expose(), message.expose()


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """Return 1 to 8,160 bytes of HKDF-SHA-256 (RFC 5869)."""
    return hkdf_sha256(salt, ikm, info, length)


def hmac(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104)."""
    return hmac_sha256(key, data)


def mlkem768_encapsulate(ek: bytes, m: bytes) -> tuple[bytes, bytes]:
    """Return K and the ciphertext of 1,088 bytes for a chosen m (FIPS 203 algorithm 17). Raises InvalidKey.

    Through both steps of incremental encapsulation, so that its vectors test them.
    """
    header, vector = _split.split(MlKem768PublicKey(ek))
    randomness = EncapsulationRandomness(m)
    secret, first = _split.encapsulate_header(header, randomness)
    return secret.expose(), first + _split.encapsulate_vector(header, vector, randomness)


def fingerprint(identifier: bytes, identity: bytes) -> bytes:
    """Return the 32 bytes that stand for one party in a safety number."""
    return _fingerprints.fingerprint(identifier, IdentityKey(identity))


def safety_number(
    our_identifier: bytes,
    our_identity: bytes,
    their_identifier: bytes,
    their_identity: bytes,
    scan_version: int = SCAN_VERSION,
) -> SafetyNumber:
    """Return the safety number for any identifiers; `Account.safety_number` uses the encoded addresses."""
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
    """`Account.create` with chosen random bytes. ML-KEM encapsulation still draws its own."""
    return Account.create_in(store, address, Environment(suites, clock, entropy))


def open_account(
    store: Store, entropy: Entropy, *, suites: frozenset[Suite] = DEFAULT_SUITES, clock: Clock = system_clock
) -> Account:
    """`Account.open` with chosen random bytes from here on."""
    return Account.open_in(store, Environment(suites, clock, entropy))
