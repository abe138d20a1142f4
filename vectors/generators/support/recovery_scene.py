"""One user's locks, recovery device, card and box, written by hand from spec/recovery.md.

    made = Made("alice")            a lock with its seeds, outputs and recovery key, all from labels
    made.lock()                     its bytes
    ALICE.card()                    what her recovery device signs
    ALICE.box()                     what her phone seals to it

The function of two parties is the package `voprf`'s, without blinding.

Not here: which of it is refused (families/recovery/).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from voprf import ristretto

from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.kdf import hkdf
from generators.support.labels import draw

SERVERS: Final = (1, 2)
PASSES: Final = 3
MEMORY: Final = 2**26


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).digest()


def evaluator(seed: bytes) -> ristretto.Evaluator:
    """Return the server with this seed."""
    return ristretto.Evaluator.from_seed(seed, b"letterlock-v1 server key of a recovery")


def public_of(seed: bytes) -> bytes:
    """Return the public key of a server's seed."""
    return evaluator(seed).public_key.serialize()


def ed25519(seed: bytes) -> bytes:
    """Return the Ed25519 public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    """Return the Ed25519 signature of a message."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


@dataclass(frozen=True)
class Made:
    """A lock. Everything of it follows from its label; `user` is the label of its user."""

    label: str
    user: str = "alice"

    @property
    def user_id(self) -> bytes:
        """The id of its user."""
        return draw(f"user of recovery {self.user}", 32)

    @property
    def lock_id(self) -> bytes:
        """Its id."""
        return draw(f"lock id {self.label}", 16)

    @property
    def stretched(self) -> bytes:
        """What Argon2id gives for the password."""
        return draw(f"stretched password {self.label}", 32)

    @property
    def key(self) -> bytes:
        """The recovery key."""
        return draw(f"recovery key {self.label}", 32)

    def seed(self, server: int) -> bytes:
        """Return a server's seed for this lock."""
        return draw(f"seed {server} of {self.label}", 32)

    @cached_property
    def public(self) -> list[bytes]:
        """The public keys of both servers."""
        return [public_of(self.seed(each)) for each in SERVERS]

    def input(self, server: int) -> bytes:
        """Return what a server's function is computed of."""
        bound = bytes([server]) + self.user_id + self.lock_id
        return b"letterlock-v1 input of a recovery" + bound + self.stretched

    @cached_property
    def outputs(self) -> list[bytes]:
        """What both functions give."""
        return [evaluator(self.seed(each)).evaluate_known_input(self.input(each)) for each in SERVERS]

    def fields(self, **changes: Value) -> list[Value]:
        """Return the elements of the lock before `sealed`, with others in their places."""
        found: dict[str, Value] = {
            "version": 1, "user_id": self.user_id, "lock_id": self.lock_id, "passes": PASSES,
            "memory": MEMORY, "public_1": self.public[0], "public_2": self.public[1],
        } | changes  # fmt: skip
        return list(found.values())

    def header(self, **changes: Value) -> bytes:
        """Return what is authenticated with the sealed key."""
        before = b"\x88" + b"".join(encode(each) for each in self.fields(**changes))
        return b"letterlock-v1 header of a lock" + before

    def keys(self, header: bytes | None = None, outputs: list[bytes] | None = None) -> list[bytes]:
        """Return both login seeds, K and the commitment."""
        bound = sha256(self.header() if header is None else header)
        whole = hkdf(bound, b"".join(outputs or self.outputs), b"letterlock-v1 keys of a lock", 128)
        return [whole[at : at + 32] for at in range(0, 128, 32)]

    def sealed(self, text: bytes | None = None, **changes: Value) -> bytes:
        """Return the sealed recovery key."""
        header = self.header(**changes)
        *_, key, commitment = self.keys(header)
        return commitment + ChaCha20Poly1305(key).encrypt(bytes(12), text or self.key, header)

    def lock(self, sealed: bytes | None = None, **changes: Value) -> bytes:
        """Return the lock. Changes are made after it was sealed, if `sealed` is not given."""
        return encode([*self.fields(**changes), self.sealed() if sealed is None else sealed])

    def logins(self) -> list[bytes]:
        """Return the public login keys."""
        return [ed25519(seed) for seed in self.keys()[:2]]

    def name(self) -> Json:
        """Return user id and lock id as an operation takes them."""
        return {"user_id": self.user_id.hex(), "lock_id": self.lock_id.hex()}


def shown(*locks: bytes, standing: list[Value] | None = None) -> str:
    """Return an answer with locks."""
    return encode([1, list(locks), standing or [10, 0, 0]]).hex()


def server(seed: bytes, /, **changes: Any) -> Json:
    """Return a server as voprf.run takes it."""
    return {"seed": seed.hex(), "proof_seed": None, "other": None, "change": None} | changes
