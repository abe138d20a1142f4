"""Alice, Bob, Bob's prekeys, and the results that both handshakes must have.

    bundle(signed=..., kem=None)              Bob's bundle, encoded, with prekeys exchanged or left out
    initiation(bundle, 2)                     the input of handshake.initiate
    response(message)                         the input of handshake.respond
    outcome(2, one_time=None, kem=KEM)        header bytes, SK, AD and handshake id, by spec/handshake.md

Keys come from labels. Agreements are X25519, the rest is computed here: HKDF in kdf.py, CBOR in encoding.py,
and encapsulation from m by kyber-py.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

from kyber_py.ml_kem import ML_KEM_1024

from generators.support import kdf
from generators.support.encoding import Value, encode
from generators.support.family import Json
from generators.support.labels import draw
from letterlock import hazmat

LABEL: Final = b"letterlock-v1 bundle signature"
MADE_ON: Final = 19_675  # 2023-11-14
NOW: Final = 1_700_000_000


@dataclass(frozen=True)
class Person:
    """An address and an identity key pair."""

    name: str
    device_id: int = 1

    @property
    def private(self) -> bytes:
        return draw(f"identity of {self.name}", 32)

    @property
    def public(self) -> bytes:
        return hazmat.public_key(self.private)

    @property
    def address(self) -> list[Value]:
        return [self.name, self.device_id]


ALICE, BOB, MALLORY = Person("alice"), Person("bob"), Person("mallory")


@dataclass(frozen=True)
class Prekey:
    """A prekey of Bob's as it stands in a bundle."""

    kind: int
    id: int
    key: bytes
    private: bytes

    def fields(self) -> Value:
        return [self.kind, self.id, self.key]

    def held(self) -> Json:
        """Return the prekey as an input of `handshake.respond`."""
        return {"kind": self.kind, "id": self.id, "private": self.private.hex()}


def curve_prekey(kind: int, id_: int, label: str) -> Prekey:
    private = draw(label, 32)
    return Prekey(kind, id_, hazmat.public_key(private), private)


def kem_prekey(kind: int, id_: int, label: str) -> Prekey:
    seed = draw(label, 64)
    return Prekey(kind, id_, ML_KEM_1024._keygen_internal(seed[:32], seed[32:])[0], seed)


SIGNED = curve_prekey(1, 11, "signed prekey")
ONE_TIME = curve_prekey(2, 2222, "one-time prekey")
KEM = kem_prekey(3, 333333, "one-time kem prekey")
LAST_RESORT = kem_prekey(4, 2**32 - 1, "last-resort kem prekey")
OTHER_CURVE = curve_prekey(1, 12, "another curve prekey")
OTHER_KEM = kem_prekey(3, 334, "another kem prekey")

EPHEMERAL: Final = draw("ephemeral", 32)
EK: Final = hazmat.public_key(EPHEMERAL)
COINS: Final = draw("coins of the encapsulation", 32)

# One well-formed message of each suite is enough: handshake.respond does not open it.
RATCHET_KEY: Final = hazmat.public_key(draw("ratchet", 32))
MESSAGES: Final = {
    1: encode([1, 2, RATCHET_KEY, 0, 0, draw("sealed", 56)]),
    2: encode([1, 5, RATCHET_KEY, 0, 0, 1, 1, 0, 1, 0, draw("codewords", 96), draw("sealed", 56)]),
}


@dataclass(frozen=True)
class Bundle:
    """A bundle before its signature: Bob's, except for what is given."""

    address: tuple[str, int] = ("bob", 1)
    identity: bytes = BOB.public
    made_on: int = MADE_ON
    signed: Prekey = SIGNED
    one_time: Prekey | None = ONE_TIME
    kem: Prekey | None = None

    def unsigned(self) -> bytes:
        """Return the encoding before the head of the signature."""
        prekeys = [None if each is None else each.fields() for each in (self.signed, self.one_time, self.kem)]
        return encode([2, 3, [*self.address], self.identity, self.made_on, *prekeys, b""])[:-1]

    def sign(self, by: Person = BOB, covers: bytes | None = None) -> bytes:
        """Return a signature, of what is honest or of other bytes.

        Z comes from the signed bytes, so that no Z is used twice.
        """
        covers = LABEL + self.unsigned() if covers is None else covers
        nonce = hashlib.shake_256(by.private + covers).digest(64)
        return hazmat.xeddsa_sign(by.private, covers, nonce)

    def encode(self, signature: bytes | None = None) -> bytes:
        """Return the bundle, with its honest signature unless another is given."""
        return self.unsigned() + encode(self.sign() if signature is None else signature)

    def with_(self, **changes: Any) -> "Bundle":
        return replace(self, **changes)


def bundle(**chosen: Any) -> bytes:
    """Return an encoded bundle: Bob's, except for the given arguments. Bob has signed it."""
    return Bundle(**chosen).encode()


def encapsulated(key: bytes) -> tuple[bytes, bytes]:
    """Return the secret and the ciphertext that m gives (FIPS 203 algorithm 17)."""
    secret, ciphertext = ML_KEM_1024._encaps_internal(key, COINS)
    return secret, ciphertext


def initiation(encoded: bytes, suite: int, kem: Prekey = KEM) -> Json:
    """Return the input of `handshake.initiate`. `kem` is what Alice encapsulates to in suite 2."""
    secret, ciphertext = encapsulated(kem.key)
    given = {"m": COINS.hex(), "ciphertext": ciphertext.hex(), "secret": secret.hex()}
    return {
        "address": ALICE.address,
        "identity": ALICE.private.hex(),
        "to": BOB.address,
        "bundle": encoded.hex(),
        "now": NOW,
        "suite": suite,
        "ephemeral": EPHEMERAL.hex(),
        "kem": given if suite == 2 else None,
    }


def response(message: bytes, *prekeys: Prekey) -> Json:
    """Return the input of `handshake.respond` for a message from Alice. Bob has these prekeys."""
    return {
        "address": BOB.address,
        "identity": BOB.private.hex(),
        "prekeys": [each.held() for each in prekeys],
        "suites": [1, 2],
        "from": ALICE.address,
        "message": message.hex(),
    }


@dataclass(frozen=True)
class Header:
    """An initial message before its last element. None stands for null.

    `carries` is the suite of the message inside, if it is another one.
    """

    suite: int
    kem_id: int | None = None
    ciphertext: bytes | None = None
    one_time_id: int | None = ONE_TIME.id
    signed_id: int = SIGNED.id
    identity: bytes = ALICE.public
    ephemeral: bytes = EK
    carries: int | None = None

    def header_bytes(self) -> bytes:
        prekeys: list[Value] = [self.signed_id, self.one_time_id, self.kem_id, self.ciphertext]
        return encode([1, 1, self.suite, self.identity, self.ephemeral, *prekeys, b""])[:-1]

    def message(self) -> bytes:
        return self.header_bytes() + encode(MESSAGES[self.carries or self.suite])

    def with_(self, **changes: Any) -> "Header":
        return replace(self, **changes)


def header(suite: int, *, one_time: Prekey | None = ONE_TIME, kem: Prekey | None = None) -> Header:
    """Return the header that Alice sends after she used these prekeys."""
    chosen = None if one_time is None else one_time.id
    if kem is None:
        return Header(suite, one_time_id=chosen)
    return Header(suite, kem.id, encapsulated(kem.key)[1], chosen)


def outcome(
    suite: int,
    *,
    one_time: Prekey | None = ONE_TIME,
    kem: Prekey | None = None,
    initiator: Person = ALICE,
    user_ids: bytes | None = None,
) -> Json:
    """Return the result of both ends. The initiator's answer has `header_bytes` too."""
    sent = header(suite, one_time=one_time, kem=kem).with_(identity=initiator.public)
    pairs = [(initiator.private, SIGNED.key), (EPHEMERAL, BOB.public), (EPHEMERAL, SIGNED.key)]
    if one_time is not None:
        pairs.append((EPHEMERAL, one_time.key))
    material = b"\xff" * 32 + b"".join(hazmat.x25519(private, public) for private, public in pairs)
    if kem is not None:
        material += encapsulated(kem.key)[0]
    transcript: list[Value] = [
        *("letterlock-v1 handshake transcript", 1, suite),
        *(initiator.address, BOB.address, initiator.public, BOB.public, EK),
        [SIGNED.id, SIGNED.key],
        None if one_time is None else [one_time.id, one_time.key],
        None if kem is None else [kem.id, kem.key, sent.ciphertext],
        *([] if user_ids is None else [user_ids]),
    ]
    return {
        "secret": kdf.hkdf(bytes(32), material, kdf.X3DH if suite == 1 else kdf.PQXDH, 32).hex(),
        "associated_data": hashlib.sha256(encode(transcript)).hexdigest(),
        "handshake_id": hashlib.sha256(sent.header_bytes()).hexdigest(),
        "header_bytes": sent.header_bytes().hex(),
    }


def without(answer: Json, name: str) -> Json:
    """Return an answer without one of its fields."""
    return {field: value for field, value in answer.items() if field != name}
