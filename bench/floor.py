"""The floor: the primitive calls that the protocol requires for each case, straight from Python.

Everything is prepared that can be: keys are bytes or objects, whichever the library wants; numbers are bytes;
the headers exist. There are no types, no checks and no state. Where a call can be made in two ways the faster
one is used, for example HMAC from copied hash states.

    message    chain step, AEAD with a new key object, 8 random bytes, one pass of CBOR over the message
    triple     a message, with a sparse step and the hybrid KDF
    ping-pong  sending: key pair, agreement, root step; receiving: agreement, root step
    handshake  signatures, agreements, KEM, the KDFs, the transcript; then a message
    codewords  none: while a text is sent for the first time, its codewords are slices of it

A floor is not a protocol: it authenticates only what these calls authenticate.

Not here: what a case is (case.py), and the store's share (bench_account.py, bench_sqlite.py).
"""

import hashlib
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey, MLKEM1024PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl import bindings

from letterlock.limits import MAX_LOG_PAGES

_ZEROS: Final = bytes(32)
_INNER: Final = bytes(i ^ 0x36 for i in range(256))
_OUTER: Final = bytes(i ^ 0x5C for i in range(256))
_PREFIX: Final = bytes(4)
_sha256: Final = hashlib.sha256
_SHA256: Final = SHA256()

ROOT_INFO: Final = b"letterlock-v1 root step"
SHORT_INFO: Final = b"letterlock-v1 pq hybrid"


def hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 under a key of 32 bytes."""
    block = key + _ZEROS
    return _sha256(block.translate(_OUTER) + _sha256(block.translate(_INNER) + data).digest()).digest()


def step(key: bytes, one: bytes = b"\1", two: bytes = b"\2") -> tuple[bytes, bytes]:
    """Two HMACs under one key: a chain step."""
    block = key + _ZEROS
    inner, outer = _sha256(block.translate(_INNER)), _sha256(block.translate(_OUTER))
    inner2, outer2 = inner.copy(), outer.copy()
    inner.update(one)
    outer.update(inner.digest())
    inner2.update(two)
    outer2.update(inner2.digest())
    return outer2.digest(), outer.digest()


def hkdf32(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 32 bytes."""
    return hmac(hmac(salt, ikm), info + b"\1")


def hkdf64(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 64 bytes."""
    key = hmac(salt, ikm) + _ZEROS
    inner, outer = _sha256(key.translate(_INNER)), _sha256(key.translate(_OUTER))
    inner2, outer2 = inner.copy(), outer.copy()
    inner.update(info + b"\1")
    outer.update(inner.digest())
    first = outer.digest()
    inner2.update(first + info + b"\2")
    outer2.update(inner2.digest())
    return first + outer2.digest()


def hkdf96(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 96 bytes; OpenSSL is faster for three blocks."""
    return HKDF(algorithm=_SHA256, length=96, salt=salt, info=info).derive(ikm)


def walk(key: bytes, steps: int) -> list[bytes]:
    """Chain steps: the message keys of all."""
    keys = []
    for _ in range(steps):
        key, message_key = step(key)
        keys.append(message_key)
    return keys


def sparse_walk(key: bytes, steps: int) -> list[bytes]:
    """Steps of a sparse chain, which are numbered: the message keys of all."""
    keys = []
    for number in range(1, steps + 1):
        at = number.to_bytes(4, "big")
        key, message_key = step(key, at + b"\1", at + b"\2")
        keys.append(message_key)
    return keys


# --- signatures --------------------------------------------------------------------------------------


def sign(scalar: bytes, public: bytes, message: bytes, nonce: bytes) -> bytes:
    """XEdDSA with a prepared scalar and Edwards point."""
    reduce = bindings.crypto_core_ed25519_scalar_reduce
    r = reduce(hashlib.sha512(scalar + message + nonce).digest())
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(r)
    h = reduce(hashlib.sha512(point + public + message).digest())
    product = bindings.crypto_core_ed25519_scalar_mul(h, scalar)
    return point + bindings.crypto_core_ed25519_scalar_add(r, product)


def verify(public: bytes, signed: bytes) -> None:
    """Verify an Ed25519 signature, followed by its message, under a prepared Edwards point."""
    bindings.crypto_sign_open(signed, public)


# --- messages ----------------------------------------------------------------------------------------


def seal(key: bytes, padded: bytes, associated: bytes, elements: Sequence[Any]) -> bytes:
    """AEAD and encoding of one message."""
    nonce = os.urandom(8)
    sealed = ChaCha20Poly1305(key).encrypt(_PREFIX + nonce, padded, associated)
    return cbor2.dumps([*elements, nonce + sealed])


def open_(key: bytes, wire: bytes, associated: bytes) -> bytes:
    """Decoding and AEAD of one message."""
    sealed = cbor2.loads(wire)[-1]
    return ChaCha20Poly1305(key).decrypt(_PREFIX + sealed[:8], sealed[8:], associated)


class Message:
    """One message of a suite: the calls that seal it, and those that open it.

    A triple message has a post-quantum header with a codeword of 32 bytes. Its size and keys are those of a
    real message; its contents are random.
    """

    def __init__(self, size: int, *, triple: bool) -> None:
        self.triple = triple
        self.key, self.sparse = os.urandom(32), os.urandom(32)
        self.kept = step(self.key)[1], step(self.sparse, b"\0\0\0\5\1", b"\0\0\0\5\2")[1]
        self.padded = os.urandom(size)
        self.elements: list[Any] = [1, 5 if triple else 2, os.urandom(32), 3, 7]
        if triple:
            self.elements += [1, 4, 2, 2, 3, os.urandom(32)]
        head = cbor2.dumps([*self.elements, b""])[:-1]
        self.associated = os.urandom(32) + head
        self.wire = seal(self.message_key(), self.padded, self.associated, self.elements)

    def message_key(self) -> bytes:
        """One step in each chain, and the hybrid KDF."""
        _, key = step(self.key)
        if not self.triple:
            return key
        _, sparse = step(self.sparse, b"\0\0\0\5\1", b"\0\0\0\5\2")
        return hkdf32(sparse, key, SHORT_INFO)

    def encrypt(self) -> bytes:
        """A message in an existing chain."""
        return seal(self.message_key(), self.padded, self.associated, self.elements)

    def decrypt(self) -> bytes:
        """The next message of a chain."""
        return open_(self.message_key(), self.wire, self.associated)

    def decrypt_late(self) -> bytes:
        """A message whose key was kept; in the triple ratchet two keys were kept, and are joined."""
        key, sparse = self.kept
        return open_(hkdf32(sparse, key, SHORT_INFO) if self.triple else key, self.wire, self.associated)

    def decrypt_after(self, skipped: int) -> bytes:
        """A message that arrives before others: derive their keys, then its own."""
        walk(self.key, skipped)
        if self.triple:
            sparse_walk(self.sparse, skipped)
        return self.decrypt()

    def ping_pong(self) -> None:
        """One message with a DH ratchet step, sent and received."""
        private = os.urandom(32)
        public = bindings.crypto_scalarmult_base(private)
        for _ in range(2):
            hkdf64(self.key, bindings.crypto_scalarmult(private, public), ROOT_INFO)
        self.encrypt()
        self.decrypt()


# --- handshakes --------------------------------------------------------------------------------------


class Handshake:
    """Both sides of a handshake, up to the first message."""

    def __init__(self, kem: bool) -> None:
        self.kem = kem
        self.private = os.urandom(32)
        self.public = bindings.crypto_scalarmult_base(os.urandom(32))
        edwards, secret = bindings.crypto_sign_keypair()
        self.edwards = edwards
        self.signed = bindings.crypto_sign(os.urandom(1735), secret)  # a bundle before its signature
        self.seed = os.urandom(64)
        whole = MLKEM1024PrivateKey.from_seed_bytes(self.seed).public_key().public_bytes_raw()
        self.kem_bytes = whole
        self.kem_key = MLKEM1024PublicKey.from_public_bytes(whole)
        self.ciphertext = self.kem_key.encapsulate()[1]
        curve = [os.urandom(32) for _ in range(3)]
        party = [["alice", 1], ["bob", 1]]
        kem_part = [3, whole, self.ciphertext] if kem else None
        self.transcript = ["label", 1, 2, *party, *curve, [1, self.public], [2, self.public], kem_part]
        self.header = [1, 1, 2, *curve[:2], 1, 2, *((3, self.ciphertext) if kem else (None, None))]
        self.message = Message(104, triple=kem)
        self.initial = cbor2.dumps([*self.header, self.message.wire])

    def _derive(self, secret: bytes, agreements: int) -> None:
        """Agreements, SK, the transcript; what starts the ratchets."""
        material = b"".join(bindings.crypto_scalarmult(self.private, self.public) for _ in range(agreements))
        key = hkdf32(_ZEROS, _ZEROS + material + secret, b"letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024")
        _sha256(cbor2.dumps(self.transcript)).digest()
        if self.kem:
            hkdf64(_ZEROS, key, ROOT_INFO)  # for both ratchets
            hkdf96(_ZEROS, key, ROOT_INFO)  # chains of epoch 0
            hkdf64(_ZEROS, key, ROOT_INFO)  # the authenticator
        hkdf64(key, bindings.crypto_scalarmult(self.private, self.public), ROOT_INFO)

    def initiate(self) -> None:
        """Verify a signature, agree, encapsulate, start the ratchet; the header that is repeated."""
        verify(self.edwards, self.signed)
        secret = self.kem_key.encapsulate()[0] if self.kem else b""
        for _ in range(2):  # the ephemeral key and the ratchet's first
            bindings.crypto_scalarmult_base(os.urandom(32))
        self._derive(secret, 4)
        cbor2.dumps(self.header)

    def respond(self) -> bytes:
        """Decode, agree, decapsulate from the seed, start the ratchet, open the first message."""
        elements = cbor2.loads(self.initial)
        secret = b""
        if self.kem:
            secret = MLKEM1024PrivateKey.from_seed_bytes(self.seed).decapsulate(elements[8])
        self._derive(secret, 4)
        return self.message.decrypt()


def publish(scalar: bytes, public: bytes, count: int) -> None:
    """Key pairs of both kinds, and their signatures."""
    for _ in range(count):
        key = bindings.crypto_scalarmult_base(os.urandom(32))
        sign(scalar, public, key, os.urandom(64))
        kem = MLKEM1024PrivateKey.from_seed_bytes(os.urandom(64)).public_key().public_bytes_raw()
        sign(scalar, public, kem, os.urandom(64))


SETTLED: Final = 100
"""Commits after which the log has been emptied several times; earlier commits take longer."""


def settle(store: Any) -> None:
    """Let the log of a letterlock store be written and emptied a few times."""
    for _ in range(SETTLED):
        with store.transaction():
            store.tables.account.save(store.tables.account.load())


PRAGMAS: Final = (
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "foreign_keys = ON",
    "secure_delete = ON",
    "journal_mode = WAL",
    "synchronous = EXTRA",
)


@contextmanager
def transaction(path: Path, size: int) -> Iterator[Callable[[], None]]:
    """A bare SQLite transaction: read a row of `size` bytes, replace it, wait for the disk.

    It has the pragmas of a letterlock store, and like one it empties the log when that holds more pages than
    it may.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE sessions (id INTEGER PRIMARY KEY, peer BLOB, rank INTEGER, record BLOB)")
    connection.execute("INSERT INTO sessions VALUES (1, ?, 0, ?)", (os.urandom(16), os.urandom(size)))
    # Two, because SQLite does not write a value that is there already.
    records = itertools.cycle((os.urandom(size), os.urandom(size)))
    commits = itertools.count(1)

    def act() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("SELECT record FROM sessions WHERE id = 1").fetchall()
        connection.execute("UPDATE sessions SET rank = 0, record = ? WHERE id = 1", (next(records),))
        connection.execute("COMMIT")
        if not next(commits) % (MAX_LOG_PAGES + 1):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    with closing(connection):
        for _ in range(SETTLED):
            act()
        yield act


def buffers(padded: bytes) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return calls that seal and open a long text, each into an existing buffer."""
    cipher, nonce, associated = ChaCha20Poly1305(os.urandom(32)), os.urandom(12), os.urandom(80)
    sealed, opened = bytearray(len(padded) + 16), bytearray(len(padded))
    cipher.encrypt_into(nonce, padded, associated, sealed)
    return (
        partial(cipher.encrypt_into, nonce, padded, associated, sealed),
        partial(cipher.decrypt_into, nonce, bytes(sealed), associated, opened),
    )
