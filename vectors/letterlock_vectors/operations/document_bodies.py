"""Sealed documents as vectors describe them: bodies with nonces of our own, and parts of them, joined.

    body       {"front", "key", "iv", "nonce", "segments"}
    segment    {"count", "fill", "filled", "size", "final", "times"}
    text       BE4 count || `fill` over and over, `filled` bytes || zeros to `size`
    nonce      its first 8 bytes, and the number of the segment in 4 bytes
    part       {"body", "from", "to"} or {"data"}

A body is front || FLOE header || blocks || nodes.

Not here: reading documents (documents.py).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from letterlock._primitives import merkle
from letterlock._primitives.labels import DOCUMENT_BODY
from letterlock._primitives.secret import KEY_BYTES
from letterlock.errors import UsageError
from letterlock_vectors.inputs import Input

_PARAMETERS: Final = bytes.fromhex("00000001000000000020")
_BLOCK: Final = 256
_MOST: Final = 1 << 16
_EPOCH: Final = 1 << 20


def joined(given: Input) -> bytes:
    """Return the document of `bodies` and `parts`."""
    bodies = [_body(json.dumps(each)) for each in given.items("bodies")]
    return b"".join(_part(each.with_default("data"), bodies) for each in given.nested_list("parts"))


def _part(given: Input, bodies: list[bytes]) -> bytes:
    if not given.is_null("data"):
        return given.hex("data")
    return bodies[given.counter("body")][given.counter("from") : given.counter("to")]


@lru_cache(8)
def _body(text: str) -> bytes:
    given = Input(json.loads(text))
    front, iv = given.hex("front"), given.sized("iv", KEY_BYTES)
    aad = DOCUMENT_BODY + hashlib.sha256(front).digest()
    derive = _derivation(iv, aad)
    key, nonce = given.sized("key", KEY_BYTES), given.sized("nonce", 12)
    parts = [front, _PARAMETERS + iv + derive(key, b"HEADER_TAG:", 32)]
    message_key, leaves, nodes = derive(key, b"MESSAGE_KEY:", 48), list[bytes](), list[bytes]()
    for number, (content, final) in enumerate(_texts(given)):
        epoch = (number - number % _EPOCH).to_bytes(8, "big")
        segment_key = derive(message_key, b"DEK:" + epoch, 32)
        segment = _segment(segment_key, nonce[:8] + number.to_bytes(4, "big"), number, content, final)
        parts.append(segment)
        leaves.append(merkle.leaf_hash(segment))
        if len(leaves) == _BLOCK:
            parts, nodes, leaves = [*parts, *leaves], [*nodes, merkle.root(leaves)], []
    if leaves:
        parts, nodes = [*parts, *leaves], [*nodes, merkle.root(leaves)]
    return b"".join([*parts, *nodes])


def _texts(given: Input) -> Iterator[tuple[bytes, bool]]:
    for each in given.nested_list("segments"):
        filled, size, fill = each.counter("filled"), each.counter("size"), each.hex("fill")
        if max(filled, size) > _MOST or not fill:
            raise UsageError(f"a segment's text has at most {_MOST} bytes here")
        content = (fill * (filled // len(fill) + 1))[:filled]
        text = (each.counter("count").to_bytes(4, "big") + content).ljust(size, b"\0")
        for _ in range(each.counter("times")):
            yield text, each.flag("final")


def _segment(key: bytes, nonce: bytes, number: int, text: bytes, final: bool) -> bytes:
    marker = (len(text) + 32).to_bytes(4, "big") if final else b"\xff" * 4
    return marker + nonce + AESGCM(key).encrypt(nonce, text, number.to_bytes(8, "big") + bytes([final]))


def _derivation(iv: bytes, aad: bytes) -> Callable[[bytes, bytes, int], bytes]:
    """Return KDF of spec/primitives.md for one document."""

    def derive(key: bytes, purpose: bytes, length: int) -> bytes:
        return HKDFExpand(SHA384(), length, _PARAMETERS + iv + purpose + aad).derive(key)

    return derive
