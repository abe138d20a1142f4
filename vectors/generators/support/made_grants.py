"""Grants and notes written by hand from spec/documents.md.

    made = Making(recipient, lambda info: under(SECRET, info, KEY))
    made.grant()                    the grant as bytes
    made.grant(purpose="other")     with other terms, sealed for them and signed

Not here: signatures (document_signers.py); what an operation is told (families/grants/).
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import crypto_pwhash_alg

from generators.support import hpke
from generators.support.document_signers import ALICE, Signer, signed_leaves
from generators.support.encoding import Value, encode
from generators.support.labels import draw
from generators.support.sealed_documents import ISSUED

LABEL: Final = "letterlock-v1 terms of a grant"
NOTE_LABEL: Final = "letterlock-v1 note about grants"

Seal = Callable[[Callable[[int], bytes]], bytes]
"""Returns a sealed key from a function that gives `info` of a part."""


def leaf_of(terms: bytes, sealed: bytes) -> bytes:
    """Return the leaf of a grant."""
    digests = hashlib.sha256(terms).digest() + hashlib.sha256(sealed).digest()
    return b"letterlock-v1 leaf of a grant" + digests


def info_of(terms: bytes) -> Callable[[int], bytes]:
    """Return the function that gives `info` of each part."""
    digest = hashlib.sha256(terms).digest()
    return lambda part: b"letterlock-v1 granted key" + digest + bytes([part])


def under(secret: bytes, key: bytes) -> Seal:
    """Return how a key is sealed under a secret."""

    def seal(info: Callable[[int], bytes]) -> bytes:
        wrapping = HKDF(SHA256(), 32, b"", info(0)).derive(secret)
        nonce = draw(f"nonce of a grant {wrapping.hex()}", 12)
        return nonce + ChaCha20Poly1305(wrapping).encrypt(nonce, key, b"")

    return seal


def to_key(public: bytes, key: bytes, part: int = 0) -> Seal:
    """Return how a key is sealed for the holder of an X-Wing key."""
    return lambda info: hpke.seal(_encapsulated(public, part), info(part), key)


def in_halves(first: bytes, second: bytes, key: bytes, parts: tuple[int, int] = (1, 2)) -> Seal:
    """Return how a key is sealed for two servers."""
    half = draw("half of a key", len(key))
    other = bytes(a ^ b for a, b in zip(half, key, strict=True))
    seals = (to_key(first, half, parts[0]), to_key(second, other, parts[1]))
    return lambda info: b"".join(seal(info) for seal in seals)


@cache
def _encapsulated(public: bytes, part: int) -> hpke.Encapsulated:
    return hpke.Encapsulated.to(public, f"grant {part} {hashlib.sha256(public).hexdigest()}")


@cache
def from_password(password: bytes, salt: bytes, passes: int, memory: int) -> bytes:
    """Return what Argon2id gives for a password that is normalized."""
    return crypto_pwhash_alg(32, password, salt, passes, memory, 2)


@dataclass(frozen=True)
class Making:
    """The terms of a grant, and how its key is sealed."""

    subject: list[Value]
    recipient: list[Value]
    seal: Seal
    signer: Signer = field(default_factory=lambda: ALICE.at(1, 1))
    issued: Value = ISSUED
    purpose: Value = "treatment"
    valid_until: Value = None
    before: Value = None
    label: Value = LABEL

    def terms(self) -> bytes:
        """Return the encoded terms."""
        return encode(
            [
                self.label, self.subject, self.recipient, self.signer.fields(), self.issued, self.purpose,
                self.valid_until, self.before,
            ]
        )  # fmt: skip

    def sealed(self) -> bytes:
        """Return the sealed key."""
        return self.seal(info_of(self.terms()))

    def hash(self) -> bytes:
        """Return the hash that names the grant."""
        return hashlib.sha256(leaf_of(self.terms(), self.sealed())).digest()

    def with_(self, **changes: Any) -> "Making":
        """Return other terms, for which the key is sealed again."""
        return replace(self, **changes)

    def grant(self, *, beside: Sequence[bytes] = (), at: int = 0) -> bytes:
        """Return the grant, in a tree with other leaves in which it stands at a place."""
        return assembled(self.terms(), self.sealed(), self.signer, beside=beside, at=at)


def assembled(
    terms: bytes,
    sealed: bytes,
    signer: Signer,
    *,
    beside: Sequence[bytes] = (),
    at: int = 0,
    leaf: bytes | None = None,
) -> bytes:
    """Return the grant of terms and a sealed key. `leaf` is what is signed instead of its own."""
    own = leaf_of(terms, sealed) if leaf is None else leaf
    places, by = signed_leaves(signer, [*beside[:at], own, *beside[at:]])
    return encode([1, 16, terms, sealed, places[at], by])


@dataclass(frozen=True)
class Note:
    """The terms of a note."""

    action: Value
    subject_id: Value
    hashes: list[Value]
    subject_kind: Value = 1
    count: Value = 0
    signer: Signer = field(default_factory=lambda: ALICE.at(1, 1))
    issued: Value = ISSUED + 10
    reason: Value = ""
    label: Value = NOTE_LABEL

    def terms(self) -> bytes:
        """Return the encoded terms."""
        return encode(
            [
                self.label, self.action, self.subject_kind, self.subject_id, self.hashes, self.count,
                self.signer.fields(), self.issued, self.reason,
            ]
        )  # fmt: skip

    def leaf(self) -> bytes:
        """Return what is signed."""
        return b"letterlock-v1 leaf of a note" + hashlib.sha256(self.terms()).digest()

    def with_(self, **changes: Any) -> "Note":
        """Return other terms."""
        return replace(self, **changes)

    def encode(self, *, leaf: bytes | None = None, signer: Signer | None = None) -> bytes:
        """Return the note. `leaf` is signed instead of its own, and `signer` signs."""
        places, by = signed_leaves(signer or self.signer, [self.leaf() if leaf is None else leaf])
        return encode([1, 17, self.terms(), places[0], by])


def mac(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA-256."""
    return hmac.digest(key, data, "sha256")


def session_commitment(key: bytes, id_: bytes) -> bytes:
    """Return what commits to a session key."""
    return mac(key, b"letterlock-v1 session key commitment" + id_)


def epoch_commitment(key: bytes, epoch: int) -> bytes:
    """Return what commits to an epoch key."""
    return mac(key, b"letterlock-v1 epoch key commitment" + epoch.to_bytes(4, "big"))


def link_id(secret: bytes) -> bytes:
    """Return the id of a link."""
    return mac(secret, b"letterlock-v1 id of a link")[:16]


def fragment(secret: bytes) -> str:
    """Return the secret of a link as its fragment: base64url without padding."""
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def recipient(kind: int, *data: Value) -> list[Value]:
    """Return a recipient."""
    return [kind, encode(list(data))]
