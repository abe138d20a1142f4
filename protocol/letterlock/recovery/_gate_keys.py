"""The key of a gate, and what is made with it: tags, codes, and sealed challenges and passes.

    tag key || code key || seal key
                = HKDF-SHA-256(no salt, gate key, "letterlock-v1 keys of identity checks", 96)
    tag         = HMAC(tag key, "letterlock-v1 tag of an identity" || CBOR[what, ...])
    code        = HMAC(code key, "letterlock-v1 code of an identity" || tag || seed) modulo 10^10
    challenge   = nonce || AEAD(seal key, nonce, CBOR[...], label || number of the server)
    pass        the same, with a label of its own

Whoever has a copy of the store and not this key learns no identity from it, and no code.

Not here: what stands in challenges and passes (_gate.py).
"""

from typing import Final

from letterlock._primitives.aead import TAG_BYTES, XNONCE_BYTES, open_at_rest, seal_at_rest
from letterlock._primitives.entropy import Entropy
from letterlock._primitives.kdf import hkdf_sha256, hmac_sha256
from letterlock._primitives.labels import IDENTITY_CODE, IDENTITY_KEYS, IDENTITY_TAG
from letterlock._primitives.secret import KEY_BYTES, Immutable, Secret, Uncopyable
from letterlock._wire import cbor
from letterlock._wire.fields import Fields
from letterlock._wire.identity_limits import CODE_DIGITS
from letterlock.errors import MalformedMessage

_KEYS: Final = 3


class GateKey(Secret):
    """32 random bytes of one server. Without them all bindings are lost: keep them with its other secrets."""

    __slots__ = ()


class GateTagKey(Secret):
    """32 bytes that make tags."""

    __slots__ = ()


class GateCodeKey(Secret):
    """32 bytes that make codes."""

    __slots__ = ()


class GateSealKey(Secret):
    """32 bytes that seal challenges and passes."""

    __slots__ = ()


class GateKeys(Immutable, Uncopyable):
    """What is derived from the key of a gate, for one of the two servers."""

    __slots__ = ("_code", "_seal", "_server", "_tag")

    _tag: GateTagKey
    _code: GateCodeKey
    _seal: GateSealKey
    _server: bytes

    def __init__(self, key: GateKey, server: int) -> None:
        material = hkdf_sha256(b"", key.expose(), IDENTITY_KEYS, _KEYS * KEY_BYTES)
        tag, code, seal = (material[at : at + KEY_BYTES] for at in range(0, len(material), KEY_BYTES))
        object.__setattr__(self, "_tag", GateTagKey(tag))
        object.__setattr__(self, "_code", GateCodeKey(code))
        object.__setattr__(self, "_seal", GateSealKey(seal))
        object.__setattr__(self, "_server", bytes((server,)))

    def tag(self, what: str, *parts: cbor.Value) -> bytes:
        """Return the 32 bytes that stand for something in the store."""
        return hmac_sha256(self._tag.expose(), IDENTITY_TAG + cbor.encode([what, *parts]))

    def code(self, tag: bytes, seed: bytes) -> str:
        """Return the code of an identity: 10 digits."""
        number = int.from_bytes(hmac_sha256(self._code.expose(), IDENTITY_CODE + tag + seed), "big")
        return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"

    def seal(self, label: bytes, fields: list[cbor.Value], entropy: Entropy) -> bytes:
        """Return fields that only this server reads again. Draws 24 bytes of entropy."""
        nonce = entropy(XNONCE_BYTES)
        return nonce + seal_at_rest(self._seal.expose(), nonce, cbor.encode(fields), label + self._server)

    def open(self, label: bytes, sealed: bytes, count: int, what: str) -> Fields | None:
        """Return what `seal` was given under this label, or None if it is not this server's."""
        nonce, rest = sealed[:XNONCE_BYTES], sealed[XNONCE_BYTES:]
        if len(rest) < TAG_BYTES:
            return None
        opened = open_at_rest(self._seal.expose(), nonce, rest, label + self._server)
        try:
            return None if opened is None else Fields(cbor.decode(opened), count, what)
        except MalformedMessage:  # of another release of this server
            return None

    def __repr__(self) -> str:
        return "<GateKeys: hidden>"
