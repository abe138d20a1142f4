"""Sessions as records of fixed layout, strictly read, so that a store can keep them.

    session    head (264 bytes), the post-quantum part of suite 2 (triple.py), the handshake
    head       format, suite, double state, flags, yields, born, archived, AD, RK,
               private, public, CKs, Ns, PN, theirs, CKr, Nr, length of the handshake
    flags      1 promote next, 2 we initiated the sparse ratchet

Integers are big-endian. A field that a state does not have is zero, so a session has one encoding. [STO-20]

The handshake of a session that the peer has not answered is the header to repeat. Otherwise it is the id of
the peer's initial message, or nothing. A session that ended has a double state of its own and no keys, and no
post-quantum part.

A record that cannot be read raises CorruptStore. The store authenticated it, so the fault is damage or a bug.

Not here: the records of release 0.1.0 (first_format.py).
"""

import struct
from typing import Final, TypeAlias

from letterlock._primitives.curve25519 import PrivateKey, RatchetKey, RatchetKeyPair
from letterlock._primitives.secret import KEY_BYTES
from letterlock._ratchet.double import Hearing, ReceivingChain, SendingChain, Speaking, Talking, Unanswered
from letterlock._ratchet.keys import ChainKey, RootKey
from letterlock._ratchet.ratchet import Ratchet
from letterlock._ratchet.triple import Triple
from letterlock._records.triple import encode_triple, read_triple
from letterlock._session.session import Ended, Established, Initiated, Origin, Session
from letterlock._wire.suite import Suite
from letterlock.errors import CorruptStore, MalformedMessage, PeerError
from letterlock.limits import MAX_CROSSED_MESSAGES
from letterlock.stores import AnyRecord, DeferredRecord, Record

FORMAT: Final = 2
_HEAD: Final = struct.Struct(">BBBBIQQ32s32s32s32s32sII32s32sII")
SUITE: Final = 1
STATE: Final = 2
_BEGUN: Final = slice(16, 24)
THEIRS: Final = slice(192, 224)
RECEIVED: Final = slice(256, 260)
"""Where suite, double state, the peer's ratchet key and Nr stand in a record."""
UNANSWERED: Final = 0
"""The double state of a session that the peer has not answered."""
_HEARING, _SPEAKING, _ENDED = 1, 2, 3
_CONTINUES: Final = frozenset({UNANSWERED, _HEARING, _SPEAKING})
_PROMOTE_NEXT, _IS_INITIATOR = 1, 2
_MAX_TIME: Final = 2**63 - 1
_MAX_HEADER: Final = 4096
_ID_LENGTHS: Final = frozenset({0, 32})
"""How long the name of a handshake may be: a handshake of our own has none."""
_FLAGS: Final = {Suite.X3DH: _PROMOTE_NEXT, Suite.PQXDH: _PROMOTE_NEXT | _IS_INITIATOR}
"""The flags that a session of each suite may have."""
SUITES: Final = {int(suite): suite for suite in Suite}
"""The suites by their number in a record."""
_ZEROS: Final = bytes(KEY_BYTES)

_Double: TypeAlias = tuple[bytes, bytes, bytes, bytes, int, int, bytes, bytes, int]
"""RK, private, public, CKs, Ns, PN, theirs, CKr, Nr, as they stand in the head."""
_NO_KEYS: Final[_Double] = (_ZEROS, _ZEROS, _ZEROS, _ZEROS, 0, 0, _ZEROS, _ZEROS, 0)
"""These fields in a session that ended: a record of the head and the handshake alone."""


def encode_session(session: Session) -> Record:
    """Return a session as a record."""
    origin = session.origin
    handshake, flags, yields, state, fields, pq_part = origin.handshake_id or b"", 0, 0, _ENDED, _NO_KEYS, b""
    archived = 0 if isinstance(session, Ended) else session.archived
    if isinstance(session, Initiated):
        handshake = session.header_bytes
    elif isinstance(session, Established):
        flags, yields = int(session.promote_next), session.yields
    if not isinstance(session, Ended):
        double = ratchet = session.ratchet
        if isinstance(ratchet, Triple):
            double, pq_part = ratchet.double, encode_triple(ratchet)
            if ratchet.sparse.is_initiator:
                flags |= _IS_INITIATOR
        state, fields = _double_fields(double)
    head = _HEAD.pack(
        FORMAT, origin.suite, state, flags, yields, origin.born, archived, origin.associated_data,
        *fields, len(handshake),
    )  # fmt: skip
    return Record(head + pq_part + handshake)


def decode_session(record: Record | DeferredRecord) -> Session:
    """Return the session of a record. Raises CorruptStore."""
    try:
        return _read_session(record.expose())
    except (PeerError, struct.error) as error:
        raise CorruptStore("a stored session cannot be read: restore the store from a copy") from error


def continues(record: Record, suites: frozenset[int]) -> bool:
    """Return whether a record is certainly of a session that did not end, of a suite among these numbers.

    The head tells it, so no session is decoded. False for a record of an earlier format.
    """
    data = record.expose()
    known = len(data) > STATE and data[0] == FORMAT
    return known and data[SUITE] in suites and data[STATE] in _CONTINUES


def was_answered(record: AnyRecord, suites: frozenset[int]) -> bool:
    """Do the same for a session that was answered, too. False if the session is at hand anyway."""
    if isinstance(record, DeferredRecord) or not continues(record, suites):
        return False
    return record.expose()[STATE] != UNANSWERED


def unanswered_since(data: bytes) -> int:
    """Return when a session began that was not answered, 0 for any other one. Of the head alone. [SES-17]"""
    return int.from_bytes(data[_BEGUN], "big") if data[STATE] == UNANSWERED else 0


def _read_session(data: bytes) -> Session:
    whole = _HEAD.unpack_from(data)
    format_, number, state, flags, yields, born, archived, associated_data = whole[:8]
    fields, length = whole[8:-1], whole[-1]
    suite = SUITES.get(number)
    if format_ != FORMAT or suite is None:  # STO-6
        raise MalformedMessage("session is of no known format or suite")
    if flags & ~_FLAGS[suite] or max(born, archived) > _MAX_TIME:
        raise MalformedMessage("session has unknown flags, or numbers above the limit")
    if state == _ENDED:
        if fields != _NO_KEYS or flags or yields or length not in _ID_LENGTHS or archived:
            raise MalformedMessage("a session that ended has keys")
        return Ended(Origin(suite, associated_data, _handshake(data, _HEAD.size, length) or None, born))
    double = _read_double(state, fields)
    ratchet: Talking | Triple = double
    end = _HEAD.size
    if suite is Suite.PQXDH:
        ratchet, end = read_triple(data, end, double, is_initiator=flags & _IS_INITIATOR != 0)
    handshake = _handshake(data, end, length)
    if state == UNANSWERED:
        # Only an established session can be due for promotion, or yield.
        if length > _MAX_HEADER or yields or flags & _PROMOTE_NEXT:
            raise MalformedMessage("session that was not answered has what only an established one has")
        return Initiated(Origin(suite, associated_data, None, born), handshake, ratchet, archived)
    if length not in _ID_LENGTHS or yields > MAX_CROSSED_MESSAGES:
        raise MalformedMessage("handshake of a session is not an id, or it yields too often")
    origin = Origin(suite, associated_data, handshake or None, born)
    return Established(origin, ratchet, flags & _PROMOTE_NEXT != 0, yields, archived)


def _handshake(data: bytes, at: int, length: int) -> bytes:
    """Return what ends a record, which has the length that the head says. [STO-20]"""
    handshake = data[at:]
    if len(handshake) != length:
        raise MalformedMessage("session is cut short, or too long")
    return handshake


# --- the double ratchet -----------------------------------------------------------------------------


def _double_fields(state: Ratchet) -> tuple[int, _Double]:
    match state:
        case Speaking(root, ours, sent, theirs, length):
            return _SPEAKING, (
                root.expose(), ours.private.expose(), ours.public.data, sent.key.expose(), sent.number,
                length, theirs.ratchet_key.data, theirs.key.expose(), theirs.number,
            )  # fmt: skip
        case Hearing(root, theirs, length):
            return _HEARING, (
                root.expose(), _ZEROS, _ZEROS, _ZEROS, 0,
                length, theirs.ratchet_key.data, theirs.key.expose(), theirs.number,
            )  # fmt: skip
        case Unanswered(root, ours, signed, sent):
            return UNANSWERED, (
                root.expose(), ours.private.expose(), ours.public.data, sent.key.expose(), sent.number,
                0, signed.data, _ZEROS, 0,
            )  # fmt: skip
        case _:  # pragma: no cover - Waiting ends with the message that begins a session
            raise AssertionError


def _read_double(state: int, fields: _Double) -> Talking:
    """Read the double ratchet's fields. Raises MalformedMessage, InvalidKey."""
    root, private, public, sending, sent, length, theirs, receiving, received = fields
    if state == _SPEAKING:
        return Speaking(
            RootKey(root),
            RatchetKeyPair(PrivateKey(private), RatchetKey(public)),
            SendingChain(ChainKey(sending), sent),
            ReceivingChain(RatchetKey(theirs), ChainKey(receiving), received),
            length,
        )
    if state == _HEARING and (private, public, sending, sent) == (_ZEROS, _ZEROS, _ZEROS, 0):
        chain = ReceivingChain(RatchetKey(theirs), ChainKey(receiving), received)
        return Hearing(RootKey(root), chain, length)
    if state == UNANSWERED and (length, receiving, received) == (0, _ZEROS, 0):
        ours = RatchetKeyPair(PrivateKey(private), RatchetKey(public))
        return Unanswered(RootKey(root), ours, RatchetKey(theirs), SendingChain(ChainKey(sending), sent))
    raise MalformedMessage("double ratchet of a session is in no known state, or has what its state lacks")
