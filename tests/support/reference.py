"""The protocol once more, from the specification, on plain bytes: what the package is checked against.

Nothing here imports the package. X25519, ChaCha20-Poly1305 and ML-KEM are `cryptography`'s (the package takes
its curve from libsodium); HKDF, CBOR, padding, the double ratchet and as much of the triple one as a first
message and an answer to it need are written out from spec/.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import cbor2
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM1024PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

X3DH_INFO: Final = b"letterlock-v1_X3DH_X25519_SHA-256"
PQXDH_INFO: Final = b"letterlock-v1_PQXDH_X25519_SHA-256_ML-KEM-1024"
ROOT_INFO: Final = b"letterlock-v1 root step"
PQ: Final = b"letterlock-v1 pq "
TRANSCRIPT: Final = "letterlock-v1 handshake transcript"

Item: TypeAlias = "int | bytes | str | list[Item] | None"


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, sections 2.2 and 2.3."""
    key, out, block = hmac_sha256(salt, ikm), b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac_sha256(key, block + info + bytes([counter]))
        out += block
    return out[:length]


def x25519(private: bytes, public: bytes) -> bytes:
    key = X25519PrivateKey.from_private_bytes(private)
    return key.exchange(X25519PublicKey.from_public_bytes(public))


def public(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def decapsulate(seed: bytes, ciphertext: bytes) -> bytes:
    return MLKEM1024PrivateKey.from_seed_bytes(seed).decapsulate(ciphertext)


def cbor(item: Item) -> bytes:
    """RFC 8949 section 4.2.1, of what the transcript is made of."""
    match item:
        case None:
            return b"\xf6"
        case int():
            return _head(0, item)
        case bytes():
            return _head(2, len(item)) + item
        case str():
            return _head(3, len(item.encode())) + item.encode()
        case list():
            return _head(4, len(item)) + b"".join(cbor(each) for each in item)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for low, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([major << 5 | low]) + number.to_bytes(size, "big")
    raise OverflowError(number)


def initiator_material(ik_a: bytes, ek_a: bytes, ik_b: bytes, spk_b: bytes, opk_b: bytes | None) -> bytes:
    """DH1 || DH2 || DH3 [|| DH4] from private keys of Alice and public keys of Bob."""
    material = x25519(ik_a, spk_b) + x25519(ek_a, ik_b) + x25519(ek_a, spk_b)
    return material if opk_b is None else material + x25519(ek_a, opk_b)


def shared_secret(material: bytes, kem_secret: bytes | None) -> bytes:
    info = X3DH_INFO if kem_secret is None else PQXDH_INFO
    return hkdf(bytes(32), b"\xff" * 32 + material + (kem_secret or b""), info, 32)


def kdf_rk(root: bytes, agreement: bytes) -> tuple[bytes, bytes]:
    okm = hkdf(root, agreement, ROOT_INFO, 64)
    return okm[:32], okm[32:]


def kdf_ck(chain: bytes) -> tuple[bytes, bytes]:
    """Return the next chain key and the message key."""
    return hmac_sha256(chain, b"\x02"), hmac_sha256(chain, b"\x01")


def padded(plaintext: bytes) -> bytes:
    """PADME (Nikitin et al., algorithm 1) above 32 bytes, written with its logarithms."""
    length = max(len(plaintext) + 1, 32)
    e = length.bit_length() - 1
    s = e.bit_length()
    low = e - s
    target = -(-length // 2**low) * 2**low
    return (plaintext + b"\x80").ljust(target, b"\0")


def kdf_sparse(chain: bytes, number: int) -> tuple[bytes, bytes]:
    """Return the next chain key and the message key of one direction and epoch; numbers count from 1."""
    of = number.to_bytes(4, "big")
    return hmac_sha256(chain, of + b"\x02"), hmac_sha256(chain, of + b"\x01")


def hybrid(double: bytes, sparse: bytes) -> bytes:
    return hkdf(sparse, double, PQ + b"hybrid", 32)


def header_mac(shared: bytes, header: bytes) -> bytes:
    """The MAC of epoch 1, under the authenticator that SKscka alone gives."""
    epoch = (1).to_bytes(8, "big")
    key = hkdf(bytes(32), shared, PQ + b"authenticator update" + epoch, 64)[32:]
    return hmac_sha256(key, PQ + b"header" + epoch + header)


def seal(
    key: bytes, ad: bytes, header: list[Any], plaintext: bytes, nonce: bytes, part: list[Any] | None = None
) -> bytes:
    """Return a ratchet message [1, 2, key, PN, N, sealed], or a triple one [1, 5, ..., part, sealed]."""
    text = padded(plaintext)
    fields = [1, 2, *header] if part is None else [1, 5, *header, *part]
    # The bytes before `sealed` are the same, whatever stands in it: encode a placeholder and cut it off.
    opened = cbor([*fields, b""])[:-1]
    sealed = nonce + ChaCha20Poly1305(key).encrypt(bytes(4) + nonce, text, ad + opened)
    return cbor([*fields, sealed])


def open_sealed(key: bytes, ad: bytes, message: bytes) -> bytes:
    """Return the plaintext of a ratchet message; raises InvalidTag."""
    *header, sealed = cbor2.loads(message)
    opened = cbor([*header, b""])[:-1]
    text = ChaCha20Poly1305(key).decrypt(bytes(4) + sealed[:8], sealed[8:], ad + opened)
    return text.rstrip(b"\0")[:-1]


@dataclass
class Bob:
    """A recipient with private keys in the open; reads one initial message and may answer it."""

    name: list[Item]
    identity: bytes
    signed: tuple[int, bytes]
    one_time: tuple[int, bytes] | None
    kem: tuple[int, bytes, bytes] | None
    """id, seed, public key"""

    root: bytes = b""
    ad: bytes = b""
    chain: bytes = b""
    theirs: bytes = b""

    shared: bytes | None = None
    """SKscka, in PQXDH; the two sparse chains of epoch 0 and how far the first has come."""

    from_alice: bytes = b""
    to_alice: bytes = b""
    number: int = 0
    collected: bytes = b""
    """What came of Alice's header || MAC, 96 bytes in all."""

    def read(self, sender: list[Item], message: bytes) -> bytes:
        _, _, suite, ik_a, ek_a, _, _, _, ciphertext, inner = cbor2.loads(message)
        spk = self.signed[1]
        material = x25519(spk, ik_a) + x25519(self.identity, ek_a) + x25519(spk, ek_a)
        opk: Item = None
        if self.one_time is not None:
            material += x25519(self.one_time[1], ek_a)
            opk = [self.one_time[0], public(self.one_time[1])]
        kem: Item = None
        kem_secret = None
        if suite == 2:
            assert self.kem is not None
            kem_secret = decapsulate(self.kem[1], ciphertext)
            kem = [self.kem[0], self.kem[2], ciphertext]
        signed: Item = [self.signed[0], public(spk)]
        ours = public(self.identity)
        transcript = cbor([TRANSCRIPT, 1, suite, sender, self.name, ik_a, ours, ek_a, signed, opk, kem])
        self.ad = hashlib.sha256(transcript).digest()
        self.theirs = cbor2.loads(inner)[2]
        root = self.begin(shared_secret(material, kem_secret), suite)
        self.root, self.chain = kdf_rk(root, x25519(spk, self.theirs))
        return self.read_next(inner)

    def begin(self, secret: bytes, suite: int) -> bytes:
        """Return the double ratchet's root: all of SK, or its first part."""
        if suite == 1:
            return secret
        okm = hkdf(bytes(32), secret, PQ + b"split", 64)
        self.shared = okm[32:]
        chains = hkdf(bytes(32), self.shared, PQ + b"chain start", 96)
        self.from_alice, self.to_alice = chains[32:64], chains[64:]
        return okm[:32]

    def read_next(self, message: bytes) -> bytes:
        self.chain, key = kdf_ck(self.chain)
        if self.shared is not None:
            self.number += 1
            self.from_alice, sparse = kdf_sparse(self.from_alice, self.number)
            key = hybrid(key, sparse)
        text = open_sealed(key, self.ad, message)
        if self.shared is not None:
            self.collect(cbor2.loads(message)[5:11])
        return text

    def collect(self, part: list[Any]) -> None:
        """Check where a message stands, and of its codewords those of the header; they come in order here."""
        assert part[:4] == [1, self.number, 0, 1]  # epoch, number, previous, Hdr
        _, _, _, _, first, codewords = part
        new = codewords[max(0, len(self.collected) - 32 * first) :]
        self.collected = (self.collected + new)[:96]
        if len(self.collected) == 96:
            assert self.shared is not None
            assert self.collected[64:] == header_mac(self.shared, self.collected[:64])

    def answer(self, private: bytes, text: bytes) -> bytes:
        """Return the first message of Bob's own chain; he has nothing to say of the header yet."""
        self.root, chain = kdf_rk(self.root, x25519(private, self.theirs))
        _, key = kdf_ck(chain)
        part: list[Any] | None = None
        if self.shared is not None:
            key = hybrid(key, kdf_sparse(self.to_alice, 1)[1])
            part = [1, 1, 0, 0, None, None]
        return seal(key, self.ad, [public(private), 0, 0], text, b"\x07" * 8, part)
