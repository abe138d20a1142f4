"""A sealed JSON document, read by hand as spec/json.md describes it: DOC-104, DOC-108, DOC-109."""

import hashlib
import hmac
from typing import Any

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from letterlock._primitives.composite import DeviceSigningKey
from letterlock._primitives.ed25519 import Ed25519PublicKey
from letterlock._primitives.mldsa import MlDsa65PublicKey
from letterlock.documents import JsonDocuments, Section
from support.granting import met
from support.json_forging import Forger


def keys(key: bytes, label: bytes, id_: bytes, version: int) -> tuple[bytes, bytes]:
    """Return DK and C."""
    both = hmac.digest(key, label + id_ + version.to_bytes(4, "big"), hashlib.sha512)
    return both[:32], both[32:]


def padded(text: bytes) -> bytes:
    """Return what is inside of a padding, and check that this is PADME to at least 1 KiB."""
    length = 4 + int.from_bytes(text[:4], "big")
    least = max(1024, length)
    exponent = least.bit_length() - 1
    step = 2 ** (exponent - exponent.bit_length())
    assert len(text) == (least + step - 1) // step * step
    assert text[length:] == bytes(len(text) - length)
    return text[4:length]


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def test_a_document_is_what_the_specification_says() -> None:
    people = met()
    alice = people.alice.first
    value = {"b": [1.50, {"c": None}], "a": "é", "d": {}}
    sections = [Section("rest", [""]), Section("inner", ["/b/1"]), Section("none", ["/x/0/y"])]
    made = JsonDocuments(alice).seal(value, sections)
    granted = Forger(alice, made.data).keys
    version, kind, id_, number, trailer_commitment, parts, trailer, _ = cbor2.loads(made.data)
    assert (version, kind, id_, number, len(parts)) == (1, 24, made.id, 1, 3)

    contents: list[Any] = []
    trailer_keys = set[bytes]()
    for at, (commitment, sealed) in enumerate(parts):
        key, expected = keys(granted[at].expose(), b"letterlock-v1 section of json", id_, 1)
        assert commitment == expected
        text = ChaCha20Poly1305(key).decrypt(bytes(12), sealed, b"")
        trailer_keys.add(text[:32])
        contents.append(cbor2.loads(padded(text[32:])))
    assert contents == [
        ["rest", [[["a"], '"é"'], [["b", 0], "1.5"], [["d"], "{}"]]],
        ["inner", [[["b", 1, "c"], "null"]]],
        ["none", []],
    ]

    (trailer_key,) = trailer_keys
    key, expected = keys(trailer_key, b"letterlock-v1 trailer of json", id_, 1)
    assert trailer_commitment == expected
    said = cbor2.loads(padded(ChaCha20Poly1305(key).decrypt(bytes(12), trailer, b"")))
    leaves = [hashlib.sha256(b"\0" + commitment + sealed).digest() for commitment, sealed in parts]
    root = node(node(leaves[0], leaves[1]), leaves[2])
    scopes = [[0, []], [1, ["b", 1]], [2, ["x", 0, "y"]]]
    assert said[:6] == [1, id_, 1, people.clock.now, root, scopes]

    user_id, device_id, list_version, list_hash, ml_dsa, signature = said[6]
    assert user_id == alice.user_id
    device = people.alice.lists[list_version - 1].snapshot.device(device_id)
    assert device is not None
    signer = cbor2.dumps([user_id, device_id, list_version, list_hash])
    message = signer + hashlib.sha256(cbor2.dumps(said[:6])).digest()
    author = DeviceSigningKey(MlDsa65PublicKey(ml_dsa), Ed25519PublicKey(device.ed25519))
    author.verify(message, signature, b"letterlock-v1 author of json")
