"""HMAC-SHA-256 (RFC 2104) and HKDF-SHA-256 (RFC 5869) on plain bytes.

    HMAC(K, x)    = H(K ^ opad || H(K ^ ipad || x))        K padded with zeros to a block of 64 bytes
    PRK           = HMAC(salt, ikm),  T(i) = HMAC(PRK, T(i-1) || info || i)

The hash is hashlib's. HMAC and HKDF are written out here because every message derives keys, and two plain
hashes are faster than a library's HMAC object (bench/README.md has the figures). Where the native module is
installed, it computes HKDF.

Not here: labels (labels.py), and which key is derived from which (_handshake/, _ratchet/).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from letterlock._primitives.native import NATIVE

HASH_BYTES: Final = 32
MAX_HKDF_BYTES: Final = 255 * HASH_BYTES

_BLOCK: Final = 64
_FILL: Final = bytes(_BLOCK - HASH_BYTES)
"""Pads a key of 32 bytes to a block."""
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
"""Tables for `bytes.translate`, the fastest way to XOR a constant into every byte of a block.

Looking up secret bytes in a table could leak them through the cache. Each table fills four cache lines, and a
key touches all four with high probability (spec/limitations.md).
"""


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return the 32-byte HMAC of `data`."""
    block = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
    return sha256(block.translate(_OUTER) + sha256(block.translate(_INNER) + data).digest()).digest()


def hmac_sha256_pair(key: bytes, one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Return the HMACs of `one` and `other` under one key of at most 64 bytes, 32 bytes each.

    The key's two blocks are hashed once for both. Raises ValueError for a longer key.
    """
    if len(key) > _BLOCK:
        raise ValueError(f"key of {len(key)} bytes; at most {_BLOCK}")
    block = key.ljust(_BLOCK, b"\0")
    inner, outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))
    inner_of_other, outer_of_other = inner.copy(), outer.copy()
    inner.update(one)
    outer.update(inner.digest())
    inner_of_other.update(other)
    outer_of_other.update(inner_of_other.digest())
    return outer.digest(), outer_of_other.digest()


def hmac_sha256_walk(key: bytes, data: Iterable[bytes]) -> list[bytes]:
    """Return `key` and one more key for each element of `data`, 32 bytes each.

    Each new key is the HMAC of its element under the key before it. Raises ValueError if `key` is not 32
    bytes.
    """
    if len(key) != HASH_BYTES:
        raise ValueError(f"key of {len(key)} bytes; expected {HASH_BYTES}")
    keys = [key]
    # The same steps as hmac_sha256, without a call and global look-ups for each key: a message can skip
    # 2,000.
    hash_, fill, inner, outer = sha256, _FILL, _INNER, _OUTER
    for each in data:
        block = key + fill
        key = hash_(block.translate(outer) + hash_(block.translate(inner) + each).digest()).digest()
        keys.append(key)
    return keys


def hmac_sha256_each(keys: Iterable[bytes], data: Iterable[bytes]) -> list[bytes]:
    """Return the HMAC of each element of `data` under the key at the same place, 32 bytes each.

    The caller ensures that each key is 32 bytes. Stops at the end of the shorter argument.
    """
    hash_, fill, inner, outer = sha256, _FILL, _INNER, _OUTER
    return [
        hash_((block := key + fill).translate(outer) + hash_(block.translate(inner) + each).digest()).digest()
        for key, each in zip(keys, data, strict=False)
    ]


def hkdf_sha256(salt: bytes, ikm: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes, 1 to 8,160. An empty salt means 32 zero bytes (RFC 5869 section 2.2).

    Raises ValueError for another length.
    """
    if not 1 <= length <= MAX_HKDF_BYTES:
        raise ValueError(f"hkdf output of {length} bytes; expected 1 to {MAX_HKDF_BYTES}")
    if NATIVE is not None:
        return NATIVE.hkdf(salt, ikm, info, length)
    # The same steps as hmac_sha256, without a call and global look-ups.
    hash_, inner, outer = sha256, _INNER, _OUTER
    block = (salt if len(salt) <= _BLOCK else hash_(salt).digest()).ljust(_BLOCK, b"\0")
    prk = hash_(block.translate(outer) + hash_(block.translate(inner) + ikm).digest()).digest() + _FILL
    inner, outer = prk.translate(inner), prk.translate(outer)
    okm = block = hash_(outer + hash_(inner + info + b"\1").digest()).digest()
    for counter in range(2, -(-length // HASH_BYTES) + 1):
        block = hash_(outer + hash_(inner + block + info + bytes((counter,))).digest()).digest()
        okm += block
    return okm[:length]
