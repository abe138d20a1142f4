"""The messages: two kinds that continue a session, and one that starts a session around one of them.

    ratchet message = [1, 2, ratchet key, PN, N, sealed]
    triple message  = [1, 5, ratchet key, PN, N, epoch, n, PN, type, index / null, codewords / null, sealed]
    initial message = [1, 1, suite, IK, EK, signed prekey id, one-time prekey id / null, kem prekey id / null,
                       kem ciphertext / null, ratchet or triple message as a byte string]
    sealed          = nonce of 8 bytes || ciphertext || tag of 16 bytes

The bytes before the last element are kept as they came. In a ratchet or triple message they are
authenticated. In an initial message their digest is the handshake id.                     [WIRE-6]

A message is read in one pass over the table of its fields; the rules across fields follow, and the keys come
last.

Not here: the reader (flat_array.py); the opening and what is wrong with one (envelope.py).
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from letterlock._primitives.aead import TAG_BYTES
from letterlock._primitives.curve25519 import EphemeralKey, IdentityKey, RatchetKey
from letterlock._primitives.dataclass import dataclass
from letterlock._primitives.mlkem import MlKem1024PublicKey
from letterlock._primitives.secret import KEY_BYTES
from letterlock._wire import cbor
from letterlock._wire.cbor_heads import BYTES, UINT, head
from letterlock._wire.envelope import NAMES, Kind, check_opening, opening, peek_kind
from letterlock._wire.flat_array import Field, read_elements
from letterlock._wire.pq_header import BARE, PQ_FIELDS, PqHeader, PqType
from letterlock._wire.suite import Suite
from letterlock.errors import MalformedMessage
from letterlock.limits import (
    CODEWORD_BYTES,
    MAX_CODEWORD_INDEX,
    MAX_COUNTER,
    MAX_ID,
    MAX_MESSAGE,
    MAX_PADDED,
    MIN_PADDED,
    PROTOCOL_VERSION,
)

SENT_NONCE_BYTES: Final = 8
_OVERHEAD: Final = SENT_NONCE_BYTES + TAG_BYTES
_CIPHERTEXT_BYTES: Final = MlKem1024PublicKey.CIPHERTEXT_BYTES
_CARRIED: Final = {Suite.X3DH: Kind.RATCHET, Suite.PQXDH: Kind.TRIPLE}
"""Which kind of message the sessions of each suite send."""
_TYPES: Final = {int(each): each for each in PqType}
_BARE_NUMBERS: Final = frozenset(map(int, BARE))  # an enumeration's own hash is computed anew each time

_POSITION: Final = (
    Field.blob("ratchet key", KEY_BYTES, KEY_BYTES),
    Field.uint("previous chain length", 0, MAX_COUNTER),
    Field.uint("message number", 0, MAX_COUNTER),
)
_SEALED: Final = Field.blob("sealed text", _OVERHEAD + MIN_PADDED, _OVERHEAD + MAX_PADDED)


class _Layout:
    """A kind of message: its name in errors, its fields after the kind, and the bytes it begins with."""

    __slots__ = ("count", "fields", "kind", "name", "opening")

    def __init__(self, kind: Kind, *fields: Field) -> None:
        self.kind, self.name, self.fields = kind, NAMES[kind], fields
        self.count = len(fields) + 2
        self.opening = opening(kind, self.count)


_RATCHET: Final = _Layout(Kind.RATCHET, *_POSITION, _SEALED)
_TRIPLE: Final = _Layout(Kind.TRIPLE, *_POSITION, *PQ_FIELDS, _SEALED)
_INITIAL: Final = _Layout(
    Kind.INITIAL,
    Field.uint("suite", min(Suite), max(Suite)),
    Field.blob("identity key", KEY_BYTES, KEY_BYTES),
    Field.blob("ephemeral key", KEY_BYTES, KEY_BYTES),
    Field.uint("signed prekey id", 0, MAX_ID),
    Field.uint("one-time prekey id", 0, MAX_ID).or_null(),
    Field.uint("kem prekey id", 0, MAX_ID).or_null(),
    Field.blob("kem ciphertext", _CIPHERTEXT_BYTES, _CIPHERTEXT_BYTES).or_null(),
    Field.blob("message", 0, MAX_MESSAGE),
)
_LAYOUTS: Final = {each.opening: each for each in (_RATCHET, _TRIPLE, _INITIAL)}
_CONTINUING: Final = frozenset({_RATCHET.opening, _TRIPLE.opening})
_OPENING_BYTES: Final = 3
_KEY_HEAD: Final = head(BYTES, KEY_BYTES)


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a ratchet or triple message (Double Ratchet section 3.1, HEADER).

    `previous_length` is PN, the number of messages in the sender's last chain; `number` is N, from 0.
    """

    ratchet_key: RatchetKey
    previous_length: int
    number: int

    def encode_header(self, pq_header: PqHeader | None = None) -> bytes:
        """Return the message's bytes up to `sealed`; they are its associated data. [RAT-8]"""
        position = (
            _KEY_HEAD + self.ratchet_key.data + head(UINT, self.previous_length) + head(UINT, self.number)
        )
        if pq_header is None:
            return _RATCHET.opening + position
        return _TRIPLE.opening + position + pq_header.encode()


@dataclass(frozen=True, slots=True)
class RatchetMessage:
    """A decoded ratchet or triple message; `header_bytes` are its bytes up to `sealed`.

    `pq_header` is what a triple message has in addition, and None in the X3DH suite.           [PQR-8]
    """

    header: Header
    pq_header: PqHeader | None
    header_bytes: bytes
    sealed: bytes

    @classmethod
    def decode(cls, data: bytes) -> "RatchetMessage":
        """Read a ratchet or triple message. Raises as `decode_message`."""
        return _read_ratchet(data, _layout_of(data, (_RATCHET, _TRIPLE)))

    @classmethod
    def decode_of(cls, data: bytes, kind: Kind) -> "RatchetMessage":
        """Read a message of one of the two kinds. Raises as `decode_message`."""
        layout = _TRIPLE if kind is Kind.TRIPLE else _RATCHET
        return _read_ratchet(data, _layout_of(data, (layout,)))


@dataclass(frozen=True, slots=True)
class KemHeader:
    """What PQXDH adds to the handshake: which KEM prekey was used, and the ciphertext for it."""

    prekey_id: int
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class HandshakeHeader:
    """The part of an initial message from which the recipient computes the shared secret.

    PQXDH section 3.3: IK_A, EK_A, the ids of the prekeys used, and CT; `kem` is None in the X3DH suite.
    """

    suite: Suite
    identity: IdentityKey
    ephemeral: EphemeralKey
    signed_prekey_id: int
    one_time_prekey_id: int | None
    kem: KemHeader | None

    def encode_header(self) -> bytes:
        """Return an initial message's bytes up to the message inside."""
        return cbor.encode_array_prefix(
            PROTOCOL_VERSION,
            int(Kind.INITIAL),
            int(self.suite),
            self.identity.data,
            self.ephemeral.data,
            self.signed_prekey_id,
            self.one_time_prekey_id,
            None if self.kem is None else self.kem.prekey_id,
            None if self.kem is None else self.kem.ciphertext,
        )


def handshake_id(opened: bytes) -> bytes:
    """Return the 32 bytes that name a handshake: SHA-256 of the initial message up to its last element."""
    return hashlib.sha256(opened).digest()


@dataclass(frozen=True, slots=True)
class InitialMessage:
    """A decoded initial message; `id` names its handshake, whichever message it carries.

    It carries a triple message in the PQXDH suite, and a ratchet message in the X3DH suite.          [PQR-8]
    """

    header: HandshakeHeader
    id: bytes
    message: RatchetMessage

    @classmethod
    def decode(cls, data: bytes) -> "InitialMessage":
        """Read an initial message. Raises MalformedMessage, UnsupportedVersion, InvalidKey."""
        layout = _layout_of(data, (_INITIAL,))
        elements, end = read_elements(data, _OPENING_BYTES, layout.fields, layout.name)
        number, identity, ephemeral, signed_prekey_id, one_time_prekey_id, *kem, carried = elements
        suite = Suite(number)
        header = HandshakeHeader(
            suite,
            kem=_read_kem(suite, *kem),  # before the keys: a wrong form is named before a wrong key
            identity=IdentityKey(identity),
            ephemeral=EphemeralKey(ephemeral),
            signed_prekey_id=signed_prekey_id,
            one_time_prekey_id=one_time_prekey_id,
        )
        return cls(header, handshake_id(data[:end]), RatchetMessage.decode_of(carried, _CARRIED[suite]))


def continues_session(data: bytes) -> bool:
    """Return whether this begins as a ratchet or triple message does. It may still be malformed."""
    return data[:_OPENING_BYTES] in _CONTINUING


def decode_message(data: bytes) -> InitialMessage | RatchetMessage:
    """Read a message of any kind. Raises UsageError, UnsupportedVersion, MalformedMessage, InvalidKey."""
    layout = _layout_of(data, (_RATCHET, _TRIPLE, _INITIAL))
    return InitialMessage.decode(data) if layout is _INITIAL else _read_ratchet(data, layout)


# --- reading --------------------------------------------------------------------------------------------


def _layout_of(data: bytes, expected: tuple[_Layout, ...]) -> _Layout:
    """Return which of these kinds a message is, by its first bytes, having checked its size. [WIRE-3]"""
    if type(data) is bytes and len(data) <= MAX_MESSAGE:
        layout = _LAYOUTS.get(data[:_OPENING_BYTES])
        if layout in expected:
            return layout
    found = peek_kind(data)
    layout = next((each for each in expected if each.kind is found), expected[0])
    check_opening(data, layout.kind, layout.count)
    return layout


def _read_ratchet(data: bytes, layout: _Layout) -> RatchetMessage:
    elements, end = read_elements(data, _OPENING_BYTES, layout.fields, layout.name)
    pq_header = read_pq_header(elements[3:-1]) if layout is _TRIPLE else None
    header = Header(RatchetKey(elements[0]), elements[1], elements[2])
    return RatchetMessage(header, pq_header, data[:end], elements[-1])


def read_pq_header(elements: list[Any]) -> PqHeader:
    """Return the header that six elements make, after the rules across them. Raises MalformedMessage."""
    epoch, number, previous, type_number, first, codewords = elements
    if type_number in _BARE_NUMBERS:
        if first is not None or codewords is not None:
            raise _null_error(_TRIPLE, {"first index": first, "codewords": codewords}, must_be_null=True)
        return PqHeader(epoch, number, previous, _TYPES[type_number])
    if first is None or codewords is None:
        raise _null_error(_TRIPLE, {"first index": first, "codewords": codewords}, must_be_null=False)
    if len(codewords) % CODEWORD_BYTES:
        raise MalformedMessage("codewords of a triple message are not whole: each has 32 bytes")
    if first + len(codewords) // CODEWORD_BYTES - 1 > MAX_CODEWORD_INDEX:
        raise MalformedMessage(f"codewords of a triple message have indices above {MAX_CODEWORD_INDEX}")
    return PqHeader(epoch, number, previous, _TYPES[type_number], first, codewords)


def _read_kem(suite: Suite, prekey_id: int | None, ciphertext: bytes | None) -> KemHeader | None:
    """Return the two KEM elements, which only the PQXDH suite has. [WIRE-7]"""
    both = {"kem prekey id": prekey_id, "kem ciphertext": ciphertext}
    if suite is Suite.X3DH:
        if prekey_id is not None or ciphertext is not None:
            raise _null_error(_INITIAL, both, must_be_null=True)
        return None
    if prekey_id is None or ciphertext is None:
        raise _null_error(_INITIAL, both, must_be_null=False)
    return KemHeader(prekey_id, ciphertext)


def _null_error(layout: _Layout, elements: Mapping[str, object], *, must_be_null: bool) -> MalformedMessage:
    """Return the error that names the first element that is null, or is not null, against the rules."""
    name = next(name for name, value in elements.items() if (value is None) is not must_be_null)
    return MalformedMessage(f"{name} of {layout.name} must {'' if must_be_null else 'not '}be null")
